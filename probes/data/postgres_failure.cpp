#include "probes/data/postgres_failure.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/duration.hpp"
#include "common/base/parse.hpp"

namespace ward::probes::data {
namespace {

constexpr std::size_t kSqlstateLength = 5;

struct Words {
  std::string_view text;
  FailureReason reason;
  ServerState server;
  Errc code;
  std::string_view what;
  std::string_view fix;
};

/// libpq's own messages (fe-connect.c, fe-secure-openssl.c of PostgreSQL 15), which no server sends.
constexpr std::array kLibpqWords{
    Words{"Connection refused", FailureReason::connect_refused, ServerState::down, Errc::unavailable,
          "refuses connections: nothing listens there", "Start PostgreSQL there, or correct host and port of the target."},
    Words{"No such file or directory", FailureReason::connect_refused, ServerState::down, Errc::unavailable,
          "has no socket in that directory", "Start PostgreSQL there, or correct host and port of the target."},
    Words{"Name or service not known", FailureReason::dns_nxdomain, ServerState::unknown, Errc::not_found,
          "has no address in DNS", "Correct the host of the target."},
    Words{"Temporary failure in name resolution", FailureReason::dns_timeout, ServerState::unknown, Errc::unavailable,
          "could not be looked up: DNS does not answer", "Check the node's name servers."},
    Words{"could not translate host name", FailureReason::dns_failed, ServerState::unknown, Errc::unavailable,
          "could not be looked up in DNS", "Correct the host of the target."},
    Words{"does not match host name", FailureReason::tls_name_mismatch, ServerState::unknown, Errc::denied,
          "presents a certificate for another name", "Connect by a name in the certificate, or issue one with this name."},
    Words{"certificate verify failed", FailureReason::tls_untrusted, ServerState::unknown, Errc::denied,
          "presents a certificate that is not trusted", "Give the CA of the server in 'sslrootcert'."},
    Words{"root certificate", FailureReason::tls_untrusted, ServerState::unknown, Errc::invalid,
          "cannot be verified: the root certificate file is missing or unreadable", "Correct 'sslrootcert'."},
    Words{"server does not support SSL", FailureReason::tls_protocol, ServerState::unknown, Errc::denied,
          "does not offer TLS", "Set ssl = on at the server, or lower 'sslmode' on a trusted path."},
    Words{"SSL error", FailureReason::tls_protocol, ServerState::unknown, Errc::denied, "failed the TLS handshake",
          "Check the server's TLS settings."},
    Words{"password supplied", FailureReason::auth, ServerState::unknown, Errc::denied,
          "asks for a password and none is configured", "Set 'password: {file: ...}' for the target."},
    Words{"timeout expired", FailureReason::timeout, ServerState::down, Errc::timed_out,
          "did not accept the connection in time", "Check the server's load and the path to it."},
    Words{"Connection timed out", FailureReason::timeout, ServerState::down, Errc::timed_out,
          "did not accept the connection in time", "Check the firewall and the path to the server."},
    Words{"No route to host", FailureReason::connect_failed, ServerState::down, Errc::unavailable,
          "is unreachable: no route to the host", "Check the network path to the server."},
    Words{"Network is unreachable", FailureReason::connect_failed, ServerState::down, Errc::unavailable,
          "is unreachable: no route to its network", "Check the network path to the server."},
};

PostgresFailure refused_by_server(std::string sqlstate, const PostgresTarget& target) {
  PostgresFailure f;
  const auto at = "PostgreSQL at " + address_of(target);
  if (sqlstate == "53300") {
    f.reason = FailureReason::probe_refused;
    f.error = {Errc::overloaded, at + " has no connection left for role " + target.user,
               "Raise the role's CONNECTION LIMIT, or find who holds the connections."};
  } else if (sqlstate.starts_with("28")) {
    f.reason = FailureReason::auth;
    f.error = {Errc::denied, at + " does not let role " + target.user + " in (SQLSTATE " + sqlstate + ")",
               "Check 'user' and 'password' of the target, and the server's pg_hba.conf."};
  } else if (sqlstate == "57P03") {
    f.reason = FailureReason::loading;
    f.server = ServerState::down;
    f.error = {Errc::unavailable, at + " is starting, recovering or shutting down and lets nobody in",
               "Wait for the recovery, or look into the server's log."};
  } else if (sqlstate == "3D000") {
    f.reason = FailureReason::not_found;
    f.error = {Errc::not_found, at + " has no database " + target.database, "Correct 'database' of the target."};
  } else {
    f.reason = FailureReason::connect_failed;
    f.error = {Errc::unavailable, at + " ended the connection attempt with SQLSTATE " + sqlstate,
               "Look the code up in the PostgreSQL manual, appendix A."};
  }
  f.sqlstate = std::move(sqlstate);
  f.connection_lost = true;
  return f;
}

}  // namespace

std::string sqlstate_in(std::string_view text) {
  std::string found;
  std::string_view line;
  while (next_line(text, line)) {
    line = trim(line);
    if (line.size() < kSqlstateLength + 2) continue;
    const auto tail = line.substr(line.size() - kSqlstateLength);
    const auto before = line.substr(0, line.size() - kSqlstateLength);
    const bool code = std::ranges::all_of(tail, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
    if (code && trim(before).ends_with(':')) found = tail;
  }
  return found;
}

std::string address_of(const PostgresTarget& target) { return target.host + ":" + std::to_string(target.port); }

PostgresFailure connect_failure(std::string_view libpq_text, const PostgresTarget& target) {
  if (auto sqlstate = sqlstate_in(libpq_text); !sqlstate.empty()) return refused_by_server(std::move(sqlstate), target);
  const auto at = "PostgreSQL at " + address_of(target);
  PostgresFailure f;
  f.connection_lost = true;
  for (const auto& words : kLibpqWords) {
    if (libpq_text.find(words.text) == std::string_view::npos) continue;
    f.reason = words.reason;
    f.server = words.server;
    f.error = {words.code, at + " " + std::string(words.what), std::string(words.fix)};
    return f;
  }
  f.reason = FailureReason::connect_failed;
  f.server = ServerState::down;
  f.error = {Errc::unavailable, at + " closed the connection while it was being set up",
             "Look into the server's log, and into the log of any proxy between."};
  return f;
}

PostgresFailure connect_timed_out(const PostgresTarget& target) {
  PostgresFailure f;
  f.reason = FailureReason::timeout;
  f.server = ServerState::down;
  f.connection_lost = true;
  f.error = {
      Errc::timed_out,
      "PostgreSQL at " + address_of(target) + " did not let Ward in within " + format_duration(target.connect_timeout),
      "Check the server's load and the path to it."};
  return f;
}

PostgresFailure statement_failure(std::string_view sqlstate, std::string_view part, const PostgresTarget& target) {
  const auto at = "PostgreSQL at " + address_of(target);
  const auto of = " (" + std::string(part) + ")";
  PostgresFailure f;
  f.sqlstate = std::string(sqlstate);
  f.server = ServerState::up;
  if (sqlstate.empty() || sqlstate.starts_with("08") || sqlstate.starts_with("57P")) {
    f.connection_lost = true;
    f.server = ServerState::down;
    f.reason = FailureReason::connect_failed;
    f.error = {Errc::unavailable, at + " ended the connection during a query" + of, "Look into the server's log."};
  } else if (sqlstate == "42501") {
    f.reason = FailureReason::permission;
    f.error = {Errc::denied, at + " denies role " + target.user + " a view" + of, "Run GRANT pg_monitor TO the role."};
  } else if (sqlstate == "57014" || sqlstate == "55P03" || sqlstate == "25P03") {
    f.reason = FailureReason::timeout;
    f.error = {Errc::timed_out, at + " did not answer a query within its limit" + of,
               "Look for overload, or for a lock on the system catalog."};
  } else if (sqlstate.starts_with("53")) {
    f.reason = FailureReason::probe_refused;
    f.error = {Errc::overloaded, at + " lacks resources for a query" + of + ", SQLSTATE " + f.sqlstate,
               "Check memory and disk of the server."};
  } else if (sqlstate.starts_with("42")) {
    f.reason = FailureReason::unsupported;
    f.error = {Errc::invalid, at + " does not know something Ward asked for" + of + ", SQLSTATE " + f.sqlstate,
               "Report the server's version; the other parts go on."};
  } else {
    f.reason = FailureReason::protocol;
    f.error = {Errc::internal, at + " failed a query" + of + " with SQLSTATE " + f.sqlstate,
               "Look the code up in the PostgreSQL manual, appendix A."};
  }
  return f;
}

}  // namespace ward::probes::data
