// Block devices and software RAID.
// Source: /proc/diskstats (Documentation/admin-guide/iostats.rst), /run/udev/data/b<major>:<minor>, /proc/mdstat (md(4)).
#include <algorithm>
#include <array>
#include <cctype>

#include "common/base/parse.hpp"
#include "probes/host/collectors.hpp"

namespace ward::probes::node {
namespace {

struct Column {
  std::string_view metric;
  double factor;
};
/// In the order of the file, after major, minor and name; 11 columns at first, 15 since 4.18, 17 since 5.5.
constexpr std::array<Column, 17> kColumns{{{"node_disk_reads_completed_total", 1},
                                           {"node_disk_reads_merged_total", 1},
                                           {"node_disk_read_bytes_total", 512},
                                           {"node_disk_read_time_seconds_total", 0.001},
                                           {"node_disk_writes_completed_total", 1},
                                           {"node_disk_writes_merged_total", 1},
                                           {"node_disk_written_bytes_total", 512},
                                           {"node_disk_write_time_seconds_total", 0.001},
                                           {"node_disk_io_now", 1},
                                           {"node_disk_io_time_seconds_total", 0.001},
                                           {"node_disk_io_time_weighted_seconds_total", 0.001},
                                           {"node_disk_discards_completed_total", 1},
                                           {"node_disk_discards_merged_total", 1},
                                           {"node_disk_discarded_sectors_total", 1},
                                           {"node_disk_discard_time_seconds_total", 0.001},
                                           {"node_disk_flush_requests_total", 1},
                                           {"node_disk_flush_requests_time_seconds_total", 0.001}}};
constexpr std::size_t kOldestColumns = 11;
constexpr std::chrono::minutes kUdevAge{5};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct DiskLine {
  std::string_view major, minor, device, counters;
};

DiskLine split(std::string_view line) {
  DiskLine out;
  out.major = next_word(line);
  out.minor = next_word(line);
  out.device = next_word(line);
  out.counters = line;
  return out;
}

Status put_counters(const DiskLine& line, const Labels& device, Readings& out) {
  auto rest = line.counters;
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    const auto word = next_word(rest);
    if (word.empty() && i >= kOldestColumns) break;
    const auto value = to_u64(word);
    if (!value) return malformed("/proc/diskstats", line.device);
    put(out, kColumns[i].metric, device, static_cast<double>(*value) * kColumns[i].factor);
  }
  return {};
}

Labels info_labels(const DiskLine& line, const DiskInfo& info) {
  Labels labels = label("device", line.device);
  labels.set("major", line.major);
  labels.set("minor", line.minor);
  labels.set("model", info.model);
  labels.set("path", info.path);
  labels.set("revision", info.revision);
  labels.set("serial", info.serial);
  labels.set("wwn", info.wwn);
  return labels;
}

/// "[2/1]" of an mdstat line: required and active members.
bool parse_members(std::string_view line, std::uint64_t& required, std::uint64_t& active) {
  for (auto at = line.find('['); at != std::string_view::npos; at = line.find('[', at + 1)) {
    const auto end = line.find(']', at);
    const auto slash = line.find('/', at);
    if (end == std::string_view::npos || slash == std::string_view::npos || slash > end) continue;
    const auto left = to_u64(line.substr(at + 1, slash - at - 1));
    const auto right = to_u64(line.substr(slash + 1, end - slash - 1));
    if (!left || !right) continue;
    required = *left;
    active = *right;
    return true;
  }
  return false;
}

std::uint64_t count(std::string_view line, std::string_view mark) {
  std::uint64_t found = 0;
  for (auto at = line.find(mark); at != std::string_view::npos; at = line.find(mark, at + mark.size())) ++found;
  return found;
}

std::string_view array_state(std::string_view line, std::string_view following) {
  if (line.find("inactive") != std::string_view::npos) return "inactive";
  if (following.find("recovery") != std::string_view::npos) return "recovering";
  if (following.find("resync") != std::string_view::npos || following.find("reshape") != std::string_view::npos)
    return "resync";
  if (following.find("check") != std::string_view::npos) return "check";
  return "active";
}

}  // namespace

bool counted_disk(std::string_view device) {
  // node_exporter's default: ^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$
  const auto last = std::ranges::find_if_not(device.rbegin(), device.rend(), is_digit);
  const auto digits = static_cast<std::size_t>(last - device.rbegin());
  if (digits == 0) return true;
  const auto stem = device.substr(0, device.size() - digits);
  if (stem == "ram" || stem == "zram" || stem == "loop" || stem == "fd") return false;
  for (const std::string_view bus : {"hd", "sd", "vd", "xvd"})
    if (stem.size() == bus.size() + 1 && stem.starts_with(bus)) return false;
  return !(stem.starts_with("nvme") && stem.ends_with('p'));
}

DiskInfo parse_udev(std::string_view text) {
  DiskInfo info;
  const std::array<std::pair<std::string_view, std::string*>, 5> wanted{{{"E:ID_MODEL=", &info.model},
                                                                         {"E:ID_PATH=", &info.path},
                                                                         {"E:ID_REVISION=", &info.revision},
                                                                         {"E:ID_SERIAL_SHORT=", &info.serial},
                                                                         {"E:ID_WWN=", &info.wwn}}};
  for (std::string_view line; next_line(text, line);)
    for (const auto& [prefix, field] : wanted)
      if (line.starts_with(prefix)) *field = line.substr(prefix.size());
  return info;
}

Status Disks::collect(Host& host, Readings& out) {
  const auto text = host.read_file("/proc/diskstats");
  if (!text) return fail(text.error());
  const auto now = host.clock().mono();
  bool any = false;
  std::string_view rest = *text;
  for (std::string_view raw; next_line(rest, raw);) {
    const auto line = split(raw);
    if (line.device.empty()) return malformed("/proc/diskstats", raw);
    any = true;
    if (!counted_disk(line.device)) continue;
    if (auto ok = put_counters(line, label("device", line.device), out); !ok) return ok;
    auto known = infos_.find(line.device);
    if (known == infos_.end() || now - known->second.first > kUdevAge) {
      const auto udev = host.read_file("/run/udev/data/b" + std::string(line.major) + ":" + std::string(line.minor));
      auto entry = std::pair{now, udev ? parse_udev(*udev) : DiskInfo{}};
      known = infos_.insert_or_assign(std::string(line.device), std::move(entry)).first;
    }
    put(out, "node_disk_info", info_labels(line, known->second.second), 1);
  }
  if (!any) return malformed("/proc/diskstats", "no line");
  return {};
}

Status parse_mdstat(std::string_view text, Readings& out) {
  for (std::string_view line; next_line(text, line);) {
    if (!line.starts_with("md")) continue;
    const auto head = line;
    const auto name = next_word(line);
    std::string_view sizes, progress;
    next_line(text, sizes);
    auto ahead = text;
    if (next_line(ahead, progress) && progress.find_first_not_of(' ') == std::string_view::npos) progress = {};
    std::uint64_t required = 0, active = 0;
    const auto array = label("device", name);
    const auto with_state = [&](std::string_view state) { return array.with("state", state); };
    // Stripes and inactive arrays show no [n/m]: their members are the listed ones.
    if (!parse_members(sizes, required, active)) required = active = count(head, "[");
    put(out, "node_md_disks_required", array, static_cast<double>(required));
    put(out, "node_md_disks", with_state("active"), static_cast<double>(active));
    put(out, "node_md_disks", with_state("failed"), static_cast<double>(count(head, "(F)")));
    put(out, "node_md_disks", with_state("spare"), static_cast<double>(count(head, "(S)")));
    const auto state = array_state(head, progress);
    for (const std::string_view each : {"active", "inactive", "recovering", "resync", "check"})
      put(out, "node_md_state", with_state(each), state == each ? 1 : 0);
  }
  return {};
}

}  // namespace ward::probes::node
