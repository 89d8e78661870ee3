// Network devices, neighbours and connection tracking.
// Source: /proc/net/dev, /proc/net/arp, /proc/sys/net/netfilter/nf_conntrack_{count,max}, /proc/net/stat/nf_conntrack.
#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "common/base/parse.hpp"
#include "probes/host/collectors.hpp"

namespace ward::probes::node {
namespace {

/// The columns of /proc/net/dev. The kernel folds several counters into "drop", as node_exporter reports it.
constexpr std::array<std::string_view, 16> kDevColumns{
    "node_network_receive_bytes_total",      "node_network_receive_packets_total",   "node_network_receive_errs_total",
    "node_network_receive_drop_total",       "node_network_receive_fifo_total",      "node_network_receive_frame_total",
    "node_network_receive_compressed_total", "node_network_receive_multicast_total", "node_network_transmit_bytes_total",
    "node_network_transmit_packets_total",   "node_network_transmit_errs_total",     "node_network_transmit_drop_total",
    "node_network_transmit_fifo_total",      "node_network_transmit_colls_total",    "node_network_transmit_carrier_total",
    "node_network_transmit_compressed_total"};

struct Statistic {
  std::string_view column, metric;
  double sum = 0;
};

}  // namespace

bool DeviceFilter::excludes(std::string_view device) const {
  return std::ranges::any_of(exclude, [&](std::string_view pattern) {
    if (!pattern.ends_with('*')) return pattern == device;
    return device.starts_with(pattern.substr(0, pattern.size() - 1));
  });
}

Status parse_netdev(std::string_view text, const DeviceFilter& filter, Readings& out) {
  std::string_view line;
  if (!next_line(text, line) || !next_line(text, line)) return malformed("/proc/net/dev", "no head lines");
  while (next_line(text, line)) {
    const auto colon = line.rfind(':');  // an alias has one too: "eth0:1: ..."
    if (colon == std::string_view::npos) return malformed("/proc/net/dev", line);
    const auto name = trim(line.substr(0, colon));
    if (filter.excludes(name)) continue;
    const auto device = label("device", name);
    auto rest = line.substr(colon + 1);
    for (const auto metric : kDevColumns) {
      const auto value = to_u64(next_word(rest));
      if (!value) return malformed("/proc/net/dev", name);
      put(out, metric, device, static_cast<double>(*value));
    }
  }
  return {};
}

Status parse_arp(std::string_view text, Readings& out) {
  std::string_view line;
  if (!next_line(text, line)) return malformed("/proc/net/arp", "no head line");
  std::map<std::string_view, int> entries;
  while (next_line(text, line)) {
    for (int skipped = 0; skipped < 5; ++skipped) next_word(line);  // address, type, flags, hardware address, mask
    const auto device = next_word(line);
    if (device.empty()) return malformed("/proc/net/arp", "a line with fewer than 6 columns");
    ++entries[device];
  }
  for (const auto& [device, count] : entries) put(out, "node_arp_entries", label("device", device), count);
  return {};
}

Status parse_conntrack_stat(std::string_view text, Readings& out) {
  static constexpr std::string_view kFile = "/proc/net/stat/nf_conntrack";
  std::array<Statistic, 8> sums{{{"found", "node_nf_conntrack_stat_found"},
                                 {"invalid", "node_nf_conntrack_stat_invalid"},
                                 {"ignore", "node_nf_conntrack_stat_ignore"},
                                 {"insert", "node_nf_conntrack_stat_insert"},
                                 {"insert_failed", "node_nf_conntrack_stat_insert_failed"},
                                 {"drop", "node_nf_conntrack_stat_drop"},
                                 {"early_drop", "node_nf_conntrack_stat_early_drop"},
                                 {"search_restart", "node_nf_conntrack_stat_search_restart"}}};
  std::string_view line;
  if (!next_line(text, line)) return malformed(kFile, "no head line");
  std::vector<std::string_view> columns;
  for (std::string_view word; !(word = next_word(line)).empty();) columns.push_back(word);
  while (next_line(text, line)) {  // one line per processor
    for (const auto column : columns) {
      const auto word = next_word(line);
      const auto wanted = std::ranges::find(sums, column, &Statistic::column);
      if (wanted == sums.end()) continue;
      std::uint64_t value = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, 16);
      if (error != std::errc{} || end != word.data() + word.size() || word.empty()) return malformed(kFile, column);
      wanted->sum += static_cast<double>(value);
    }
  }
  for (const auto& [column, metric, sum] : sums)
    if (std::ranges::find(columns, column) != columns.end()) put(out, metric, sum);
  return {};
}

Status collect_conntrack(Host& host, Readings& out) {
  struct Limit {
    std::string_view path, metric;
  };
  static constexpr std::array<Limit, 2> kLimits{{
      {"/proc/sys/net/netfilter/nf_conntrack_count", "node_nf_conntrack_entries"},
      {"/proc/sys/net/netfilter/nf_conntrack_max", "node_nf_conntrack_entries_limit"},
  }};
  for (const auto& [path, metric] : kLimits) {
    const auto text = host.read_file(path);
    if (!text) return fail(text.error());
    const auto value = to_u64(trim(*text));
    if (!value) return malformed(path, value.error().what);
    put(out, metric, static_cast<double>(*value));
  }
  // Gone with CONFIG_NF_CONNTRACK_PROCFS=n; the two above are what matters.
  const auto statistics = read_net(host, "stat/nf_conntrack");
  return statistics ? parse_conntrack_stat(*statistics, out) : Status{};
}

}  // namespace ward::probes::node
