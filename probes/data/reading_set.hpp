#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/model/sample.hpp"

namespace ward::probes::data {

/// What was lost to caps and filters since the probe started; kept by the probe, reported with every run.
struct DropCounts {
  std::map<std::string, std::uint64_t, std::less<>> dropped;  ///< by reason: metric_cap, target_cap, duplicate, row_cap
  std::uint64_t redacted = 0;
};

/// Collects the readings of one run under the caps of facts: probe-safety 4: 300 series a metric, 5000 a target, one value
/// a label set. All label values pass the deny filter, except identifiers that are numbers or digests by nature.
/// What does not fit is counted in `drops`, which must outlive the set.
class ReadingSet {
 public:
  /// What happens to a second value of the same series.
  enum class Twice { drop, sum, max };
  struct Caps {
    std::size_t per_metric = 300;
    std::size_t per_target = 5000;
  };
  explicit ReadingSet(DropCounts& drops) : ReadingSet(drops, Caps{}) {}
  ReadingSet(DropCounts& drops, Caps caps) : drops_(&drops), caps_(caps) {}

  void add(std::string_view metric, Labels labels, double value, Twice twice = Twice::drop);
  void count_drop(std::string_view reason, std::uint64_t count = 1);
  /// The readings and ward_series_dropped_total{reason}, ward_label_values_redacted_total; the set is empty afterwards.
  [[nodiscard]] Readings take();

 private:
  [[nodiscard]] Labels filtered(const Labels& labels);
  DropCounts* drops_;
  Caps caps_;
  Readings readings_;
  std::unordered_map<std::string, std::size_t> per_metric_;
  std::unordered_map<Labels, std::size_t> index_;  ///< full series to its place in readings_
};

}  // namespace ward::probes::data
