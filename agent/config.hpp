#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "agent/schedule/target.hpp"
#include "agent/uplink/uplink.hpp"
#include "common/base/result.hpp"
#include "common/model/ids.hpp"
#include "common/net/tls.hpp"
#include "common/telemetry/log.hpp"

namespace ward::agent {

/// agent.yaml, checked (config/agent.yaml shows every key with its meaning).
struct AgentConfig {
  AgentId agent;
  TenantId tenant;
  std::string data_dir;
  std::string http_address;  ///< own /metrics and /healthz; "" = none
  std::string host_root;     ///< "" = this machine; a container mounts the host's root elsewhere
  telemetry::LogSettings log;
  std::vector<CollectorAddress> collectors;
  bool insecure = false;
  net::TlsFiles tls;
  std::uint64_t spool_max_bytes = 1ULL << 30;
  std::vector<Target> targets;
  std::vector<TenantId> tenants;  ///< of all targets: the agent's own first, the others sorted
  std::uint64_t hash = 0;         ///< of the file's text
};

/// All problems at once, one line each, or the configuration.
Result<AgentConfig> load_agent_config(const std::string& path);

/// The keys whose new values a running agent cannot take ("data_dir, listen.http"); "" when a reload suffices.
std::string needs_restart(const AgentConfig& running, const AgentConfig& next);

}  // namespace ward::agent
