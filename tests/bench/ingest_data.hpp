#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/model/labels.hpp"
#include "common/model/sample.hpp"

namespace ward::bench {

/// Series as a cluster's exporters have them (node_exporter, the kubelet's, kube-state-metrics, a service's histogram): nine
/// to eleven labels, 125 series a target, each target sampled every 15 s with some milliseconds of jitter. Of ten series
/// four are counters of noisy growth, one grows evenly, two are gauges and three never change. The same in every run;
/// nothing is kept between rounds. Threads: any.
class IngestData {
 public:
  static constexpr milliseconds kInterval{15'000};
  static constexpr std::size_t kPerTarget = 125;
  IngestData(std::size_t series, Time start);

  [[nodiscard]] const std::vector<Labels>& series() const { return labels_; }
  [[nodiscard]] Sample at(std::size_t series, std::size_t round) const;

 private:
  std::vector<Labels> labels_;
  Time start_;
};

}  // namespace ward::bench
