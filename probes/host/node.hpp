#pragma once
#include <memory>
#include <set>
#include <string>

#include "probes/host/collectors.hpp"

namespace ward::probes {

struct NodeOptions {
  std::set<std::string, std::less<>> exclude;  ///< collectors not to run, by name
  node::MountFilter mounts = node::default_mount_filter();
  node::DeviceFilter devices{{"veth*", "cali*", "lxc*"}};  ///< the machine's ends of pod networks: one per pod
};
std::unique_ptr<Probe> make_node(NodeOptions options);
/// Names of all collectors, as in node_scrape_collector_success{collector}.
std::vector<std::string_view> node_collectors();
/// Name, type and unit of everything the probe can emit (node_metrics.cpp).
std::span<const MetricMeta> node_metrics();

}  // namespace ward::probes
