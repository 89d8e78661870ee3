#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/telemetry/metrics.hpp"

namespace ward::collector {

/// Why a sample did not go to a target; the label of ward_remote_storage_samples_dropped_total.
enum class ForwardDrop : std::uint8_t {
  relabelled,   ///< write_relabel_configs says so
  too_old,      ///< queue.max_age
  queue_full,   ///< queue.max_size
  queue_error,  ///< the queue's file could not be written
  damaged       ///< its row, or that of its series, could not be read
};
std::string_view to_string(ForwardDrop reason);
/// Why a target did not take samples it was sent; the label of ward_remote_storage_samples_failed_total.
enum class ForwardFailure : std::uint8_t {
  refused,   ///< it answered that they are wrong
  repeated,  ///< likewise, but an earlier attempt may have stored them: receivers refuse what they have already
  unwritten  ///< it said 2xx and that it wrote fewer, or did not say so where 2.0 asks for it
};
std::string_view to_string(ForwardFailure reason);

/// Metrics of one target, with its name as label `remote`: Prometheus' prometheus_remote_storage_* with `ward_` before.
/// Thread: any.
class ForwardMetrics {
 public:
  ForwardMetrics(telemetry::Registry& metrics, const std::string& remote);

  void dropped(ForwardDrop reason, std::uint64_t samples);
  void failed(ForwardFailure reason, std::uint64_t samples);

  telemetry::Counter &samples, &retried, &bytes, &metadata, &metadata_failed;
  telemetry::Gauge &pending, &shards, &queue_bytes, &queue_capacity, &highest, &highest_sent;
  telemetry::Histogram& duration;

 private:
  telemetry::Registry& registry_;
  Labels remote_;
};

}  // namespace ward::collector
