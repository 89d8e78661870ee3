#pragma once
#include <initializer_list>

#include "agent/spool/spool.hpp"

namespace ward::agent {

/// Of the tables below (PRAGMA user_version). A file of another version is set aside, not read: raise it with every change.
inline constexpr std::int64_t kSpoolVersion = 2;
/// The spool's tables, as docs/format/spool.md describes them.
inline constexpr std::string_view kSpoolSchema = R"(
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stream(
  id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, incarnation BLOB NOT NULL, boot INTEGER NOT NULL, base INTEGER NOT NULL,
  next INTEGER NOT NULL, sampled INTEGER NOT NULL, sampled_before_base INTEGER NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS record(
  stream INTEGER NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL, class INTEGER NOT NULL, count INTEGER NOT NULL,
  t_min INTEGER NOT NULL, t_max INTEGER NOT NULL, digest INTEGER NOT NULL, crc INTEGER NOT NULL, payload BLOB NOT NULL,
  PRIMARY KEY(stream, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS series(id INTEGER PRIMARY KEY, labels BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS gap(
  stream INTEGER NOT NULL, from_seq INTEGER NOT NULL, to_seq INTEGER NOT NULL, samples INTEGER NOT NULL,
  reason INTEGER NOT NULL, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, counts BLOB NOT NULL,
  crc INTEGER NOT NULL, PRIMARY KEY(stream, from_seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cursor(
  collector TEXT NOT NULL, stream INTEGER NOT NULL, durable INTEGER NOT NULL, crc INTEGER NOT NULL,
  PRIMARY KEY(collector, stream)) WITHOUT ROWID;
)";

struct FileSchema {
  std::int64_t version = 0;
  bool empty = true;  ///< no tables at all
};
Result<FileSchema> look_at_schema(sqlite::Database& db);
/// Tables and version; inside of a transaction of the caller's, if it has one.
Status create_spool_schema(sqlite::Database& db);

struct Spool::Statements {
  sqlite::Statement put_record, get_record, put_stream, put_series, put_gap, get_gap, put_cursor, sum_records,
      delete_records, delete_gaps, bump;
  static Result<std::unique_ptr<Statements>> prepare(sqlite::Database& db);
};

/// CRC-32C of a row of the other tables. A flipped bit in the name of a tenant would be refused by every collector for ever,
/// one in the end of a gap would let records behind it vanish.
std::int64_t row_crc(std::initializer_list<std::int64_t> numbers, std::string_view text, wire::ByteView bytes = {});

/// CRC-32C of a record as it is stored: its payload and the columns that go out with it. SQLite checks its structure, not
/// its contents, and one flipped bit in a digest or a class would be refused by every collector for ever.
std::uint32_t stored_crc(const wire::Record& record, wire::ByteView payload);

/// How many of a gap's samples lie below `upto`, as its `counts` column says: a varint for each of its records. A
/// collector may hold the first records of what was dropped later, and must not be told of their samples again. 0 when
/// the column is empty: of a hole in a damaged file only the sum is known.
std::uint64_t gap_samples_below(wire::ByteView counts, Sequence from, Sequence upto);

/// Sets a damaged file aside as `<path>.damaged`, in place of an older one, and reads what can be read of it into a new one.
/// Records that are lost become gaps with exact counts wherever their stream's row is readable.
Status salvage_spool(const std::string& path, const std::string& vfs);
/// The second half of it, for a start that finds it interrupted: `fresh` has no tables yet. One transaction.
Status read_damaged(sqlite::Database& fresh, const std::string& path, const std::string& vfs);
/// Moves the file of another release to `<path>.schema-<version>`; Errc::denied when there is one of that name already.
Status set_schema_aside(const std::string& path, const std::string& vfs, std::int64_t version);

}  // namespace ward::agent
