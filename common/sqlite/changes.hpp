#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "common/sqlite/database.hpp"

struct sqlite3_session;

namespace ward::sqlite {

/// Records what a connection changes in all tables, so that another copy of the file can follow. Tables without a primary
/// key are not recorded. The database must outlive it. Thread: the database's.
class Recording {
 public:
  static Result<Recording> begin(Database& db);
  /// What is different from the beginning, in SQLite's changeset format; empty when nothing is. Inside the transaction whose
  /// changes are meant.
  Result<std::vector<std::uint8_t>> changes();

 private:
  struct End {
    void operator()(sqlite3_session* session) const;
  };
  Recording(Database& db, sqlite3_session* session) : db_(&db), session_(session) {}
  Database* db_;
  std::unique_ptr<sqlite3_session, End> session_;
};

/// Makes in `db` the changes of another copy, in one transaction. A row that is not as the other copy had it is made so; one
/// that is gone already stays gone. Errc::corrupt for bytes that are no changeset, and for tables or columns that `db` does
/// not have.
Status apply_changes(Database& db, Bytes changes);

/// The whole file with all that is committed, as it would be on disk.
Result<std::vector<std::uint8_t>> image_of(Database& db);

}  // namespace ward::sqlite
