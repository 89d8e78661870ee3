// A damaged spool file: keep every record that still reads.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "agent/spool/statements.hpp"
#include "common/sqlite/database.hpp"
#include "common/sqlite/files.hpp"

namespace ward::agent {
namespace {

/// Copies a small table row by row; a row that does not read ends it (what is lost is found later as holes).
void copy_table(sqlite::Database& from, sqlite::Database& to, const std::string& table, int columns) {
  auto rows = from.prepare("SELECT * FROM " + table);
  if (!rows) return;
  std::string marks = "?";
  for (int i = 1; i < columns; ++i) marks += ",?";
  auto put = to.prepare("INSERT OR REPLACE INTO " + table + " VALUES(" + marks + ")");
  if (!put) return;
  for (auto more = rows->step(); more && *more; more = rows->step()) {
    for (int i = 0; i < columns; ++i) {
      const bool text = (table == "cursor" && i == 0) || (table == "meta" && i == 0) || (table == "stream" && i == 1);
      const bool blob = (table == "series" && i == 1) || (table == "stream" && i == 2) || (table == "gap" && i == 7);
      if (text)
        put->bind(i + 1, rows->text(i));
      else if (blob)
        put->bind(i + 1, rows->blob(i));
      else
        put->bind(i + 1, rows->integer(i));
    }
    if (!put->run()) return;
  }
}

using Key = std::pair<std::int64_t, std::int64_t>;  // stream, sequence

/// The sequences that streams have given out and still need: base, next.
using Ranges = std::map<std::int64_t, Key>;

struct Row {
  std::array<std::int64_t, 9> numbers{};  // as the columns of `record` stand
  wire::Buffer payload;
  [[nodiscard]] Key key() const { return {numbers[0], numbers[1]}; }
};

Row read_row(const sqlite::Statement& from) {
  Row row;
  for (std::size_t i = 0; i < row.numbers.size(); ++i) row.numbers[i] = from.integer(static_cast<int>(i));
  row.payload.assign(from.blob(9).begin(), from.blob(9).end());
  return row;
}

/// Is this what was written, under a number that its stream needs? What is not becomes a hole, which is stated as a gap.
bool is_wanted(const Row& row, const Ranges& ranges) {
  const auto range = ranges.find(row.numbers[0]);
  if (range == ranges.end() || row.numbers[1] < range->second.first || row.numbers[1] >= range->second.second) return false;
  wire::Record head;
  head.seq = Sequence{static_cast<std::uint64_t>(row.numbers[1])};
  head.kind = static_cast<wire::RecordKind>(row.numbers[2]);
  head.data_class = static_cast<DataClass>(row.numbers[3]);
  head.t_min = from_ms(row.numbers[5]);
  head.t_max = from_ms(row.numbers[6]);
  head.digest = static_cast<std::uint32_t>(row.numbers[7]);
  return stored_crc(head, row.payload) == static_cast<std::uint32_t>(row.numbers[8]);
}

bool put_row(sqlite::Statement& put, const Row& row) {
  for (std::size_t i = 0; i < row.numbers.size(); ++i) put.bind(static_cast<int>(i) + 1, row.numbers[i]);
  return put.bind(10, sqlite::Bytes{row.payload}).run().has_value();
}

/// Walks the whole table: a search would miss rows behind a key that is out of order. The CRC knows a record's sequence and
/// not its stream, so a row that breaks the order of the rows around it is not believed. True when the walk came to the end.
bool copy_in_order(sqlite::Database& from, sqlite::Statement& put, const Ranges& ranges) {
  auto rows = from.prepare("SELECT * FROM record");
  if (!rows) return false;
  std::optional<Row> waiting;  // until the row behind it is known
  Key last{};
  bool stored = true;
  auto more = rows->step();
  for (; stored && more && *more; more = rows->step()) {
    auto row = read_row(*rows);
    if (!is_wanted(row, ranges)) continue;
    if (waiting) {
      if (row.key() > waiting->key()) {
        stored = put_row(put, *waiting);
        last = waiting->key();
      } else if (row.key() <= last) {
        continue;  // this one is out of place; else the one before it is
      }
    }
    waiting = std::move(row);
  }
  if (stored && waiting) stored = put_row(put, *waiting);
  return stored && more.has_value();
}

/// Copies the records of one stream in [first, last]; true when the whole range was read.
bool copy_range(sqlite::Database& from, sqlite::Statement& put, const Ranges& ranges, std::int64_t stream,
                std::int64_t first, std::int64_t last) {
  auto rows = from.prepare("SELECT * FROM record WHERE stream=? AND seq BETWEEN ? AND ?");
  if (!rows) return false;
  rows->bind(1, stream).bind(2, first).bind(3, last);
  auto more = rows->step();
  for (; more && *more; more = rows->step()) {
    const auto row = read_row(*rows);
    if (is_wanted(row, ranges) && !put_row(put, row)) return false;
  }
  return more.has_value();
}

void copy_streams(sqlite::Database& from, sqlite::Database& to) {
  constexpr std::int64_t kStride = 64;  // one bad page loses at most its own records: a failed stride is read one by one
  auto streams = from.prepare("SELECT id,base,next FROM stream");
  auto put = to.prepare("INSERT OR IGNORE INTO record VALUES(?,?,?,?,?,?,?,?,?,?)");
  if (!streams || !put) return;
  Ranges ranges;
  for (auto more = streams->step(); more && *more; more = streams->step())
    ranges[streams->integer(0)] = {streams->integer(1), streams->integer(2)};
  if (copy_in_order(from, *put, ranges)) return;
  for (const auto& [id, range] : ranges)
    for (auto at = range.first; at < range.second; at += kStride) {
      const auto last = std::min(at + kStride, range.second) - 1;
      if (copy_range(from, *put, ranges, id, at, last)) continue;
      for (auto one = at; one <= last; ++one) (void)copy_range(from, *put, ranges, id, one, one);
    }
}

/// Copies the file and its log to another name and removes them. A crash on the way leaves the original.
Status move_away(const std::string& path, const std::string& aside, const std::string& vfs) {
  for (const char* suffix : {"-wal", ""})
    if (auto removed = sqlite::remove_file(vfs, aside + suffix); !removed) return removed;
  for (const char* suffix : {"", "-wal"}) {
    const auto there = sqlite::file_exists(vfs, path + suffix);
    if (!there) return fail(there.error());
    if (!*there) continue;
    if (auto copied = sqlite::copy_file(vfs, path + suffix, aside + suffix); !copied) return copied;
  }
  // The file first: SQLite drops a log without its file, while a file without its log would be read as an older state.
  for (const char* suffix : {"", "-wal"})
    if (auto removed = sqlite::remove_file(vfs, path + suffix); !removed) return removed;
  return {};
}

}  // namespace

Status set_schema_aside(const std::string& path, const std::string& vfs, std::int64_t version) {
  const auto aside = path + ".schema-" + std::to_string(version);
  const auto there = sqlite::file_exists(vfs, aside);
  if (!there) return fail(there.error());
  if (*there)
    return fail(Errc::denied,
                "the spool '" + path + "' has schema " + std::to_string(version) + ", this release knows " +
                    std::to_string(kSpoolVersion) + ", and '" + aside + "' is there already",
                "Move both files away, or run the release of Ward that wrote them.");
  return move_away(path, aside, vfs);
}

Status salvage_spool(const std::string& path, const std::string& vfs) {
  if (auto moved = move_away(path, path + ".damaged", vfs); !moved) return moved;
  sqlite::OpenOptions fresh_file;
  fresh_file.path = path;
  fresh_file.vfs = vfs;
  auto fresh = sqlite::Database::open(fresh_file);
  if (!fresh) return fail(fresh.error());
  return read_damaged(*fresh, path, vfs);
}

Status read_damaged(sqlite::Database& fresh, const std::string& path, const std::string& vfs) {
  auto transaction = sqlite::Transaction::begin(fresh);
  if (!transaction) return fail(transaction.error());
  // Tables and rows in one: a file with tables has everything that could be read.
  if (auto made = create_spool_schema(fresh); !made) return made;
  sqlite::OpenOptions damaged_file;
  damaged_file.path = path + ".damaged";
  damaged_file.vfs = vfs;
  if (auto damaged = sqlite::Database::open(damaged_file)) {  // else not even a database: it stays aside, unread
    copy_table(*damaged, fresh, "meta", 2);
    copy_table(*damaged, fresh, "stream", 9);
    copy_table(*damaged, fresh, "series", 3);
    copy_table(*damaged, fresh, "cursor", 4);
    copy_table(*damaged, fresh, "gap", 9);
    copy_streams(*damaged, fresh);
  }
  return transaction->commit();
}

}  // namespace ward::agent
