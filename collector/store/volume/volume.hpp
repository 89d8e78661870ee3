#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "common/base/result.hpp"
#include "common/base/thread_annotations.hpp"

namespace ward::collector {

/// What DataVolume asks of the file system.
class VolumeFace {
 public:
  struct Space {
    std::uint64_t free = 0;  ///< bytes this user may still write
    std::uint64_t size = 0;
    friend bool operator==(const Space&, const Space&) = default;
  };
  virtual ~VolumeFace() = default;
  virtual Result<Space> space() = 0;
  /// Makes the reserve: `bytes` of room that are really taken. Errc::full when there are not so many; then none are taken.
  virtual Status take(std::uint64_t bytes) = 0;
  virtual void give_back() = 0;
  /// Whether a former process left its reserve.
  virtual bool taken() = 0;
};
/// The volume under a folder; the reserve is the file `<folder>/reserve`.
std::unique_ptr<VolumeFace> real_volume(const std::string& folder);

/// The volume under data_dir and a reserve on it. When the volume is full the reserve is given up for the state of alerts
/// and the messages of a page: whoever must mend the disk has to hear of it. The journal may not write until the reserve
/// could be taken again, or it would fill that room within a second. Thread: any.
class DataVolume {
 public:
  /// A sixty-fourth of the volume, within these: 8 MiB hold the state of thousands of incidents.
  static constexpr std::uint64_t kLeastReserve = 256 << 10;
  static constexpr std::uint64_t kMostReserve = 8 << 20;

  DataVolume(std::string folder, std::unique_ptr<VolumeFace> face) : folder_(std::move(folder)), face_(std::move(face)) {}

  /// At start: what a former process reserved is ours.
  void adopt();
  /// Takes the reserve if there is room for it. Errc::full says how much is free.
  Status hold();
  /// Gives the reserve up; false when there was none.
  bool give_up();
  /// For the journal: fine while the reserve is held or can be taken again.
  Status may_write() { return hold(); }
  [[nodiscard]] bool held() const;
  [[nodiscard]] Result<VolumeFace::Space> space() const { return face_->space(); }
  /// A refused write in the operator's words: the volume is full, or only what refused has reached its own cap.
  [[nodiscard]] Error explain(const Error& refused) const;

 private:
  const std::string folder_;
  const std::unique_ptr<VolumeFace> face_;
  mutable std::mutex mutex_;
  bool held_ WARD_GUARDED_BY(mutex_) = false;
};

/// "12.0 MiB"; for people.
std::string print_bytes(std::uint64_t bytes);

}  // namespace ward::collector
