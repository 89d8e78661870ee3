// The declarations of SQLite's session extension; Debian builds it in.
#define SQLITE_ENABLE_SESSION
#define SQLITE_ENABLE_PREUPDATE_HOOK
#include "common/sqlite/changes.hpp"

#include <limits>
#include <sqlite3.h>

namespace ward::sqlite {
namespace {

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
  const int code = sqlite3changeset_apply(db.db_.get(), static_cast<int>(changes.size()), bytes, nullptr, resolve, nullptr);
  if (code == SQLITE_OK) return {};
  auto error = db.failed(code);
  if (code == SQLITE_ABORT || code == SQLITE_CONSTRAINT) error.code = Errc::corrupt;
  return tl::unexpected(std::move(error));
}

Result<std::vector<std::uint8_t>> image_of(Database& db) {
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, Free> bytes(sqlite3_serialize(db.db_.get(), "main", &size, 0));
  if (bytes == nullptr) return tl::unexpected(db.failed(SQLITE_NOMEM));
  return std::vector<std::uint8_t>(bytes.get(), bytes.get() + size);
}

}  // namespace ward::sqlite
