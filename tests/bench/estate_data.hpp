#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/model/labels.hpp"
#include "common/model/sample.hpp"

namespace ward::bench {

/// A made-up estate for measuring storage and queries: 25,000 request counters of 20 tenants and 6,000 buckets of one
/// latency histogram, sampled each 15 s with a few milliseconds of jitter. The same numbers in every run and for every
/// program that is measured. Thread: the one that owns it.
class EstateData {
 public:
  static constexpr milliseconds kInterval{15'000};
  /// `busy`: all series are counters of noisy growth but a tenth that stands still, the hardest case for the coding; each of
  /// a pod of its own, the hardest for the index. `mixed`: ten series a pod, as exporters have many; four are such counters,
  /// one grows evenly, two are gauges (a whole number, hundredths) and three never change. `strangers`: the same, each of a
  /// pod of its own.
  enum class Kind : std::uint8_t { busy, mixed, strangers };
  EstateData(std::size_t counters, std::size_t histograms, Time start, Kind kind = Kind::busy,
             milliseconds interval = kInterval);
  [[nodiscard]] const std::vector<Labels>& series() const { return labels_; }
  /// The next round: one sample of each series, in the order of series().
  void next_round(std::vector<Sample>& out);

 private:
  struct State {
    double value = 0;
    std::uint32_t pace = 0;  ///< mean growth a round; 0 never moves
  };
  std::uint64_t random();
  void move_on(State& state, std::size_t n);

  std::vector<Labels> labels_;
  std::vector<State> states_;
  std::vector<std::uint64_t> buckets_;  ///< not cumulative, kBounds of them a histogram
  std::size_t counters_ = 0;
  Kind kind_;
  milliseconds interval_;
  Time at_;
  std::uint64_t seed_ = 20'261'122;
};

/// `name{label="value",...}`, for promtool: OpenMetrics allows no space. The estate's values need no escapes.
[[nodiscard]] std::string openmetrics_series(const Labels& labels);

}  // namespace ward::bench
