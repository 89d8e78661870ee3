// The declarations of SQLite's session extension; Debian builds it in.
#define SQLITE_ENABLE_SESSION
#define SQLITE_ENABLE_PREUPDATE_HOOK
#include "common/sqlite/changes.hpp"

#include <limits>
#include <set>
#include <sqlite3.h>
#include <string>
#include <utility>

namespace ward::sqlite {
namespace {

struct EndIteration {
  void operator()(sqlite3_changeset_iter* at) const { sqlite3changeset_finalize(at); }
};

struct Free {
  void operator()(void* memory) const { sqlite3_free(memory); }
};

/// A row that differs from what the other copy had, or that another one stands in the way of, is replaced.
int resolve(void* /*context*/, int conflict, sqlite3_changeset_iter* /*at*/) {
  switch (conflict) {
    case SQLITE_CHANGESET_DATA:
    case SQLITE_CHANGESET_CONFLICT: return SQLITE_CHANGESET_REPLACE;
    case SQLITE_CHANGESET_NOTFOUND: return SQLITE_CHANGESET_OMIT;
    default: return SQLITE_CHANGESET_ABORT;
  }
}

/// SQLite itself skips what has no place, and calls that success.
Status check_fits(Database& db, void* bytes, int size, const auto& failed) {
  sqlite3_changeset_iter* raw = nullptr;
  if (const int code = sqlite3changeset_start(&raw, size, bytes); code != SQLITE_OK) return failed(code);
  const std::unique_ptr<sqlite3_changeset_iter, EndIteration> at(raw);
  std::set<std::pair<std::string, int>> tables;
  int code = SQLITE_ROW;
  while ((code = sqlite3changeset_next(raw)) == SQLITE_ROW) {
    const char* table = nullptr;
    int columns = 0, operation = 0;
    sqlite3changeset_op(raw, &table, &columns, &operation, nullptr);
    tables.emplace(table, columns);
  }
  if (code != SQLITE_DONE) return failed(code);
  for (const auto& [table, columns] : tables) {
    auto count = db.prepare("SELECT count(*) FROM pragma_table_info(?1)");
    if (!count) return fail(count.error());
    count->bind(1, std::string_view(table));
    if (auto row = count->step(); !row) return fail(row.error());
    if (count->integer(0) < columns)
      return fail(Errc::corrupt,
                  "a changeset of another schema: table '" + table + "' with " + std::to_string(columns) + " columns",
                  "Bring both sides to the same version.");
  }
  return {};
}

}  // namespace

void Recording::End::operator()(sqlite3_session* session) const { sqlite3session_delete(session); }

Result<Recording> Recording::begin(Database& db) {
  sqlite3_session* session = nullptr;
  if (const int code = sqlite3session_create(db.db_.get(), "main", &session); code != SQLITE_OK)
    return tl::unexpected(db.failed(code));
  Recording out(db, session);
  if (const int code = sqlite3session_attach(session, nullptr); code != SQLITE_OK) return tl::unexpected(db.failed(code));
  return out;
}

Result<std::vector<std::uint8_t>> Recording::changes() {
  int size = 0;
  void* bytes = nullptr;
  if (const int code = sqlite3session_changeset(session_.get(), &size, &bytes); code != SQLITE_OK)
    return tl::unexpected(db_->failed(code));
  const std::unique_ptr<void, Free> owner(bytes);
  const auto* first = static_cast<const std::uint8_t*>(bytes);
  return std::vector<std::uint8_t>(first, first + size);
}

Status apply_changes(Database& db, Bytes changes) {
  if (changes.empty()) return {};
  if (changes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    return fail(Errc::invalid, "a changeset of more than 2 GiB", "");
  // SQLite takes it as a plain void pointer, and only reads.
  auto* bytes = const_cast<std::uint8_t*>(changes.data());
  const auto failed = [&db](int code) -> Status {
    auto error = db.failed(code);
    if (code == SQLITE_ABORT || code == SQLITE_CONSTRAINT) error.code = Errc::corrupt;
    return tl::unexpected(std::move(error));
  };
  if (auto fits = check_fits(db, bytes, static_cast<int>(changes.size()), failed); !fits) return fits;
  const int code = sqlite3changeset_apply(db.db_.get(), static_cast<int>(changes.size()), bytes, nullptr, resolve, nullptr);
  if (code != SQLITE_OK) return failed(code);
  return {};
}

Result<std::vector<std::uint8_t>> image_of(Database& db) {
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, Free> bytes(sqlite3_serialize(db.db_.get(), "main", &size, 0));
  if (bytes == nullptr) return tl::unexpected(db.failed(SQLITE_NOMEM));
  return std::vector<std::uint8_t>(bytes.get(), bytes.get() + size);
}

}  // namespace ward::sqlite
