#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <vector>

#include "probes/probe.hpp"

/// The parts of the node probe. Reading is apart from parsing: each parse_* takes a file's text, appends readings under
/// node_exporter's names, and gives Errc::invalid naming the word it could not read; collect_* reads and parses. A caller
/// drops what a failed collector appended. Units are those of the names. Source of each: its .cpp.
namespace ward::probes::node {

/// Appends one reading.
inline void put(Readings& out, std::string_view metric, const Labels& labels, double value) {
  out.push_back(Reading{std::string(metric), labels, value});
}
inline void put(Readings& out, std::string_view metric, double value) { put(out, metric, Labels{}, value); }
/// One label; without the sort that Labels' list constructors do.
inline Labels label(std::string_view name, std::string_view value) {
  Labels one;
  one.set(name, value);
  return one;
}
/// Errc::invalid for a text of `file` that is not as the kernel writes it.
tl::unexpected<Error> malformed(std::string_view file, std::string_view text);
/// Reads /proc/1/net/<name>: the machine's network, also when the agent runs in a namespace of its own; /proc/net/<name>
/// where process 1 is hidden.
Result<std::string> read_net(Host& host, std::string_view name);

// cpu.cpp
Status parse_cpu(std::string_view proc_stat, Readings& out);
Status parse_stat(std::string_view proc_stat, Readings& out);
Status parse_loadavg(std::string_view text, Readings& out);
Status parse_schedstat(std::string_view text, Readings& out);
Status parse_softnet(std::string_view text, Readings& out);
// memory.cpp
Status parse_meminfo(std::string_view text, Readings& out);
Status parse_vmstat(std::string_view text, Readings& out);
// pressure.cpp
Status parse_pressure(std::string_view resource, std::string_view text, Readings& out);
Status collect_pressure(Host& host, Readings& out);

// disk.cpp
struct DiskInfo {
  std::string model, path, revision, serial, wwn;
  friend bool operator==(const DiskInfo&, const DiskInfo&) = default;
};
/// Partitions and RAM, loop and floppy devices are left out, as node_exporter does.
bool counted_disk(std::string_view device);
/// The udev database's answer for one disk; unknown fields stay empty.
DiskInfo parse_udev(std::string_view text);
Status parse_mdstat(std::string_view text, Readings& out);
class Disks {
 public:
  Status collect(Host& host, Readings& out);

 private:
  std::map<std::string, std::pair<MonoTime, DiskInfo>, std::less<>> infos_;  // by device; udev is asked every 5 minutes
};

// filesystem.cpp
struct MountEntry {
  std::string device, type, mount_point;
  bool read_only = false;
  friend bool operator==(const MountEntry&, const MountEntry&) = default;
};
/// Patterns: "/path" is it and all below, "/path/*" only what is below, a word without '/' is a file system type.
struct MountFilter {
  std::vector<std::string> exclude;
  [[nodiscard]] bool excludes(const MountEntry& entry) const;
};
/// The usual pseudo file systems and container storage.
MountFilter default_mount_filter();
Result<std::vector<MountEntry>> parse_mountinfo(std::string_view text);
async::Task<Status> collect_filesystem(Host& host, const MountFilter& filter, Readings& out);

// network.cpp
/// Names with an optional '*' at the end: "veth*".
struct DeviceFilter {
  std::vector<std::string> exclude;
  [[nodiscard]] bool excludes(std::string_view device) const;
};
Status parse_netdev(std::string_view text, const DeviceFilter& filter, Readings& out);
Status parse_arp(std::string_view text, Readings& out);
Status parse_conntrack_stat(std::string_view text, Readings& out);
Status collect_conntrack(Host& host, Readings& out);
/// /sys/class/net: the state of the link is read each run, the rest every 5 minutes or when that state moved.
class NetClass {
 public:
  NetClass();
  NetClass(const NetClass&) = delete;
  NetClass& operator=(const NetClass&) = delete;
  ~NetClass();
  Status collect(Host& host, const DeviceFilter& filter, Readings& out);

 private:
  struct Device;
  std::map<std::string, std::unique_ptr<Device>, std::less<>> devices_;
};

// netstat.cpp
/// /proc/net/netstat and /proc/net/snmp: pairs of lines, names and values.
Status parse_netstat(std::string_view file, std::string_view text, Readings& out);
Status parse_snmp6(std::string_view text, Readings& out);
Status parse_sockstat(std::string_view text, Readings& out);
Status collect_netstat(Host& host, Readings& out);
Status collect_sockstat(Host& host, Readings& out);
/// Receive and transmit queues of all UDP sockets, in bytes; `ip` is "v4" or "v6".
Status parse_udp_queues(std::string_view ip, std::string_view text, Readings& out);
Status collect_udp_queues(Host& host, Readings& out);

// kernel.cpp
Status parse_filefd(std::string_view text, Readings& out);
Status parse_os_release(std::string_view text, Readings& out);
Status collect_entropy(Host& host, Readings& out);
Status collect_time(Host& host, Readings& out);
void put_timex(const timex& state, int clock_state, Readings& out);
void put_uname(const utsname& name, Readings& out);
Status collect_timex(Host& host, Readings& out);
Status collect_uname(Host& host, Readings& out);

}  // namespace ward::probes::node
