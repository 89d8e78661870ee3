#include "agent/config.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "common/config/node.hpp"
#include "common/net/endpoint.hpp"

namespace ward::agent {
namespace {

void read_log(config::Section log, telemetry::LogSettings& settings) {
  settings.level = static_cast<telemetry::LogLevel>(log.choice("level", {"debug", "info", "warn", "error"}, 1));
  settings.format = log.choice("format", {"json", "text"}, 0) == 0 ? telemetry::LogFormat::json : telemetry::LogFormat::text;
  log.close();
}

void read_tls(config::Section& root, AgentConfig& out) {
  if (!root.has("tls")) {
    if (!out.insecure)
      root.problems().add(root.at(), "the section 'tls' is missing",
                          "Add it with ca, certificate and key ('wardctl pki' makes them), or set 'insecure: true' for a "
                          "collector on this machine.");
    return;
  }
  auto tls = root.child("tls");
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
    else if (!address.empty())
      section.problems().add(section.at("address"), endpoint.error().what, endpoint.error().fix);
    const bool plain = out.insecure && !root.has("tls");
    if (plain && !collector.endpoint.host.empty() && !net::is_loopback(collector.endpoint))
      section.problems().add(section.at("address"), "insecure is set and '" + address + "' is not a loopback address",
                             "Remove 'insecure' and configure 'tls'.");
    section.close();
    if (!collector.endpoint.host.empty() &&
        std::find(out.collectors.begin(), out.collectors.end(), collector) != out.collectors.end())
      section.problems().add(section.at("address"), "the collector '" + address + "' is named twice",
                             "Remove one of the two.");
    out.collectors.push_back(std::move(collector));
  }
  if (out.collectors.empty() || out.collectors.size() > 2)
    root.problems().add(root.at("collectors"), std::to_string(out.collectors.size()) + " collectors are configured",
                        "Name one collector, or two for high availability.");
}

std::string read_identity(config::Section& root, std::string_view key) {
  auto name = root.text(key);
  if (auto named = check_name(key, name); !named && !name.empty())
    root.problems().add(root.at(key), named.error().what, named.error().fix);
  return name;
}

/// The text names secrets and does not hold them: its hash may leave the machine.
std::uint64_t hash_of_file(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return Labels{{"text", text.str()}}.hash();
}

std::vector<TenantId> tenants_of(const AgentConfig& config) {
  std::set<TenantId> others;
  for (const auto& target : config.targets)
    if (target.tenant != config.tenant) others.insert(target.tenant);
  std::vector<TenantId> out{config.tenant};
  out.insert(out.end(), others.begin(), others.end());
  return out;
}

}  // namespace

std::string needs_restart(const AgentConfig& running, const AgentConfig& next) {
  std::string keys;
  const auto compare = [&](std::string_view key, const auto& a, const auto& b) {
    if (a != b) keys += (keys.empty() ? "" : ", ") + std::string(key);
  };
  compare("agent", running.agent, next.agent);
  compare("tenants", running.tenants, next.tenants);
  compare("data_dir", running.data_dir, next.data_dir);
  compare("listen.http", running.http_address, next.http_address);
  compare("host.root", running.host_root, next.host_root);
  compare("log.format", running.log.format, next.log.format);
  compare("collectors", running.collectors, next.collectors);
  compare("insecure", running.insecure, next.insecure);
  compare("spool.max_size", running.spool_max_bytes, next.spool_max_bytes);
  return keys;
}

Result<AgentConfig> load_agent_config(const std::string& path) {
  auto documents = config::load_yaml(path);
  if (!documents) return fail(documents.error());
  config::Problems problems;
  AgentConfig out;
  config::Section root(documents->empty() ? config::Node{} : documents->front(), "", problems);
  if (documents->size() > 1) problems.add((*documents)[1].at(), "a second YAML document", "Keep one document in this file.");
  out.agent = AgentId{read_identity(root, "agent")};
  out.tenant = TenantId{read_identity(root, "tenant")};
  out.data_dir = root.text("data_dir");
  auto listen = root.child("listen");
  out.http_address = listen.text("http", "");
  if (!out.http_address.empty() && !net::parse_endpoint(out.http_address))
    problems.add(listen.at("http"), "'" + out.http_address + "' is not an address",
                 "Write host:port, for example 127.0.0.1:9803.");
  listen.close();
  auto host = root.child("host");
  out.host_root = host.text("root", "");
  host.close();
  read_log(root.child("log"), out.log);
  out.insecure = root.flag("insecure", false);
  read_tls(root, out);
  read_collectors(root, out);
  auto spool = root.child("spool");
  out.spool_max_bytes = spool.size("max_size", out.spool_max_bytes);
  if (out.spool_max_bytes < (1 << 20))
    problems.add(spool.at("max_size"), "spool.max_size is below 1MiB", "Set it to 1MiB or more; 1GiB is the default.");
  spool.close();
  out.targets = read_targets(root.children("targets"), out.tenant);
  if (out.targets.empty() && problems.empty())
    problems.add(root.at("targets"), "there are no targets", "List what to measure under 'targets'.");
  root.close();
  if (!problems.empty()) return fail(problems.to_error());
  out.tenants = tenants_of(out);
  out.hash = hash_of_file(path);
  return out;
}

}  // namespace ward::agent
