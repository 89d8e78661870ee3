#include "agent/config.hpp"

#include <algorithm>

#include "common/config/node.hpp"
#include "common/net/endpoint.hpp"

namespace ward::agent {
namespace {

void read_log(config::Section log, telemetry::LogSettings& settings) {
  settings.level = static_cast<telemetry::LogLevel>(log.choice("level", {"debug", "info", "warn", "error"}, 1));
  settings.format = log.choice("format", {"json", "text"}, 0) == 0 ? telemetry::LogFormat::json : telemetry::LogFormat::text;
  log.close();
}

void read_tls(config::Section tls, AgentConfig& out, bool present) {
  if (out.insecure && !present) {
    tls.close();
    return;
  }
  out.tls.ca = tls.text("ca");
  out.tls.certificate = tls.text("certificate");
  out.tls.key = tls.text("key");
  tls.close();
}

void read_collectors(config::Section& root, AgentConfig& out) {
  for (auto& section : root.children("collectors")) {
    CollectorAddress collector;
    const auto address = section.text("address");
    collector.server_name = section.text("server_name", "");
    if (const auto endpoint = net::parse_endpoint(address))
      collector.endpoint = *endpoint;
    else
      section.problems().add(section.at("address"), endpoint.error().what, endpoint.error().fix);
    section.close();
    if (std::find(out.collectors.begin(), out.collectors.end(), collector) != out.collectors.end())
      section.problems().add(section.at("address"), "the collector '" + address + "' is named twice", "Remove one of the two.");
    out.collectors.push_back(std::move(collector));
  }
  if (out.collectors.empty() || out.collectors.size() > 2)
    root.problems().add(root.at("collectors"), std::to_string(out.collectors.size()) + " collectors are configured",
                        "Name one collector, or two for high availability.");
}

void check_identity(config::Section& root, std::string_view key, std::string_view name) {
  if (auto named = check_name(key, name); !named) root.problems().add(root.at(key), named.error().what, named.error().fix);
}

}  // namespace

std::vector<TenantId> AgentConfig::tenants() const {
  std::vector<TenantId> out{tenant};
  for (const auto& target : targets)
    if (std::find(out.begin(), out.end(), target.tenant) == out.end()) out.push_back(target.tenant);
  return out;
}

Result<AgentConfig> load_agent_config(const std::string& path) {
  auto documents = config::load_yaml(path);
  if (!documents) return fail(documents.error());
  config::Problems problems;
  AgentConfig out;
  config::Section root(documents->empty() ? config::Node{} : documents->front(), "", problems);
  if (documents->size() > 1)
    problems.add((*documents)[1].at(), "a second YAML document", "Keep one document in this file.");
  out.agent = AgentId{root.text("agent")};
  out.tenant = TenantId{root.text("tenant")};
  check_identity(root, "agent", out.agent.get());
  check_identity(root, "tenant", out.tenant.get());
  out.data_dir = root.text("data_dir");
  auto listen = root.child("listen");
  out.http_address = listen.text("http", "");
  listen.close();
  auto host = root.child("host");
  out.host_root = host.text("root", "");
  host.close();
  read_log(root.child("log"), out.log);
  out.insecure = root.flag("insecure", false);
  read_tls(root.child("tls"), out, root.has("tls"));
  read_collectors(root, out);
  auto spool = root.child("spool");
  out.spool_max_bytes = spool.size("max_size", out.spool_max_bytes);
  if (out.spool_max_bytes < (1 << 20))
    problems.add(spool.at("max_size"), "spool.max_size is below 1MiB", "Set it to 1MiB or more; 1GiB is the default.");
  spool.close();
  out.targets = read_targets(root.children("targets"), out.tenant);
  if (out.targets.empty() && problems.empty()) problems.add(root.at("targets"), "there are no targets", "List what to measure under 'targets'.");
  root.close();
  if (!problems.empty()) return fail(problems.to_error());
  out.hash = Labels{{"path", path}, {"agent", out.agent.get()}, {"targets", std::to_string(out.targets.size())}}.hash();
  return out;
}

}  // namespace ward::agent
