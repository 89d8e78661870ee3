#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace ward::collector {

/// Refused series counted by the metric they are of. The first kMost names are told apart, the rest is kOther: a sender may
/// make names up. Thread: not safe, its owner guards it.
class RefusedByMetric {
 public:
  static constexpr std::size_t kMost = 100;
  static constexpr std::size_t kLongestName = 200;
  static constexpr std::string_view kOther = "other";

  /// The name it was counted under, good as the label of a metric.
  std::string_view add(std::string_view metric, std::uint64_t series);
  [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& by_metric() const { return by_metric_; }
  /// The metric with the most; empty when there is none.
  [[nodiscard]] std::string_view largest() const;

 private:
  std::map<std::string, std::uint64_t, std::less<>> by_metric_;
};

}  // namespace ward::collector
