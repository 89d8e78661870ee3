#include "common/telemetry/process.hpp"

#include <dirent.h>
#include <fstream>
#include <iterator>
#include <memory>
#include <unistd.h>

#include "common/base/parse.hpp"

namespace ward::telemetry {
namespace {

std::string read_file(const char* path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::optional<double> boot_time(std::string_view system_stat) {
  std::string_view line;
  while (next_line(system_stat, line)) {
    if (next_word(line) != "btime") continue;
    const auto seconds = to_u64(next_word(line));
    if (seconds) return static_cast<double>(*seconds);
  }
  return std::nullopt;
}

/// Entries of /proc/self/fd, less the one that the count itself opens.
double count_open_fds() {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir("/proc/self/fd"), &::closedir);
  if (!dir) return 0;
  double count = -1;
  while (const auto* entry = ::readdir(dir.get())) count += entry->d_name[0] == '.' ? 0 : 1;
  return count;
}

}  // namespace

std::optional<ProcessStats> parse_process_stats(std::string_view stat, std::string_view system_stat, KernelUnits units) {
  // The command name may hold blanks and brackets; the last ')' ends it, and field 3 follows (proc(5)).
  const auto name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  auto rest = stat.substr(name_end + 1);
  double utime = 0, stime = 0, start = 0, resident_pages = 0;
  for (int field = 3; field <= 24; ++field) {
    const auto word = next_word(rest);
    double* wanted = field == 14   ? &utime
                     : field == 15 ? &stime
                     : field == 22 ? &start
                     : field == 24 ? &resident_pages
                                   : nullptr;
    if (wanted == nullptr) continue;
    const auto value = to_u64(word);
    if (!value) return std::nullopt;
    *wanted = static_cast<double>(*value);
  }
  const auto boot = boot_time(system_stat);
  if (!boot) return std::nullopt;
  ProcessStats out;
  out.resident_bytes = resident_pages * units.page_bytes;
  out.cpu_seconds = (utime + stime) / units.ticks_per_second;
  out.start_time_seconds = *boot + start / units.ticks_per_second;
  return out;
}

std::optional<ProcessStats> read_process_stats() {
  const KernelUnits units{static_cast<double>(::sysconf(_SC_CLK_TCK)), static_cast<double>(::sysconf(_SC_PAGESIZE))};
  auto out = parse_process_stats(read_file("/proc/self/stat"), read_file("/proc/stat"), units);
  if (out) out->open_fds = count_open_fds();
  return out;
}

}  // namespace ward::telemetry
