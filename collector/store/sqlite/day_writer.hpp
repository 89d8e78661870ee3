#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collector/store/sqlite/days.hpp"
#include "common/model/sample.hpp"

namespace ward::collector {

/// One batch of chunks on its way to their days. Series come by tenant, then number, rising. Chunks that reach over midnight
/// are cut. After an error nothing of the batch counts; the next attempt takes the same number.
class DayWriter {
 public:
  struct Source {
    std::function<Labels(SeriesRef)> labels;
    std::function<std::optional<Day>(SeriesRef)> stored;  ///< the newest day that has it
  };
  DayWriter(Days& days, std::int64_t batch, Source source) : days_(days), batch_(batch), source_(std::move(source)) {}

  /// Errors: corrupt (the chunk cannot be cut), and those of Days::write().
  Status add(const std::string& tenant, SeriesRef series, Time t_min, Time t_max, wire::ByteView chunk);
  /// On disk when it returns.
  Status finish();
  /// The newest day of each series added, where it is newer than `stored` said.
  [[nodiscard]] const std::map<SeriesRef, Day>& newest() const { return newest_; }

 private:
  struct Pending {
    DayBlockBuilder builder;
    std::vector<DayBlock> blocks;
    std::vector<NewSeries> series;
    SeriesRef last{};
    bool fresh = true;
  };
  Status put(Day day, SeriesRef series, Time t_min, Time t_max, wire::ByteView chunk);
  Status flush();
  void close_block(Pending& pending);

  Days& days_;
  std::int64_t batch_;
  Source source_;
  std::string tenant_;
  std::map<Day, Pending> pending_;
  std::map<SeriesRef, Day> newest_;
  std::size_t bytes_ = 0;
};

}  // namespace ward::collector
