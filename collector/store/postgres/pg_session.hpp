#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collector/store/postgres/pg_failure.hpp"
#include "collector/store/postgres/pg_lookup.hpp"
#include "collector/store/postgres/pg_target.hpp"
#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "common/base/time.hpp"

struct pg_conn;    // PGconn of libpq
struct pg_result;  // PGresult

namespace ward::collector {

/// A value of a statement. Bytes go as they are and are not copied here: they must outlive the call.
class PgValue {
 public:
  static PgValue text(std::string value) { return {std::move(value), {}, false}; }
  static PgValue number(std::int64_t value) { return {std::to_string(value), {}, false}; }
  static PgValue bytes(std::span<const std::uint8_t> value) { return {{}, value, true}; }
  [[nodiscard]] bool binary() const { return binary_; }
  [[nodiscard]] const char* data() const;
  [[nodiscard]] std::size_t size() const { return binary_ ? bytes_.size() : text_.size(); }

 private:
  PgValue(std::string text, std::span<const std::uint8_t> bytes, bool binary)
      : text_(std::move(text)), bytes_(bytes), binary_(binary) {}
  std::string text_;
  std::span<const std::uint8_t> bytes_;
  bool binary_;
};

/// The rows of an answer, in PostgreSQL's binary form. Columns are bigint, text and bytea only; none is NULL.
class PgRows {
 public:
  explicit PgRows(std::shared_ptr<pg_result> result) : result_(std::move(result)) {}
  [[nodiscard]] int size() const;
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::int64_t number(int row, int column) const;
  [[nodiscard]] std::string text(int row, int column) const;
  [[nodiscard]] std::vector<std::uint8_t> bytes(int row, int column) const;

 private:
  [[nodiscard]] std::span<const std::uint8_t> field(int row, int column) const;
  std::shared_ptr<pg_result> result_;
};

/// One connection to the first of the targets that lets Ward in and write. With pg_target.cpp the only file that knows
/// libpq. Nothing here waits longer than it was allowed to, whatever the network and the server do: libpq is used without
/// blocking, and the waiting is done here. A connection that failed, or did not answer in time, is closed. Thread: one at
/// a time.
class PgSession {
 public:
  struct Options {
    std::string connection;
    Secret password;
    milliseconds timeout{2000};
  };
  explicit PgSession(Options options) : options_(std::move(options)) {}
  PgSession(const PgSession&) = delete;
  PgSession& operator=(const PgSession&) = delete;
  ~PgSession() { close(); }

  /// Whether there is a connection that nobody has ended while it was idle.
  [[nodiscard]] bool usable() const;
  /// Connects anew, within the timeout altogether; what is left of it is for the statements until the next allow().
  Status connect();
  void close();
  /// How long all statements from now on may take together.
  Status allow(milliseconds limit);
  /// Counts the connections of this object.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  [[nodiscard]] PgSide side() const;

  /// One statement; a row's columns as PgRows says. `purpose` completes "when Ward asked it ...".
  Result<PgRows> run(const char* sql, std::span<const PgValue> values, std::string_view purpose);
  /// Several statements without values in one transaction; what they return is dropped.
  Status script(const std::string& sql, std::string_view purpose);

 private:
  struct CloseConnection {
    void operator()(pg_conn* connection) const;
  };
  using Connection = std::unique_ptr<pg_conn, CloseConnection>;
  enum class Wait : std::uint8_t { ready, timed_out };

  /// Tries the addresses of the target one after the other.
  Result<Connection> connect_to(const PgTarget& target, MonoTime until);
  Result<Connection> connect_by(const std::map<std::string, std::string>& settings, const PgSide& side,
                                MonoTime until) const;
  Status prepare();
  Result<std::shared_ptr<pg_result>> exchange(std::string_view purpose);
  Wait wait(short events) const;
  tl::unexpected<Error> lost(std::string_view sqlstate, std::string_view purpose);
  tl::unexpected<Error> too_late(std::string_view purpose);

  Options options_;
  PgLookup lookup_;
  std::vector<PgTarget> targets_;  ///< of options_.connection, once it was read
  std::size_t current_ = 0;        ///< the target that let us in last
  Connection connection_;
  std::uint64_t generation_ = 0;
  MonoTime until_{};
  milliseconds limit_{};                         ///< that until_ stands for
  std::optional<milliseconds> told_the_server_;  ///< its statement_timeout
};

}  // namespace ward::collector
