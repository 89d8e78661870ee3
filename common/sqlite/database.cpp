#include "common/sqlite/database.hpp"

#include <cstdint>
#include <sqlite3.h>
#include <utility>

#include "common/base/assert.hpp"
#include "common/base/planted.hpp"

namespace ward::sqlite {
namespace {

Errc classify(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL: return Errc::full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Errc::corrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Errc::overloaded;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH: return Errc::denied;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR: return Errc::unavailable;
    default: return Errc::internal;
  }
}

std::string advice(Errc code, const std::string& path) {
  switch (code) {
    case Errc::full: return "Free space on the volume of '" + path + "' or raise its size limit.";
    case Errc::corrupt: return "Move '" + path + "' aside and restart; keep it for analysis.";
    case Errc::overloaded: return "Stop the other process that has '" + path + "' open.";
    case Errc::denied: return "Make '" + path + "' and its folder writable for this user.";
    case Errc::unavailable: return "Check the disk under '" + path + "' (dmesg) and that its folder exists.";
    default: return "";
  }
}

// SQLite's own message names objects and never bound values, so it is safe to show.
tl::unexpected<Error> failure(sqlite3* db, int code, const std::string& path) {
  const auto kind = classify(code);
  return fail(kind, "SQLite file '" + path + "': " + (db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code)),
              advice(kind, path));
}

std::string path_of(sqlite3* db) {
  const char* name = sqlite3_db_filename(db, "main");
  return name != nullptr ? name : "";
}

// Instead of SQLite's own automatic checkpoint, which swallows its errors. A sync of the log that fails there leaves
// frames that are clean to the kernel and not on disk; until a later checkpoint copies them, every commit, though forced,
// stands behind that hole and would be lost with it. Reported, the error makes the owner close the file and settle() it.
// A full disk stays unsaid: the commit did happen, the log only grows a little further.
int checkpoint_when_long(void* limit, sqlite3* db, const char* schema, int pages) {
  if (pages < static_cast<int>(reinterpret_cast<std::intptr_t>(limit))) return SQLITE_OK;
  const int code = sqlite3_wal_checkpoint_v2(db, schema, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  const int kind = code & 0xff;
  return kind == SQLITE_FULL || kind == SQLITE_BUSY || kind == SQLITE_LOCKED ? SQLITE_OK : code;
}

}  // namespace

void Statement::Finalise::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement& Statement::bind(int index, std::int64_t value) {
  WARD_ASSERT(sqlite3_bind_int64(statement_.get(), index, value) == SQLITE_OK);
  return *this;
}
Statement& Statement::bind(int index, double value) {
  WARD_ASSERT(sqlite3_bind_double(statement_.get(), index, value) == SQLITE_OK);
  return *this;
}
Statement& Statement::bind(int index, std::string_view text) {
  WARD_ASSERT(sqlite3_bind_text64(statement_.get(), index, text.data() != nullptr ? text.data() : "", text.size(),
                                  SQLITE_TRANSIENT, SQLITE_UTF8) == SQLITE_OK);
  return *this;
}
Statement& Statement::bind(int index, Bytes blob) {
  static constexpr std::uint8_t kNothing = 0;
  WARD_ASSERT(sqlite3_bind_blob64(statement_.get(), index, blob.empty() ? &kNothing : blob.data(), blob.size(),
                                  SQLITE_TRANSIENT) == SQLITE_OK);
  return *this;
}
Statement& Statement::bind_null(int index) {
  WARD_ASSERT(sqlite3_bind_null(statement_.get(), index) == SQLITE_OK);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  auto* db = sqlite3_db_handle(statement_.get());
  return failure(db, code, path_of(db));
}

Status Statement::run() {
  Result<bool> more = true;
  while (more && *more) more = step();
  reset();
  if (!more) return fail(more.error());
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }
std::string_view Statement::text(int column) const {
  const auto* text = sqlite3_column_text(statement_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return text == nullptr ? std::string_view{} : std::string_view{reinterpret_cast<const char*>(text), size};
}
Bytes Statement::blob(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  return {data, static_cast<std::size_t>(data == nullptr ? 0 : sqlite3_column_bytes(statement_.get(), column))};
}
bool Statement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

void Database::Close::operator()(sqlite3* db) const { sqlite3_close_v2(db); }
Database::Database(sqlite3* db, std::string path) : db_(db), path_(std::move(path)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;
Error Database::failed(int code) const { return failure(db_.get(), code, path_).value(); }

Result<Database> Database::open(const OpenOptions& options) {
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(options.path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                      options.vfs.empty() ? nullptr : options.vfs.c_str());
  Database db(raw, options.path);
  if (code != SQLITE_OK) return failure(raw, code, options.path);
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, 1000);
  std::string setup = options.exclusive ? "PRAGMA locking_mode=EXCLUSIVE;" : "";
  if (options.shrinks) setup += "PRAGMA auto_vacuum=INCREMENTAL;";  // before the first page is written
  setup += "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON;";
  setup += "PRAGMA cache_size=-" + std::to_string(options.cache_bytes / 1024) + ";";
  if (auto done = db.run(setup); !done) return fail(done.error());
  sqlite3_wal_hook(raw, checkpoint_when_long, reinterpret_cast<void*>(std::intptr_t{options.checkpoint_pages}));
  if (options.max_bytes > 0) {
    const auto page = db.scalar("PRAGMA page_size");
    if (!page) return fail(page.error());
    const auto pages = options.max_bytes / static_cast<std::uint64_t>(*page);
    if (auto done = db.run("PRAGMA max_page_count=" + std::to_string(pages)); !done) return fail(done.error());
  }
  return db;
}

Status Database::run(std::string_view sql) {
  const std::string text{sql};
  const int code = sqlite3_exec(db_.get(), text.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure(db_.get(), code, path_);
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code =
      sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return failure(db_.get(), code, path_);
  return Statement(raw);
}

Result<std::int64_t> Database::scalar(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return fail(statement.error());
  const auto row = statement->step();
  if (!row) return fail(row.error());
  return *row ? statement->integer(0) : 0;
}

Status Database::set_durability(Durability durability) {
  return run(durability == Durability::full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
}

Status Database::settle() {
  if (planted(Planted::skip_settle)) return {};
  if (auto copied = run("PRAGMA wal_checkpoint(TRUNCATE)"); !copied) return copied;
  return run("CREATE TABLE IF NOT EXISTS settled(at INTEGER); DELETE FROM settled; INSERT INTO settled VALUES(1)");
}

std::int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(db_.get()); }
std::int64_t Database::changes() const { return sqlite3_changes64(db_.get()); }

Result<std::string> Database::integrity_check() {
  auto statement = prepare("PRAGMA integrity_check(1)");
  if (!statement) return fail(statement.error());
  const auto row = statement->step();
  if (!row) return fail(row.error());
  const auto verdict = *row ? std::string(statement->text(0)) : std::string("no answer");
  return verdict == "ok" ? std::string{} : verdict;
}

Result<Transaction> Transaction::begin(Database& db) {
  if (auto begun = db.run("BEGIN IMMEDIATE"); !begun) return fail(begun.error());
  return Transaction(db);
}

Transaction::~Transaction() {
  if (db_ != nullptr) (void)db_->run("ROLLBACK");  // SQLite has rolled back by itself after some errors; both are fine
}

Status Transaction::commit() {
  WARD_ASSERT(db_ != nullptr);
  if (auto done = db_->run("COMMIT"); !done) return done;
  db_ = nullptr;
  return {};
}

}  // namespace ward::sqlite
