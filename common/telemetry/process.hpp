#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace ward::telemetry {

/// What /proc tells of this process, under the names every Prometheus client library uses.
struct ProcessStats {
  double resident_bytes = 0;
  double cpu_seconds = 0;
  double start_time_seconds = 0;  ///< Unix time
  double open_fds = 0;
  friend bool operator==(const ProcessStats&, const ProcessStats&) = default;
};

struct KernelUnits {
  double ticks_per_second = 100;
  double page_bytes = 4096;
};

/// `stat` is /proc/self/stat, `system_stat` /proc/stat (proc(5)); nullopt when either does not look like it.
std::optional<ProcessStats> parse_process_stats(std::string_view stat, std::string_view system_stat, KernelUnits units);
/// Reads /proc; nullopt where it is not mounted.
std::optional<ProcessStats> read_process_stats();

}  // namespace ward::telemetry
