#include "collector/store/volume/volume.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <utility>

namespace ward::collector {
namespace {

class RealVolume final : public VolumeFace {
 public:
  explicit RealVolume(const std::string& folder) : folder_(folder), file_(folder + "/reserve") {}

  Result<Space> space() override {
    struct statvfs stats {};
    if (::statvfs(folder_.c_str(), &stats) != 0)
      return fail(Errc::unavailable, "the free space of '" + folder_ + "' cannot be read: " + std::strerror(errno),
                  "Check the volume.");
    return Space{std::uint64_t{stats.f_bavail} * stats.f_frsize, std::uint64_t{stats.f_blocks} * stats.f_frsize};
  }

  Status take(std::uint64_t bytes) override {
    const int file = ::open(file_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0) return refused(errno);
    const int code = ::posix_fallocate(file, 0, static_cast<off_t>(bytes));
    ::close(file);
    if (code == 0) return {};
    give_back();
    return refused(code);
  }

  void give_back() override { ::unlink(file_.c_str()); }
  bool taken() override { return ::access(file_.c_str(), F_OK) == 0; }

 private:
  Status refused(int code) const {
    return fail(code == ENOSPC || code == EDQUOT ? Errc::full : Errc::unavailable,
                "the reserve '" + file_ + "' cannot be made: " + std::strerror(code), "Free space on its volume.");
  }
  std::string folder_;
  std::string file_;
};

std::uint64_t reserve_of(const VolumeFace::Space& space) {
  return std::clamp(space.size / 64, DataVolume::kLeastReserve, DataVolume::kMostReserve);
}
// What must be free beside the reserve before the journal writes again: else it would be full again at once.
std::uint64_t margin_of(const VolumeFace::Space& space) { return reserve_of(space) / 8; }

}  // namespace

std::unique_ptr<VolumeFace> real_volume(const std::string& folder) { return std::make_unique<RealVolume>(folder); }

std::string print_bytes(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto tenths = bytes * 10;
  std::size_t unit = 0;
  for (; tenths >= 10'240 && unit + 1 < std::size(kUnits); ++unit) tenths /= 1'024;
  const auto whole = std::to_string(tenths / 10);
  return (unit == 0 ? whole : whole + "." + std::to_string(tenths % 10)) + " " + kUnits[unit];
}

void DataVolume::adopt() {
  const std::scoped_lock lock(mutex_);
  held_ = face_->taken();
}

Status DataVolume::hold() {
  const std::scoped_lock lock(mutex_);
  if (held_) return {};
  const auto room = face_->space();
  if (!room) return fail(room.error());
  const auto reserve = reserve_of(*room);
  const auto needed = reserve + margin_of(*room);
  if (room->free < needed)
    return fail(Errc::full,
                "data_dir '" + folder_ + "': no space left on device, " + print_bytes(room->free) + " of " +
                    print_bytes(room->size) + " are free and " + print_bytes(needed) + " are needed",
                "Free space on the volume of data_dir, or make it larger.");
  if (auto taken = face_->take(reserve); !taken) return taken;
  held_ = true;
  return {};
}

bool DataVolume::give_up() {
  const std::scoped_lock lock(mutex_);
  if (!held_) return false;
  held_ = false;
  face_->give_back();
  return true;
}

bool DataVolume::held() const {
  const std::scoped_lock lock(mutex_);
  return held_;
}

Error DataVolume::explain(const Error& refused) const {
  if (refused.code != Errc::full) return refused;
  const auto room = face_->space();
  if (!room) return refused;
  const auto free = print_bytes(room->free) + " of " + print_bytes(room->size);
  if (room->free >= margin_of(*room) && held())
    return {Errc::full, "the journal is full: " + refused.what + "; its volume has free space " + free,
            "Raise ingest.max_journal_size, or shorten the retention."};
  return {Errc::full, "data_dir '" + folder_ + "': no space left on device, free space " + free,
          "Free space on the volume of data_dir, or make it larger."};
}

}  // namespace ward::collector
