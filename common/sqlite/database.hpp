#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace ward::sqlite {

using Bytes = std::span<const std::uint8_t>;

/// A prepared statement. bind() in order from 1, then step() per row. reset() makes it ready for the next use.
/// Thread: the database's.
class Statement {
 public:
  Statement() = default;
  Statement(Statement&&) noexcept = default;
  Statement& operator=(Statement&&) noexcept = default;

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, double value);
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, Bytes blob);
  Statement& bind_null(int index);

  /// True: a row is there. False: done.
  Result<bool> step();
  /// Runs to the end and resets; for statements without rows.
  Status run();
  void reset();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string_view text(int column) const;  ///< valid until the next step()
  [[nodiscard]] Bytes blob(int column) const;             ///< valid until the next step()
  [[nodiscard]] bool is_null(int column) const;

 private:
  friend class Database;
  struct Finalise {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  std::unique_ptr<sqlite3_stmt, Finalise> statement_;
};

/// fsync per commit (`full`, survives power loss) or only at checkpoints (`normal`: survives kill -9 at once, power loss
/// up to the last `full` commit). Valid for the next transaction on.
enum class Durability { normal, full };

struct OpenOptions {
  std::string path;
  std::string vfs;              ///< name of a registered sqlite3_vfs; "" is the real file system
  std::uint64_t max_bytes = 0;  ///< hard cap of the main file (max_page_count); 0 = none
  bool exclusive = true;        ///< locking_mode=EXCLUSIVE: one process, no shared memory file
  std::uint64_t cache_bytes = 1 << 20;
  bool shrinks = false;         ///< of a new file: PRAGMA incremental_vacuum gives freed pages back to the disk
  int checkpoint_pages = 1000;  ///< copy the log into the main file when it is longer than this
};

/// One SQLite database in WAL mode, synchronous=FULL. Errors: Errc::full (disk or cap: nothing was changed), Errc::corrupt,
/// Errc::unavailable (I/O error: the transaction may or may not have happened; close, open and settle() before anything is
/// written again, never retry on the same connection). One thread at a time.
class Database {
 public:
  static Result<Database> open(const OpenOptions& options);
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  Status run(std::string_view sql);  ///< one or more statements without parameters or rows
  Result<Statement> prepare(std::string_view sql);
  Result<std::int64_t> scalar(std::string_view sql);  ///< first column of the first row; 0 when there is none
  Status set_durability(Durability durability);
  /// After open(), before anybody relies on what it reads. A failed sync leaves commits in the page cache that read well
  /// and may never reach the disk. This copies the log into the main file, which writes those pages anew and forces them,
  /// and then forces one commit into the emptied log: an older log that came back after a power loss would otherwise be
  /// replayed over the newer file (found by tests/sim, seed 100).
  Status settle();
  [[nodiscard]] std::int64_t last_insert_id() const;
  [[nodiscard]] std::int64_t changes() const;
  /// Empty when PRAGMA integrity_check says ok, else its first complaint. Not quick_check: that one does not see keys out of
  /// order in tables WITHOUT ROWID, where searches then miss rows that are there (found by tests/sim, seed 816).
  Result<std::string> integrity_check();

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  friend class Recording;  // common/sqlite/changes.hpp
  friend Status apply_changes(Database& db, Bytes changes);
  friend Result<std::vector<std::uint8_t>> image_of(Database& db);
  explicit Database(sqlite3* db, std::string path);
  [[nodiscard]] Error failed(int code) const;
  std::unique_ptr<sqlite3, Close> db_;
  std::string path_;
};

/// BEGIN IMMEDIATE on construction via begin(); rolls back unless commit() succeeded.
class Transaction {
 public:
  static Result<Transaction> begin(Database& db);
  Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Status commit();

 private:
  explicit Transaction(Database& db) : db_(&db) {}
  Database* db_;
};

}  // namespace ward::sqlite
