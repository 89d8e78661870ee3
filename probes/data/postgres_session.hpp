#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "probes/data/postgres_failure.hpp"

namespace ward::probes::data {

/// One connection to one server, and never a second one. The only file behind it that knows libpqxx. All calls block for
/// at most the target's timeouts; no exception leaves. Thread: one call at a time, any thread; abort() from anywhere.
class PostgresSession {
 public:
  explicit PostgresSession(PostgresTarget target);
  PostgresSession(const PostgresSession&) = delete;
  PostgresSession& operator=(const PostgresSession&) = delete;
  ~PostgresSession();

  [[nodiscard]] const PostgresTarget& target() const;
  [[nodiscard]] bool connected() const;
  PostgresResult<void> connect();
  void disconnect();

  /// Runs a SELECT of one text value in a read-only transaction with local timeouts and an empty search path. `part` is
  /// the name for messages. A lost connection is closed.
  PostgresResult<std::string> ask(const std::string& select, std::string_view part);
  /// Runs one writing statement in a transaction with the same timeouts (the heartbeat's writer only).
  PostgresResult<void> write(const std::string& statement, std::string_view part);

  /// Ends a call that hangs on another thread by shutting its socket down; a no-op when there is none.
  void abort();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ward::probes::data
