#include "tests/sim/disk.hpp"

#include <algorithm>
#include <cstring>
#include <sqlite3.h>
#include <utility>

#include "common/base/assert.hpp"

namespace ward::sim {

/// The VFS SQLite sees. Only what WAL with locking_mode=EXCLUSIVE needs.
struct DiskVfs {
  struct Handle {
    sqlite3_file base;
    Disk* disk;
    std::shared_ptr<Disk::File>* file;
    std::uint64_t life;
    bool delete_on_close;
    std::string* path;
  };

  explicit DiskVfs(Disk& owner) : disk(owner) {
    auto* real = sqlite3_vfs_find(nullptr);
    vfs = sqlite3_vfs{};
    vfs.iVersion = 1;
    vfs.szOsFile = sizeof(Handle);
    vfs.mxPathname = 512;
    vfs.zName = owner.name_.c_str();
    vfs.pAppData = &owner;
    vfs.xOpen = open;
    vfs.xDelete = remove;
    vfs.xAccess = access;
    vfs.xFullPathname = full_path;
    vfs.xRandomness = [](sqlite3_vfs* v, int n, char* out) {
      auto& random = static_cast<Disk*>(v->pAppData)->random_;
      for (int i = 0; i < n; ++i) out[i] = static_cast<char>(random());
      return n;
    };
    vfs.xSleep = [](sqlite3_vfs*, int) { return 0; };
    vfs.xCurrentTime = [](sqlite3_vfs*, double* t) {
      *t = 2460000.5;  // nothing in our schemas asks for the time
      return SQLITE_OK;
    };
    (void)real;
    WARD_ASSERT(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
  }
  ~DiskVfs() { sqlite3_vfs_unregister(&vfs); }

  static Handle* self(sqlite3_file* f) { return reinterpret_cast<Handle*>(f); }
  static bool dead(sqlite3_file* f) { return self(f)->life != self(f)->disk->life_ || self(f)->disk->crashed_; }
  /// The same for a call that would change something: it counts towards the crash.
  static bool dies(sqlite3_file* f) {
    if (!dead(f)) self(f)->disk->count_operation();
    return dead(f);
  }

  static int open(sqlite3_vfs* v, const char* name, sqlite3_file* f, int flags, int* out_flags) {
    auto* disk = static_cast<Disk*>(v->pAppData);
    auto* handle = self(f);
    handle->base.pMethods = nullptr;
    if (disk->crashed_) return SQLITE_CANTOPEN;
    const std::string path = name != nullptr ? name : "temporary";
    auto at = disk->files_.find(path);
    if (at == disk->files_.end()) {
      if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
      at = disk->files_.emplace(path, std::make_shared<Disk::File>()).first;
    }
    static const sqlite3_io_methods methods = make_methods();
    handle->disk = disk;
    handle->file = new std::shared_ptr<Disk::File>(at->second);
    handle->path = new std::string(path);
    handle->life = disk->life_;
    disk->alive_ = true;
    handle->delete_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    handle->base.pMethods = &methods;
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
  }

  static sqlite3_io_methods make_methods() {
    sqlite3_io_methods m{};
    m.iVersion = 1;
    m.xClose = close;
    m.xRead = read;
    m.xWrite = write;
    m.xTruncate = truncate;
    m.xSync = sync;
    m.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
      *size = static_cast<sqlite3_int64>((*self(f)->file)->cache.size());
      return SQLITE_OK;
    };
    m.xLock = [](sqlite3_file*, int) { return SQLITE_OK; };
    m.xUnlock = [](sqlite3_file*, int) { return SQLITE_OK; };
    m.xCheckReservedLock = [](sqlite3_file*, int* held) {
      *held = 0;
      return SQLITE_OK;
    };
    m.xFileControl = [](sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; };
    m.xSectorSize = [](sqlite3_file*) { return static_cast<int>(Disk::kSector); };
    m.xDeviceCharacteristics = [](sqlite3_file* f) {
      return self(f)->disk->powersafe_ ? SQLITE_IOCAP_POWERSAFE_OVERWRITE : 0;
    };
    return m;
  }

  static int close(sqlite3_file* f) {
    auto* handle = self(f);
    if (handle->delete_on_close && !dead(f)) handle->disk->files_.erase(*handle->path);
    delete handle->file;
    delete handle->path;
    return SQLITE_OK;
  }

  static int read(sqlite3_file* f, void* into, int n, sqlite3_int64 at) {
    const auto& cache = (*self(f)->file)->cache;
    const auto from = static_cast<std::size_t>(at);
    const auto wanted = static_cast<std::size_t>(n);
    const auto there = from >= cache.size() ? 0 : std::min(wanted, cache.size() - from);
    if (there > 0) std::memcpy(into, cache.data() + from, there);
    std::memset(static_cast<char*>(into) + there, 0, wanted - there);
    return there == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  }

  static int write(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
    if (dies(f)) return SQLITE_IOERR_WRITE;
    auto& file = **self(f)->file;
    const auto begin = static_cast<std::size_t>(at);
    const auto end = begin + static_cast<std::size_t>(n);
    if (end > file.cache.size()) {
      self(f)->disk->count_growth();
      if (self(f)->disk->full_) return SQLITE_FULL;
      file.cache.resize(end);
    }
    std::memcpy(file.cache.data() + begin, from, static_cast<std::size_t>(n));
    for (auto s = begin / Disk::kSector; s <= (end - 1) / Disk::kSector; ++s) {
      file.dirty.insert(s);
      file.ghost.erase(s);
    }
    return SQLITE_OK;
  }

  static int truncate(sqlite3_file* f, sqlite3_int64 size) {
    if (dies(f)) return SQLITE_IOERR_TRUNCATE;
    auto& file = **self(f)->file;
    const auto cut = static_cast<std::size_t>(size);
    file.cache.resize(cut);
    file.least = std::min(file.least, cut);
    // What was to be written beyond the end is no more.
    const auto first_gone = (cut + Disk::kSector - 1) / Disk::kSector;
    file.dirty.erase(file.dirty.lower_bound(first_gone), file.dirty.end());
    file.ghost.erase(file.ghost.lower_bound(first_gone), file.ghost.end());
    return SQLITE_OK;
  }

  static int sync(sqlite3_file* f, int) {
    if (dies(f)) return SQLITE_IOERR_FSYNC;
    auto* disk = self(f)->disk;
    auto& file = **self(f)->file;
    ++disk->syncs_;
    if (disk->syncs_left_ > 0 && --disk->syncs_left_ == 0) {
      file.ghost.insert(file.dirty.begin(), file.dirty.end());
      file.dirty.clear();
      return SQLITE_IOERR_FSYNC;
    }
    file.exists_durably = true;
    file.durable.resize(std::min(file.least, file.durable.size()));
    file.durable.resize(file.cache.size());
    file.least = file.cache.size();
    for (const auto sector : file.dirty) copy_sector(file, sector);
    file.dirty.clear();
    return SQLITE_OK;
  }

  static void copy_sector(Disk::File& file, std::size_t sector) {
    const auto begin = sector * Disk::kSector;
    if (begin >= file.cache.size()) return;
    const auto end = std::min(begin + Disk::kSector, file.cache.size());
    if (file.durable.size() < end) file.durable.resize(end);
    std::copy(file.cache.begin() + static_cast<std::ptrdiff_t>(begin), file.cache.begin() + static_cast<std::ptrdiff_t>(end),
              file.durable.begin() + static_cast<std::ptrdiff_t>(begin));
  }

  static int remove(sqlite3_vfs* v, const char* name, int) {
    auto* disk = static_cast<Disk*>(v->pAppData);
    if (disk->alive_) disk->count_operation();
    if (!disk->alive_ || disk->crashed_) return SQLITE_IOERR_DELETE;  // a destructor of a killed process
    return disk->files_.erase(name) > 0 ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
  }
  static int access(sqlite3_vfs* v, const char* name, int, int* out) {
    *out = static_cast<Disk*>(v->pAppData)->files_.contains(name) ? 1 : 0;
    return SQLITE_OK;
  }
  static int full_path(sqlite3_vfs*, const char* name, int n, char* out) {
    sqlite3_snprintf(n, out, "%s", name);
    return SQLITE_OK;
  }

  Disk& disk;
  sqlite3_vfs vfs{};
};

Disk::Disk(std::string name, std::uint64_t seed) : name_(std::move(name)), random_(seed), powersafe_(seed % 3 != 0) {
  registered_ = std::make_unique<DiskVfs>(*this);
}
Disk::~Disk() = default;

void Disk::count_operation() {
  if (operations_left_ > 0 && --operations_left_ == 0) crashed_ = true;
}

void Disk::count_growth() {
  if (growths_left_ > 0 && --growths_left_ == 0) full_ = true;
}

void Disk::power_loss() {
  kill_writers();
  for (auto it = files_.begin(); it != files_.end();) {
    auto& file = *it->second;
    // A file whose directory entry was never forced may be gone as a whole.
    if (!file.exists_durably && (random_() & 1) != 0) {
      it = files_.erase(it);
      continue;
    }
    for (const auto sector : file.dirty)
      if ((random_() & 1) != 0) DiskVfs::copy_sector(file, sector);
    file.cache = file.durable;
    file.least = file.cache.size();
    file.dirty.clear();
    file.ghost.clear();
    file.exists_durably = true;
    ++it;
  }
}

void Disk::wipe() {
  kill_writers();
  files_.clear();
}

bool Disk::damage(const std::string& path) {
  const auto at = files_.find(path);
  if (at == files_.end() || at->second->cache.size() < 2 * 4096) return false;
  auto& cache = at->second->cache;
  // Not the first page: a database without header is found at once; deep damage is the harder case.
  const auto byte = 4096 + random_() % (cache.size() - 4096);
  if (random_() % 2 == 0) {
    cache[byte] = static_cast<std::uint8_t>(cache[byte] ^ (1u << (random_() % 8)));
  } else {
    const auto sector = static_cast<std::ptrdiff_t>(byte / kSector * kSector);
    std::fill_n(cache.begin() + sector, std::min<std::ptrdiff_t>(kSector, std::ssize(cache) - sector), std::uint8_t{0});
  }
  at->second->dirty.insert(byte / kSector);
  return true;
}

std::vector<std::uint8_t> Disk::bytes(const std::string& path) const {
  const auto at = files_.find(path);
  return at == files_.end() ? std::vector<std::uint8_t>{} : at->second->cache;
}

void Disk::put(const std::string& path, std::vector<std::uint8_t> bytes) {
  auto file = std::make_shared<File>();
  file->cache = file->durable = std::move(bytes);
  file->least = file->cache.size();
  file->exists_durably = true;
  files_[path] = std::move(file);
}

std::uint64_t Disk::size(const std::string& path) const {
  const auto at = files_.find(path);
  return at == files_.end() ? 0 : at->second->cache.size();
}

}  // namespace ward::sim
