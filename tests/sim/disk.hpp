#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace ward::sim {

/// A simulated volume behind a SQLite VFS, so that the spool's and the journal's own code runs on it. Writes land in a
/// page cache (it survives kill -9); xSync makes them durable; power loss keeps durable bytes and, sector by sector at
/// random, some of the rest. A failed sync marks pages clean without writing them, as Linux does ("fsyncgate").
class Disk {
 public:
  explicit Disk(std::string name, std::uint64_t seed);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  /// Name to open databases with (sqlite::OpenOptions::vfs).
  [[nodiscard]] const std::string& vfs() const { return name_; }

  /// The process is gone: open handles go on to exist in its destructors, but nothing they do counts any more.
  void kill_writers() {
    ++life_;
    alive_ = crashed_ = false;
    operations_left_ = 0;
  }
  /// Kills the process in the middle of what it does: the n-th write, truncation, sync or removal from now on is not done
  /// any more, nor anything after it. crashed() tells the owner to bury it (kill_writers).
  void crash_after(std::uint64_t operations) { operations_left_ = operations; }
  [[nodiscard]] bool crashed() const { return crashed_; }
  /// Before a start: the one before may have crashed half-way.
  void bury() {
    if (crashed_) kill_writers();
  }
  void power_loss();
  void wipe();
  /// Flips one bit somewhere in a file or empties a sector (a lost write); false when there is nothing to damage.
  bool damage(const std::string& path);
  void set_full(bool full) {
    full_ = full;
    growths_left_ = 0;
  }
  /// Full from the n-th write that would make a file longer, until set_full(false).
  void fill_after(std::uint64_t growths) { growths_left_ = growths; }
  void fail_next_sync() { fail_sync_after(1); }
  /// The n-th sync from now on fails, alone.
  void fail_sync_after(std::uint64_t syncs) { syncs_left_ = syncs; }
  [[nodiscard]] bool full() const { return full_; }
  [[nodiscard]] bool sync_failed() const { return syncs_left_ == 0; }
  [[nodiscard]] std::uint64_t size(const std::string& path) const;
  /// What a reader of the file sees now; empty when there is none.
  [[nodiscard]] std::vector<std::uint8_t> bytes(const std::string& path) const;
  /// Puts a file there, forced to disk; only while no process has it open.
  void put(const std::string& path, std::vector<std::uint8_t> bytes);
  void remove(const std::string& path) { files_.erase(path); }
  [[nodiscard]] std::uint64_t syncs() const { return syncs_; }

 private:
  friend struct DiskVfs;
  static constexpr std::size_t kSector = 512;
  struct File {
    std::vector<std::uint8_t> cache;
    std::vector<std::uint8_t> durable;
    bool exists_durably = false;
    std::size_t least = 0;        // size it was cut to since the last sync: beyond it `durable` holds a former life's bytes
    std::set<std::size_t> dirty;  // sectors whose cache differs from durable
    std::set<std::size_t> ghost;  // sectors a failed sync forgot: clean to the kernel, never written
  };
  void count_operation();
  void count_growth();

  std::string name_;
  std::mt19937_64 random_;
  std::map<std::string, std::shared_ptr<File>> files_;
  std::uint64_t life_ = 1;
  std::uint64_t operations_left_ = 0;
  bool crashed_ = false;
  bool alive_ = false;  // a process has opened something since the last kill
  bool powersafe_;      // SQLITE_IOCAP_POWERSAFE_OVERWRITE: on ordinary disks; without it SQLite pads and writes differently
  bool full_ = false;
  std::uint64_t growths_left_ = 0;
  std::uint64_t syncs_left_ = 0;
  std::uint64_t syncs_ = 0;
  std::unique_ptr<struct DiskVfs> registered_;
};

}  // namespace ward::sim
