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
  std::uint64_t hash = 0;  ///< of the file's text
  /// Tenants of all targets, the agent's own first.
  [[nodiscard]] std::vector<TenantId> tenants() const;
};

/// All problems at once, one line each, or the configuration.
Result<AgentConfig> load_agent_config(const std::string& path);

}  // namespace ward::agent
