/// The machine: processors, memory, disks, file systems, network, pressure, kernel.
/// Source: /proc, /sys, statvfs, adjtimex, uname; each collector names its own in probes/host/*.cpp.
/// Emits:  node_* with node_exporter's names, labels and units, node_scrape_collector_success{collector} and
///         node_scrape_collector_duration_seconds{collector}. A collector that fails loses its own readings only.
/// Errors: not_found, permission or protocol when one of the collectors fails that every Linux must have.
#include "probes/host/node.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace ward::probes {
namespace {

using node::label;
using node::put;

/// What one run shares: /proc/stat feeds two collectors and is read once.
struct Run {
  Host& host;
  Readings& out;
  std::optional<Result<std::string>> proc_stat;
  const Result<std::string>& stat() {
    if (!proc_stat) proc_stat = host.read_file("/proc/stat");
    return *proc_stat;
  }
};

Status parse_with(Status (*parse)(std::string_view, Readings&), const Result<std::string>& text, Readings& out) {
  if (!text) return fail(text.error());
  return parse(*text, out);
}

}  // namespace

namespace node {
namespace {

class NodeProbe final : public Probe {
 public:
  explicit NodeProbe(NodeOptions options) : options_(std::move(options)) {}
  async::Task<ProbeOutput> collect(Host& host) override;

  using Collect = Status (NodeProbe::*)(Run&);
  struct Collector {
    std::string_view name;
    Collect collect;
    bool essential;
  };
  static const std::array<Collector, 24>& collectors();

 private:
  void finish(std::string_view name, bool essential, const Status& status, std::size_t before, MonoTime start, Host& host,
              ProbeOutput& output);

  Status cpu(Run& run) { return parse_with(parse_cpu, run.stat(), run.out); }
  Status stat(Run& run) { return parse_with(parse_stat, run.stat(), run.out); }
  Status loadavg(Run& run) { return parse_with(parse_loadavg, run.host.read_file("/proc/loadavg"), run.out); }
  Status schedstat(Run& run) { return parse_with(parse_schedstat, run.host.read_file("/proc/schedstat"), run.out); }
  Status softnet(Run& run) { return parse_with(parse_softnet, read_net(run.host, "softnet_stat"), run.out); }
  Status meminfo(Run& run) { return parse_with(parse_meminfo, run.host.read_file("/proc/meminfo"), run.out); }
  Status vmstat(Run& run) { return parse_with(parse_vmstat, run.host.read_file("/proc/vmstat"), run.out); }
  Status pressure(Run& run) { return collect_pressure(run.host, run.out); }
  Status diskstats(Run& run) { return disks_.collect(run.host, run.out); }
  Status mdadm(Run& run) { return parse_with(parse_mdstat, run.host.read_file("/proc/mdstat"), run.out); }
  Status netdev(Run& run) {
    const auto text = read_net(run.host, "dev");
    if (!text) return fail(text.error());
    return parse_netdev(*text, options_.devices, run.out);
  }
  Status netclass(Run& run) { return netclass_.collect(run.host, options_.devices, run.out); }
  Status netstat(Run& run) { return collect_netstat(run.host, run.out); }
  Status sockstat(Run& run) { return collect_sockstat(run.host, run.out); }
  Status arp(Run& run) { return parse_with(parse_arp, read_net(run.host, "arp"), run.out); }
  Status udp_queues(Run& run) { return collect_udp_queues(run.host, run.out); }
  Status conntrack(Run& run) { return collect_conntrack(run.host, run.out); }
  Status filefd(Run& run) { return parse_with(parse_filefd, run.host.read_file("/proc/sys/fs/file-nr"), run.out); }
  Status entropy(Run& run) { return collect_entropy(run.host, run.out); }
  Status time(Run& run) { return collect_time(run.host, run.out); }
  Status timex(Run& run) { return collect_timex(run.host, run.out); }
  Status uname(Run& run) { return collect_uname(run.host, run.out); }
  Status os(Run& run) {
    auto text = run.host.read_file("/etc/os-release");
    if (!text) text = run.host.read_file("/usr/lib/os-release");
    return parse_with(parse_os_release, text, run.out);
  }

  NodeOptions options_;
  Disks disks_;
  NetClass netclass_;
};

constexpr std::string_view kFilesystem = "filesystem";

const std::array<NodeProbe::Collector, 24>& NodeProbe::collectors() {
  using P = NodeProbe;
  static const std::array<Collector, 24> all{{{"arp", &P::arp, false},
                                              {"conntrack", &P::conntrack, false},
                                              {"cpu", &P::cpu, true},
                                              {"diskstats", &P::diskstats, true},
                                              {"entropy", &P::entropy, false},
                                              {"filefd", &P::filefd, true},
                                              {kFilesystem, nullptr, true},  // the only one that waits
                                              {"loadavg", &P::loadavg, true},
                                              {"mdadm", &P::mdadm, false},
                                              {"meminfo", &P::meminfo, true},
                                              {"netclass", &P::netclass, false},
                                              {"netdev", &P::netdev, true},
                                              {"netstat", &P::netstat, false},
                                              {"os", &P::os, false},
                                              {"pressure", &P::pressure, false},
                                              {"schedstat", &P::schedstat, false},
                                              {"sockstat", &P::sockstat, false},
                                              {"softnet", &P::softnet, false},
                                              {"stat", &P::stat, true},
                                              {"time", &P::time, false},
                                              {"timex", &P::timex, false},
                                              {"udp_queues", &P::udp_queues, false},
                                              {"uname", &P::uname, false},
                                              {"vmstat", &P::vmstat, false}}};
  return all;
}

FailureReason reason_of(Errc code) {
  if (code == Errc::denied) return FailureReason::permission;
  if (code == Errc::not_found) return FailureReason::not_found;
  return code == Errc::invalid ? FailureReason::protocol : FailureReason::internal;
}

void NodeProbe::finish(std::string_view name, bool essential, const Status& status, std::size_t before, MonoTime start,
                       Host& host, ProbeOutput& output) {
  auto& out = output.readings;
  if (!status) out.resize(before);
  const auto collector = label("collector", name);
  put(out, "node_scrape_collector_success", collector, status ? 1 : 0);
  put(out, "node_scrape_collector_duration_seconds", collector, to_seconds(host.clock().mono() - start));
  if (status || !essential || output.failure) return;
  Error error = status.error();
  error.what = "collector " + std::string(name) + ": " + error.what;
  output.failure = ProbeFailure{reason_of(error.code), std::move(error)};
}

async::Task<ProbeOutput> NodeProbe::collect(Host& host) {
  ProbeOutput output;
  output.readings.reserve(512);
  Run run{host, output.readings, std::nullopt};
  for (const auto& [name, collect, essential] : collectors()) {
    if (options_.exclude.contains(name)) continue;
    const auto before = output.readings.size();
    const auto start = host.clock().mono();
    Status status;
    if (collect == nullptr)
      status = co_await collect_filesystem(host, options_.mounts, output.readings);
    else
      status = (this->*collect)(run);
    finish(name, essential, status, before, start, host, output);
  }
  co_return output;
}

}  // namespace
}  // namespace node

std::unique_ptr<Probe> make_node(NodeOptions options) { return std::make_unique<node::NodeProbe>(std::move(options)); }

std::vector<std::string_view> node_collectors() {
  std::vector<std::string_view> names;
  for (const auto& collector : node::NodeProbe::collectors()) names.push_back(collector.name);
  return names;
}

namespace {

std::unique_ptr<Probe> make(config::Section& target) {
  NodeOptions options;
  auto collectors = target.child("collectors");
  const auto known = node_collectors();
  bool good = true;
  for (auto& name : collectors.texts("exclude")) {
    if (std::ranges::find(known, name) == known.end()) {
      std::string list;
      for (const auto each : known) list.append(list.empty() ? "" : ", ").append(each);
      target.problems().add(collectors.at("exclude"), "'" + name + "' is no collector of the node probe",
                            "Use one of " + list + ".");
      good = false;
    }
    options.exclude.insert(std::move(name));
  }
  collectors.close();
  for (auto& pattern : target.texts("filesystem_exclude")) options.mounts.exclude.push_back(std::move(pattern));
  if (target.has("network_exclude")) options.devices.exclude = target.texts("network_exclude");
  if (!good) return nullptr;
  return make_node(std::move(options));
}

}  // namespace

ProbeKind node_probe() {
  ProbeKind kind;
  kind.name = "node";
  kind.job = "node";
  kind.metrics = node_metrics();
  kind.make = make;
  return kind;
}

}  // namespace ward::probes
