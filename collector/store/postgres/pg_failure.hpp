#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace ward::collector {

/// Who said something, for messages.
struct PgSide {
  std::string place;  ///< "db-1:5432"
  std::string user;
  std::string database;
};

/// The sentences for what PostgreSQL and libpq refuse. Errc::unavailable: it may pass by itself. Errc::invalid: somebody
/// must change the configuration, here or there. Errc::corrupt: the server itself says that its data are damaged. Never
/// Errc::denied, which means a leader that was replaced. None holds SQL text, a value or anything the server wrote.

/// From libpq's text after a failed connect. With PQERRORS_SQLSTATE the server's part of it is the bare SQLSTATE.
Error pg_connect_failure(std::string_view libpq_text, const PgSide& side);
/// `code` as PgLookup gives it.
Error pg_lookup_failure(Errc code, const PgSide& side);
Error pg_connect_timed_out(const PgSide& side, std::chrono::milliseconds timeout);
/// `purpose` is what Ward wanted ("to take the lease"); an empty `sqlstate` is a connection that broke.
Error pg_statement_failure(std::string_view sqlstate, std::string_view purpose, const PgSide& side);
Error pg_statement_timed_out(std::string_view purpose, const PgSide& side, std::chrono::milliseconds limit);
/// Whether the connection is of no more use after this: it is gone, or leads to a server that cannot do what is needed.
bool pg_ends_connection(std::string_view sqlstate);

}  // namespace ward::collector
