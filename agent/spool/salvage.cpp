// A damaged spool file: keep every record that still reads.
#include <algorithm>

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

/// Copies the records of one stream in [from, to]; true when the whole range was read.
bool copy_records(sqlite::Database& from, sqlite::Database& to, std::int64_t stream, std::int64_t first, std::int64_t last) {
  auto rows = from.prepare("SELECT * FROM record WHERE stream=? AND seq BETWEEN ? AND ?");
  auto put = to.prepare("INSERT OR REPLACE INTO record VALUES(?,?,?,?,?,?,?,?,?,?)");
  if (!rows || !put) return false;
  rows->bind(1, stream).bind(2, first).bind(3, last);
  auto more = rows->step();
  for (; more && *more; more = rows->step()) {
    for (int i = 0; i < 9; ++i) put->bind(i + 1, rows->integer(i));
    if (!put->bind(10, rows->blob(9)).run()) return false;
  }
  return more.has_value();
}

void copy_streams(sqlite::Database& from, sqlite::Database& to) {
  constexpr std::int64_t kStride = 64;  // one bad page loses at most its own records: a failed stride is read one by one
  auto streams = to.prepare("SELECT id,base,next FROM stream");
  if (!streams) return;
  for (auto more = streams->step(); more && *more; more = streams->step()) {
    const auto id = streams->integer(0);
    const auto end = streams->integer(2);
    for (auto at = streams->integer(1); at < end; at += kStride) {
      const auto last = std::min(at + kStride, end) - 1;
      if (copy_records(from, to, id, at, last)) continue;
      for (auto one = at; one <= last; ++one) (void)copy_records(from, to, id, one, one);
    }
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
