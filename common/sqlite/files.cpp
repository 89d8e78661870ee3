#include "common/sqlite/files.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace ward::sqlite {
namespace {

tl::unexpected<Error> failure(const std::string& path, const char* doing) {
  return fail(Errc::unavailable, "'" + path + "' could not be " + doing, "Check the disk and the rights of its folder.");
}

/// An open file of a VFS; the struct SQLite wants is of a size only the VFS knows.
class RawFile {
 public:
  RawFile(sqlite3_vfs* vfs, const std::string& path, int flags) : storage_(static_cast<std::size_t>(vfs->szOsFile)) {
    int got = 0;
    // SQLite asks for a second terminating NUL behind file names (URI parameters).
    name_ = path + '\0' + '\0';
    open_ = vfs->xOpen(vfs, name_.c_str(), file(), flags, &got) == SQLITE_OK;
  }
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;
  ~RawFile() {
    if (open_ && file()->pMethods != nullptr) file()->pMethods->xClose(file());
  }
  [[nodiscard]] bool is_open() const { return open_; }
  sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(storage_.data()); }

 private:
  std::vector<char> storage_;
  std::string name_;
  bool open_ = false;
};

sqlite3_vfs* find_vfs(const std::string& name) { return sqlite3_vfs_find(name.empty() ? nullptr : name.c_str()); }

}  // namespace

Result<bool> file_exists(const std::string& vfs_name, const std::string& path) {
  auto* vfs = find_vfs(vfs_name);
  int found = 0;
  if (vfs == nullptr || vfs->xAccess(vfs, path.c_str(), SQLITE_ACCESS_EXISTS, &found) != SQLITE_OK) return failure(path, "looked up");
  return found != 0;
}

Status copy_file(const std::string& vfs_name, const std::string& from, const std::string& to) {
  auto* vfs = find_vfs(vfs_name);
  if (vfs == nullptr) return failure(from, "opened");
  RawFile source(vfs, from, SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB);
  if (!source.is_open()) return failure(from, "opened");
  RawFile target(vfs, to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB);
  if (!target.is_open()) return failure(to, "created");
  sqlite3_int64 size = 0;
  if (source.file()->pMethods->xFileSize(source.file(), &size) != SQLITE_OK) return failure(from, "measured");
  std::vector<char> block(64 << 10);
  for (sqlite3_int64 at = 0; at < size; at += static_cast<sqlite3_int64>(block.size())) {
    const auto n = static_cast<int>(std::min<sqlite3_int64>(static_cast<sqlite3_int64>(block.size()), size - at));
    if (source.file()->pMethods->xRead(source.file(), block.data(), n, at) != SQLITE_OK) return failure(from, "read");
    if (target.file()->pMethods->xWrite(target.file(), block.data(), n, at) != SQLITE_OK) return failure(to, "written");
  }
  if (target.file()->pMethods->xTruncate(target.file(), size) != SQLITE_OK) return failure(to, "written");
  if (target.file()->pMethods->xSync(target.file(), SQLITE_SYNC_NORMAL) != SQLITE_OK) return failure(to, "synced");
  return {};
}

Status remove_file(const std::string& vfs_name, const std::string& path) {
  auto* vfs = find_vfs(vfs_name);
  if (vfs == nullptr) return failure(path, "removed");
  const int code = vfs->xDelete(vfs, path.c_str(), 1);
  if (code != SQLITE_OK && code != SQLITE_IOERR_DELETE_NOENT) return failure(path, "removed");
  return {};
}

}  // namespace ward::sqlite
