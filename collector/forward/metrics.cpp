#include "collector/forward/metrics.hpp"

namespace ward::collector {
namespace {

constexpr std::string_view kDropped = "ward_remote_storage_samples_dropped_total";
constexpr std::string_view kDroppedHelp = "Samples not sent to a target of remote write, by reason.";
constexpr std::string_view kFailed = "ward_remote_storage_samples_failed_total";
constexpr std::string_view kFailedHelp = "Samples sent to a target of remote write that it did not take, by reason.";

}  // namespace

std::string_view to_string(ForwardDrop reason) {
  switch (reason) {
    case ForwardDrop::relabelled: return "relabelled";
    case ForwardDrop::too_old: return "too_old";
    case ForwardDrop::queue_full: return "queue_full";
    case ForwardDrop::queue_error: return "queue_error";
    case ForwardDrop::damaged: return "damaged";
  }
  return "unknown";
}

std::string_view to_string(ForwardFailure reason) {
  switch (reason) {
    case ForwardFailure::refused: return "refused";
    case ForwardFailure::repeated: return "repeated";
    case ForwardFailure::unwritten: return "unwritten";
  }
  return "unknown";
}

ForwardMetrics::ForwardMetrics(telemetry::Registry& metrics, const std::string& remote)
    : samples(metrics.counter("ward_remote_storage_samples_total", "Samples a target of remote write has taken.",
                              Labels{{"remote", remote}})),
      retried(metrics.counter("ward_remote_storage_samples_retried_total",
                              "Samples in attempts after which the same request is sent again.",
                              Labels{{"remote", remote}})),
      bytes(metrics.counter("ward_remote_storage_bytes_total", "Bytes of samples taken by a target, compressed.",
                            Labels{{"remote", remote}})),
      metadata(metrics.counter("ward_remote_storage_metadata_total", "Metadata entries a target has taken (1.0).",
                               Labels{{"remote", remote}})),
      metadata_failed(metrics.counter("ward_remote_storage_metadata_failed_total",
                                      "Metadata entries a target did not take; told again with the next round (1.0).",
                                      Labels{{"remote", remote}})),
      pending(metrics.gauge("ward_remote_storage_samples_pending", "Samples that wait for a target.",
                            Labels{{"remote", remote}})),
      shards(metrics.gauge("ward_remote_storage_shards", "Requests to a target at a time, at most.",
                           Labels{{"remote", remote}})),
      queue_bytes(metrics.gauge("ward_remote_storage_queue_bytes", "Bytes of records that wait for a target on the disk.",
                                Labels{{"remote", remote}})),
      queue_capacity(metrics.gauge("ward_remote_storage_queue_capacity_bytes",
                                   "Bytes of records above which the oldest are dropped.", Labels{{"remote", remote}})),
      highest(metrics.gauge("ward_remote_storage_highest_timestamp_in_seconds",
                            "Newest time of a sample that is to be sent.", Labels{{"remote", remote}})),
      highest_sent(metrics.gauge("ward_remote_storage_queue_highest_sent_timestamp_seconds",
                                 "Newest time of a sample that a target has answered.", Labels{{"remote", remote}})),
      duration(metrics.histogram("ward_remote_storage_sent_batch_duration_seconds", "Time of one request to a target.",
                                 Labels{{"remote", remote}}, {0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30})),
      registry_(metrics),
      remote_{{"remote", remote}} {
  // From the start on, so that increase() sees the first one.
  for (const auto reason : {ForwardDrop::relabelled, ForwardDrop::too_old, ForwardDrop::queue_full, ForwardDrop::queue_error,
                            ForwardDrop::damaged})
    (void)registry_.counter(kDropped, kDroppedHelp, remote_.with("reason", to_string(reason)));
  for (const auto reason : {ForwardFailure::refused, ForwardFailure::repeated, ForwardFailure::unwritten})
    (void)registry_.counter(kFailed, kFailedHelp, remote_.with("reason", to_string(reason)));
}

void ForwardMetrics::dropped(ForwardDrop reason, std::uint64_t many) {
  if (many > 0)
    registry_.counter(kDropped, kDroppedHelp, remote_.with("reason", to_string(reason))).add(static_cast<double>(many));
}

void ForwardMetrics::failed(ForwardFailure reason, std::uint64_t many) {
  if (many > 0)
    registry_.counter(kFailed, kFailedHelp, remote_.with("reason", to_string(reason))).add(static_cast<double>(many));
}

}  // namespace ward::collector
