#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "probes/probe.hpp"

namespace ward::probes::data {

/// Where and as whom to connect. `host` is a name, an address or a socket directory.
struct PostgresTarget {
  std::string host;
  std::uint16_t port = 5432;
  std::string database = "postgres";
  std::string user = "ward";
  Secret password;
  std::string sslmode = "prefer";
  std::string sslrootcert;
  std::chrono::milliseconds connect_timeout{3000};
  std::chrono::milliseconds statement_timeout{3000};
  std::chrono::milliseconds lock_timeout{100};
};
/// "pg-main:5432", for messages.
std::string address_of(const PostgresTarget& target);

/// What a failed call says about the server itself. Refused is not down (facts: postgres-redis 1.1).
enum class ServerState : std::uint8_t {
  down,     ///< nothing answers, or it does not let anyone in yet: pg_up 0
  up,       ///< it answered, only this statement failed: pg_up 1
  unknown,  ///< it turned us away before we could know: no pg_up
};

struct PostgresFailure {
  FailureReason reason = FailureReason::internal;
  ServerState server = ServerState::unknown;
  std::string sqlstate;  ///< empty when the failure did not come from the server
  bool connection_lost = false;
  Error error;
};
template <class T>
using PostgresResult = tl::expected<T, PostgresFailure>;

/// The code in a text of verbosity PQERRORS_SQLSTATE, "" without one. The last line that ends in ":  XXXXX" wins: with
/// sslmode prefer, libpq reports both attempts.
std::string sqlstate_in(std::string_view libpq_text);
/// From libpq's text after a failed connect. With PQERRORS_SQLSTATE the server's part of it is the bare SQLSTATE, so
/// that it neither depends on a language nor carries data.
PostgresFailure connect_failure(std::string_view libpq_text, const PostgresTarget& target);
/// Nothing came back in `waited`.
PostgresFailure connect_timed_out(const PostgresTarget& target);
/// From the SQLSTATE of a failed statement; empty when the connection broke. `part` names what was asked, never its SQL.
PostgresFailure statement_failure(std::string_view sqlstate, std::string_view part, const PostgresTarget& target);

}  // namespace ward::probes::data
