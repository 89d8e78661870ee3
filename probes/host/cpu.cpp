// Processor time, load and scheduler counters.
// Source: /proc/stat, /proc/loadavg, /proc/schedstat (proc(5), Documentation/scheduler/sched-stats), /proc/net/softnet_stat.
#include <array>
#include <charconv>

#include "common/base/parse.hpp"
#include "probes/host/collectors.hpp"

namespace ward::probes::node {
namespace {

/// USER_HZ is 100 on every Linux that Ward runs on (include/asm-generic/param.h); it is not the kernel's HZ.
constexpr double kTicksPerSecond = 100;
constexpr std::array<std::string_view, 8> kModes{"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"};

Status parse_cpu_line(std::string_view cpu, std::string_view rest, Readings& out) {
  Labels labels = label("cpu", cpu);
  labels.set("mode", "user");
  for (const auto mode : kModes) {
    const auto ticks = to_u64(next_word(rest));
    if (!ticks) return malformed("/proc/stat", cpu);
    labels.set("mode", mode);
    put(out, "node_cpu_seconds_total", labels, static_cast<double>(*ticks) / kTicksPerSecond);
  }
  for (const std::string_view mode : {"user", "nice"}) {
    const auto ticks = to_u64(next_word(rest));
    if (!ticks) break;  // guest time came later than the rest
    labels.set("mode", mode);
    put(out, "node_cpu_guest_seconds_total", labels, static_cast<double>(*ticks) / kTicksPerSecond);
  }
  return {};
}

Result<std::uint64_t> to_hex(std::string_view word) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, 16);
  if (error != std::errc{} || end != word.data() + word.size() || word.empty())
    return fail(Errc::invalid, "'" + std::string(word) + "' is not a hexadecimal number", "");
  return value;
}

}  // namespace

Status parse_cpu(std::string_view proc_stat, Readings& out) {
  bool any = false;
  for (std::string_view line; next_line(proc_stat, line);) {
    if (!line.starts_with("cpu")) break;  // the cpu lines come first
    const auto name = next_word(line).substr(3);
    if (name.empty()) continue;  // the sum of all
    if (auto ok = parse_cpu_line(name, line, out); !ok) return ok;
    any = true;
  }
  if (!any) return malformed("/proc/stat", "no cpu line");
  return {};
}

Status parse_stat(std::string_view proc_stat, Readings& out) {
  struct Line {
    std::string_view key, metric;
  };
  static constexpr std::array<Line, 6> kLines{{{"intr", "node_intr_total"},
                                               {"ctxt", "node_context_switches_total"},
                                               {"btime", "node_boot_time_seconds"},
                                               {"processes", "node_forks_total"},
                                               {"procs_running", "node_procs_running"},
                                               {"procs_blocked", "node_procs_blocked"}}};
  std::size_t found = 0;
  for (std::string_view line; next_line(proc_stat, line);) {
    if (line.starts_with("cpu")) continue;
    const auto key = next_word(line);
    for (const auto& [wanted, metric] : kLines) {
      if (key != wanted) continue;
      const auto value = to_u64(next_word(line));
      if (!value) return malformed("/proc/stat", key);
      put(out, metric, static_cast<double>(*value));
      ++found;
    }
  }
  if (found == 0) return malformed("/proc/stat", "none of the known lines");
  return {};
}

Status parse_loadavg(std::string_view text, Readings& out) {
  for (const std::string_view metric : {"node_load1", "node_load5", "node_load15"}) {
    const auto value = to_double(next_word(text));
    if (!value) return malformed("/proc/loadavg", value.error().what);
    put(out, metric, *value);
  }
  return {};
}

Status parse_schedstat(std::string_view text, Readings& out) {
  bool any = false;
  for (std::string_view line; next_line(text, line);) {
    const auto name = next_word(line);
    if (!name.starts_with("cpu")) continue;
    for (int skipped = 0; skipped < 6; ++skipped) next_word(line);
    const auto running = to_u64(next_word(line));
    const auto waiting = to_u64(next_word(line));
    const auto slices = to_u64(next_word(line));
    if (!running || !waiting || !slices) return malformed("/proc/schedstat", name);
    const auto cpu = label("cpu", name.substr(3));
    put(out, "node_schedstat_running_seconds_total", cpu, static_cast<double>(*running) / 1e9);
    put(out, "node_schedstat_waiting_seconds_total", cpu, static_cast<double>(*waiting) / 1e9);
    put(out, "node_schedstat_timeslices_total", cpu, static_cast<double>(*slices));
    any = true;
  }
  if (!any) return malformed("/proc/schedstat", "no cpu line");
  return {};
}

Status parse_softnet(std::string_view text, Readings& out) {
  std::uint64_t row = 0;
  for (std::string_view line; next_line(text, line); ++row) {
    if (trim(line).empty()) continue;
    std::array<std::uint64_t, 13> columns{};
    std::size_t count = 0;
    for (std::string_view word; count < columns.size() && !(word = next_word(line)).empty(); ++count) {
      const auto value = to_hex(word);
      if (!value) return malformed("/proc/net/softnet_stat", value.error().what);
      columns[count] = *value;
    }
    if (count < 3) return malformed("/proc/net/softnet_stat", "fewer than 3 columns");
    // Since Linux 5.10 column 13 is the processor; rows are counted before, which is wrong only with some offline.
    const auto cpu = label("cpu", std::to_string(count == columns.size() ? columns[12] : row));
    put(out, "node_softnet_processed_total", cpu, static_cast<double>(columns[0]));
    put(out, "node_softnet_dropped_total", cpu, static_cast<double>(columns[1]));
    put(out, "node_softnet_times_squeezed_total", cpu, static_cast<double>(columns[2]));
  }
  if (row == 0) return malformed("/proc/net/softnet_stat", "no line");
  return {};
}

}  // namespace ward::probes::node
