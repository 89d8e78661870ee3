#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "collector/store/sqlite/day_file.hpp"

namespace ward::collector {

/// Which blocks a day has, in memory: 40 bytes for each 64 KiB.
class DayDirectory {
 public:
  DayDirectory() = default;
  /// In DayFile::entries()' order.
  explicit DayDirectory(std::span<const DayFile::Entry> entries);
  /// Blocks of a tenant that may hold chunks of series from `first` to `last` in [from, to].
  void find(std::string_view tenant, SeriesRef first, SeriesRef last, Time from, Time to,
            const std::function<void(const DayBlock&)>& take) const;

  [[nodiscard]] bool has_tenant(const std::function<bool(const std::string&)>& which) const;
  /// All blocks, those of the newest batch first.
  void each_from_newest(const std::function<void(const DayBlock&)>& take) const;

 private:
  struct Place {
    std::int64_t id = 0;
    SeriesRef first{};
    SeriesRef last{};
    Time t_min;
    Time t_max;
  };
  /// Blocks of one tenant and batch: their series rise from block to block.
  struct Run {
    std::string tenant;
    std::int64_t batch = 0;
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  static DayBlock block(const Run& run, const Place& place);

  std::vector<Place> places_;
  std::vector<Run> runs_;
};

}  // namespace ward::collector
