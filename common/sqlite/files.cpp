#include "common/sqlite/files.hpp"

#include <algorithm>
#include <sqlite3.h>
#include <utility>
#include <vector>

namespace ward::sqlite {
namespace {

tl::unexpected<Error> failure(const std::string& path, const char* doing) {
  return fail(Errc::unavailable, "'" + path + "' could not be " + doing, "Check the disk and the rights of its folder.");
}

constexpr std::size_t kPiece = 64 << 10;  // SQLite's own file layer takes less than 128 KiB at once

sqlite3_vfs* find_vfs(const std::string& name) { return sqlite3_vfs_find(name.empty() ? nullptr : name.c_str()); }

}  // namespace

/// An open file of a VFS; the struct SQLite wants is of a size only the VFS knows.
struct File::Raw {
  Raw(sqlite3_vfs* vfs, const std::string& file_path, int flags)
      : storage(static_cast<std::size_t>(vfs->szOsFile)),
        path(file_path),
        name(file_path + '\0' + '\0') {  // SQLite asks for a second terminating NUL behind file names (URI parameters)
    int got = 0;
    open = vfs->xOpen(vfs, name.c_str(), file(), flags, &got) == SQLITE_OK;
  }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;
  ~Raw() {
    if (open && file()->pMethods != nullptr) file()->pMethods->xClose(file());
  }
  sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(storage.data()); }
  std::vector<char> storage;
  std::string path;
  std::string name;
  bool open = false;
};

File::File(std::unique_ptr<Raw> raw) : raw_(std::move(raw)) {}
File::File(File&&) noexcept = default;
File& File::operator=(File&&) noexcept = default;
File::~File() = default;

Result<File> File::open(const std::string& vfs_name, const std::string& path, Mode mode) {
  auto* vfs = find_vfs(vfs_name);
  const bool create = mode == Mode::create;
  if (vfs == nullptr) return failure(path, create ? "created" : "opened");
  const int how = create ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  auto raw = std::make_unique<Raw>(vfs, path, how | SQLITE_OPEN_MAIN_DB);
  if (!raw->open) return failure(path, create ? "created" : "opened");
  return File(std::move(raw));
}

Result<std::uint64_t> File::size() {
  sqlite3_int64 size = 0;
  if (raw_->file()->pMethods->xFileSize(raw_->file(), &size) != SQLITE_OK) return failure(raw_->path, "measured");
  return static_cast<std::uint64_t>(size);
}

Status File::read(std::span<std::uint8_t> into, std::uint64_t at) {
  for (; !into.empty(); into = into.subspan(std::min(kPiece, into.size())), at += kPiece) {
    const auto n = static_cast<int>(std::min(kPiece, into.size()));
    const int code = raw_->file()->pMethods->xRead(raw_->file(), into.data(), n, static_cast<sqlite3_int64>(at));
    if (code == SQLITE_IOERR_SHORT_READ)
      return fail(Errc::corrupt, "'" + raw_->path + "' is shorter than it was", "Check its disk.");
    if (code != SQLITE_OK) return failure(raw_->path, "read");
  }
  return {};
}

Status File::write(std::span<const std::uint8_t> from, std::uint64_t at) {
  for (; !from.empty(); from = from.subspan(std::min(kPiece, from.size())), at += kPiece) {
    const auto n = static_cast<int>(std::min(kPiece, from.size()));
    const int code = raw_->file()->pMethods->xWrite(raw_->file(), from.data(), n, static_cast<sqlite3_int64>(at));
    if (code == SQLITE_FULL)
      return fail(Errc::full, "'" + raw_->path + "' could not be written: the disk is full", "Free space on its volume.");
    if (code != SQLITE_OK) return failure(raw_->path, "written");
  }
  return {};
}

Status File::sync() {
  if (raw_->file()->pMethods->xSync(raw_->file(), SQLITE_SYNC_NORMAL) != SQLITE_OK) return failure(raw_->path, "synced");
  return {};
}

Result<bool> file_exists(const std::string& vfs_name, const std::string& path) {
  auto* vfs = find_vfs(vfs_name);
  int found = 0;
  if (vfs == nullptr || vfs->xAccess(vfs, path.c_str(), SQLITE_ACCESS_EXISTS, &found) != SQLITE_OK)
    return failure(path, "looked up");
  return found != 0;
}

Status copy_file(const std::string& vfs_name, const std::string& from, const std::string& to) {
  auto source = File::open(vfs_name, from, File::Mode::read);
  if (!source) return fail(source.error());
  // An older copy may be longer.
  if (auto removed = remove_file(vfs_name, to); !removed) return removed;
  auto target = File::open(vfs_name, to, File::Mode::create);
  if (!target) return fail(target.error());
  const auto size = source->size();
  if (!size) return fail(size.error());
  std::vector<std::uint8_t> block(kPiece);
  for (std::uint64_t at = 0; at < *size; at += block.size()) {
    const auto piece = std::span(block).first(std::min<std::uint64_t>(block.size(), *size - at));
    if (auto got = source->read(piece, at); !got) return got;
    if (auto put = target->write(piece, at); !put) return put;
  }
  return target->sync();
}

Status remove_file(const std::string& vfs_name, const std::string& path) {
  auto* vfs = find_vfs(vfs_name);
  if (vfs == nullptr) return failure(path, "removed");
  const int code = vfs->xDelete(vfs, path.c_str(), 1);
  if (code != SQLITE_OK && code != SQLITE_IOERR_DELETE_NOENT) return failure(path, "removed");
  return {};
}

}  // namespace ward::sqlite
