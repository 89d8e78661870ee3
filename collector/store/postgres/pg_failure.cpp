#include "collector/store/postgres/pg_failure.hpp"

#include <algorithm>
#include <array>

#include "common/base/duration.hpp"
#include "common/base/parse.hpp"

namespace ward::collector {
namespace {

constexpr std::size_t kSqlstateLength = 5;

struct Words {
  std::string_view text;
  Errc code;
  std::string_view what;
  std::string_view fix;
};

/// libpq's own messages (fe-connect.c, fe-secure-openssl.c of PostgreSQL 15), which no server sends.
constexpr std::array kLibpqWords{
    Words{"session is read-only", Errc::unavailable, "lets nobody write: it is a standby, or the role is read-only there",
          "Wait for the fail-over, name the primary in 'host', or run ALTER ROLE ... RESET default_transaction_read_only."},
    Words{"server is in hot standby mode", Errc::unavailable, "is a standby, which nobody can write to",
          "Wait for the fail-over, or name the primary in 'host'."},
    Words{"Connection refused", Errc::unavailable, "refuses connections: nothing listens there",
          "Start PostgreSQL there, or correct 'host' and 'port' of the shared state."},
    Words{"No such file or directory", Errc::unavailable, "has no socket in that directory",
          "Start PostgreSQL there, or correct 'host' and 'port' of the shared state."},
    Words{"does not match host name", Errc::invalid, "presents a certificate for another name",
          "Connect by a name in the certificate, or issue one with this name."},
    Words{"certificate verify failed", Errc::invalid, "presents a certificate that is not trusted",
          "Give the CA of the server in 'sslrootcert'."},
    Words{"root certificate", Errc::invalid, "cannot be verified: the root certificate file is missing or unreadable",
          "Correct 'sslrootcert' of the shared state."},
    Words{"server does not support SSL", Errc::invalid, "does not offer TLS",
          "Set ssl = on at the server, or lower 'sslmode' on a trusted path."},
    Words{"SSL error", Errc::invalid, "failed the TLS handshake", "Check the server's TLS settings."},
    Words{"password supplied", Errc::invalid, "asks for a password and none is configured",
          "Name the file of the password of the shared state."},
    Words{"timeout expired", Errc::unavailable, "did not accept the connection in time",
          "Check the server's load and the path to it."},
    Words{"Connection timed out", Errc::unavailable, "did not accept the connection in time",
          "Check the firewall and the path to the server."},
    Words{"No route to host", Errc::unavailable, "is unreachable: no route to the host",
          "Check the network path to the server."},
    Words{"Network is unreachable", Errc::unavailable, "is unreachable: no route to its network",
          "Check the network path to the server."},
};

std::string at(const PgSide& side) { return "PostgreSQL at " + side.place; }

/// The code in a text of verbosity PQERRORS_SQLSTATE, "" without one. The last line that ends in ":  XXXXX" wins: with
/// sslmode prefer, libpq reports both attempts.
std::string_view sqlstate_in(std::string_view text) {
  std::string_view found;
  std::string_view line;
  while (next_line(text, line)) {
    line = trim(line);
    if (line.size() < kSqlstateLength + 2) continue;
    const auto tail = line.substr(line.size() - kSqlstateLength);
    const bool code = std::ranges::all_of(tail, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
    if (code && trim(line.substr(0, line.size() - kSqlstateLength)).ends_with(':')) found = tail;
  }
  return found;
}

std::string coded(std::string_view sqlstate) { return " (SQLSTATE " + std::string(sqlstate) + ")"; }

Error refused(std::string_view sqlstate, const PgSide& side) {
  if (sqlstate.starts_with("28"))
    return {Errc::invalid, at(side) + " does not let role " + side.user + " in" + coded(sqlstate),
            "Check the user and the password of the shared state, and the server's pg_hba.conf."};
  if (sqlstate == "3D000")
    return {Errc::invalid, at(side) + " has no database " + side.database, "Run CREATE DATABASE, or correct 'dbname'."};
  if (sqlstate == "42501")
    return {Errc::invalid, at(side) + " does not let role " + side.user + " into database " + side.database,
            "Run GRANT CONNECT ON DATABASE " + side.database + " TO " + side.user + "."};
  if (sqlstate == "53300")
    return {Errc::unavailable, at(side) + " has no connection left for role " + side.user,
            "Raise max_connections or the role's CONNECTION LIMIT, or find who holds the connections."};
  if (sqlstate.starts_with("57P"))
    return {Errc::unavailable, at(side) + " is starting, recovering or shutting down and lets nobody in",
            "Wait for the recovery, or look into the server's log."};
  return {Errc::unavailable, at(side) + " ended the connection attempt" + coded(sqlstate),
          "Look the code up in the PostgreSQL manual, appendix A."};
}

std::string grants(const PgSide& side) {
  return "Run GRANT SELECT, INSERT, UPDATE, DELETE ON ward_lease, ward_state_image, ward_state_change, ward_shared_schema "
         "TO " +
         side.user + ", or let it make them: GRANT CREATE, USAGE ON SCHEMA public TO " + side.user + ".";
}

}  // namespace

Error pg_connect_failure(std::string_view libpq_text, const PgSide& side) {
  if (const auto sqlstate = sqlstate_in(libpq_text); !sqlstate.empty()) return refused(sqlstate, side);
  for (const auto& words : kLibpqWords)
    if (libpq_text.find(words.text) != std::string_view::npos)
      return {words.code, at(side) + " " + std::string(words.what), std::string(words.fix)};
  return {Errc::unavailable, at(side) + " closed the connection while it was being set up",
          "Look into the server's log, and into the log of any proxy between."};
}

Error pg_lookup_failure(Errc code, const PgSide& side) {
  if (code == Errc::not_found)
    return {Errc::invalid, at(side) + " has no address in DNS", "Correct 'host' of the shared state."};
  return {Errc::unavailable, at(side) + " could not be looked up: DNS does not answer",
          "Check the name servers of this machine, or write the address into 'hostaddr'."};
}

Error pg_connect_timed_out(const PgSide& side, milliseconds timeout) {
  return {Errc::unavailable, at(side) + " did not let Ward in within " + format_duration(timeout),
          "Check that the server runs, its load, and the path to it."};
}

Error pg_statement_failure(std::string_view sqlstate, std::string_view purpose, const PgSide& side) {
  const auto when = " when Ward asked it " + std::string(purpose);
  if (sqlstate.empty() || sqlstate.starts_with("08") || sqlstate.starts_with("57P"))
    return {Errc::unavailable, at(side) + " ended the connection" + when, "Look into the server's log."};
  if (sqlstate == "42501")
    return {Errc::invalid, at(side) + " does not let role " + side.user + " use Ward's tables in database " + side.database,
            grants(side)};
  if (sqlstate == "25006")
    return {Errc::unavailable, at(side) + " lets nobody write" + when + ": it is a standby, or read-only by its settings",
            "Wait for the fail-over, or name the primary in 'host'."};
  if (sqlstate == "55P03")
    return {Errc::unavailable, at(side) + " kept Ward waiting for a lock" + when,
            "Find who holds it in pg_locks: nobody but the collectors should lock Ward's tables."};
  if (sqlstate == "57014")
    return {Errc::unavailable, at(side) + " took too long" + when, "Look for overload of the server and of its disks."};
  if (sqlstate == "53100")
    return {Errc::unavailable, at(side) + " has no disk space left" + when, "Free space at the server."};
  if (sqlstate.starts_with("53") || sqlstate.starts_with("54"))
    return {Errc::unavailable, at(side) + " lacks resources" + when + coded(sqlstate),
            "Check memory and disk of the server."};
  if (sqlstate.starts_with("40"))
    return {Errc::unavailable, at(side) + " undid the transaction" + when + coded(sqlstate),
            "Nothing to do when it stays alone: it is tried again."};
  if (sqlstate == "42P01" || sqlstate == "3F000")
    return {Errc::unavailable, at(side) + " has lost Ward's tables in database " + side.database,
            "They are made again with the next connection; find out who dropped them, or what search_path the role has."};
  if (sqlstate == "XX001" || sqlstate == "XX002")
    return {Errc::corrupt, at(side) + " says that its data are damaged" + when + coded(sqlstate),
            "Look into the server's log, and restore the database."};
  return {Errc::internal, at(side) + " failed" + when + coded(sqlstate),
          "Look the code up in the PostgreSQL manual, appendix A."};
}

Error pg_statement_timed_out(std::string_view purpose, const PgSide& side, milliseconds limit) {
  return {Errc::unavailable,
          at(side) + " did not answer within " + format_duration(limit) + " when Ward asked it " + std::string(purpose),
          "Check that the server runs, its load and its disks, and the path to it."};
}

bool pg_ends_connection(std::string_view sqlstate) {
  const auto begins = [sqlstate](std::string_view with) { return sqlstate.starts_with(with); };
  return sqlstate.empty() || begins("08") || begins("57P") || begins("25") || begins("42") || begins("XX");
}

}  // namespace ward::collector
