// Mounted file systems.
// Source: /proc/1/mountinfo (proc(5); the machine's mounts, not the agent's), statvfs(3) on a worker per mount.
#include <algorithm>
#include <set>

#include "common/base/parse.hpp"
#include "probes/host/collectors.hpp"

namespace ward::probes::node {
namespace {

/// The kernel writes blanks, tabs, newlines and backslashes of a path as \ooo.
std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) && octal(text[i + 3])) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    const auto comma = options.find(',');
    if (options.substr(0, comma) == wanted) return true;
    if (comma == std::string_view::npos) break;
    options.remove_prefix(comma + 1);
  }
  return false;
}

bool matches(std::string_view pattern, const MountEntry& entry) {
  if (!pattern.starts_with('/')) return pattern == entry.type;
  const std::string_view point = entry.mount_point;
  if (pattern.ends_with("/*")) {
    pattern.remove_suffix(1);
    return point.size() > pattern.size() && point.starts_with(pattern);
  }
  return point == pattern || (point.starts_with(pattern) && point.size() > pattern.size() && point[pattern.size()] == '/');
}

Labels labels_of(const MountEntry& entry) {
  Labels labels = label("device", entry.device);
  labels.set("fstype", entry.type);
  labels.set("mountpoint", entry.mount_point);
  return labels;
}

}  // namespace

bool MountFilter::excludes(const MountEntry& entry) const {
  return std::ranges::any_of(exclude, [&](const std::string& pattern) { return matches(pattern, entry); });
}

MountFilter default_mount_filter() {
  // node_exporter's defaults, and what a Kubernetes node mounts for each pod.
  return {{"autofs",
           "binfmt_misc",
           "bpf",
           "cgroup",
           "cgroup2",
           "configfs",
           "debugfs",
           "devpts",
           "devtmpfs",
           "fusectl",
           "hugetlbfs",
           "iso9660",
           "mqueue",
           "nsfs",
           "overlay",
           "proc",
           "procfs",
           "pstore",
           "rpc_pipefs",
           "securityfs",
           "selinuxfs",
           "squashfs",
           "erofs",
           "sysfs",
           "tracefs",
           "/dev",
           "/proc",
           "/sys",
           "/run/credentials/*",
           "/run/containerd/*",
           "/var/lib/docker/*",
           "/var/lib/containers/storage/*",
           "/var/lib/kubelet/pods/*"}};
}

Result<std::vector<MountEntry>> parse_mountinfo(std::string_view text) {
  std::vector<MountEntry> entries;
  for (std::string_view line; next_line(text, line);) {
    if (trim(line).empty()) continue;
    auto rest = line;
    for (int skipped = 0; skipped < 4; ++skipped) next_word(rest);  // id, parent, major:minor, root
    const auto point = next_word(rest);
    const auto options = next_word(rest);
    const auto dash = rest.find(" - ");  // after a varying number of optional fields
    if (point.empty() || options.empty() || dash == std::string_view::npos) return malformed("/proc/1/mountinfo", line);
    rest.remove_prefix(dash + 3);
    const auto type = next_word(rest);
    const auto device = next_word(rest);
    if (type.empty() || device.empty()) return malformed("/proc/1/mountinfo", line);
    const bool read_only = has_option(options, "ro") || has_option(next_word(rest), "ro");
    entries.push_back({unescape(device), std::string(type), unescape(point), read_only});
  }
  return entries;
}

async::Task<Status> collect_filesystem(Host& host, const MountFilter& filter, Readings& out) {
  const auto text = host.read_file("/proc/1/mountinfo").or_else([&](const Error& error) -> Result<std::string> {
    if (error.code != Errc::denied && error.code != Errc::not_found) return fail(error);
    return host.read_file("/proc/self/mountinfo");
  });
  if (!text) co_return fail(text.error());
  auto mounts = parse_mountinfo(*text);
  if (!mounts) co_return fail(mounts.error());
  // A later mount hides an earlier one on the same point, and statvfs answers for the one on top.
  std::set<std::string_view> seen;
  for (auto mount = mounts->rbegin(); mount != mounts->rend(); ++mount) {
    if (!seen.insert(mount->mount_point).second || filter.excludes(*mount)) continue;
    const auto labels = labels_of(*mount);
    const auto stats = co_await host.fs_stats(mount->mount_point);
    put(out, "node_filesystem_device_error", labels, stats ? 0 : 1);
    if (!stats) continue;
    put(out, "node_filesystem_readonly", labels, mount->read_only || stats->read_only ? 1 : 0);
    put(out, "node_filesystem_size_bytes", labels, static_cast<double>(stats->size_bytes));
    put(out, "node_filesystem_free_bytes", labels, static_cast<double>(stats->free_bytes));
    put(out, "node_filesystem_avail_bytes", labels, static_cast<double>(stats->avail_bytes));
    put(out, "node_filesystem_files", labels, static_cast<double>(stats->files));
    put(out, "node_filesystem_files_free", labels, static_cast<double>(stats->files_free));
  }
  co_return Status{};
}

}  // namespace ward::probes::node
