#include "collector/config.hpp"

#include <algorithm>
#include <filesystem>

#include "common/config/node.hpp"
#include "common/net/endpoint.hpp"

namespace ward::collector {
namespace {

bool is_loopback(std::string_view address) {
  const auto endpoint = net::parse_endpoint(address);
  return endpoint && (endpoint->host == "localhost" || endpoint->host == "::1" || endpoint->host.starts_with("127."));
}

void read_listen(config::Section listen, CollectorConfig& out, bool insecure) {
  out.stream_address = listen.text("stream", "0.0.0.0:9801");
  out.http_address = listen.text("http", "127.0.0.1:9802");
  if (insecure && !is_loopback(out.stream_address))
    listen.problems().add(listen.at("stream"), "insecure is set and '" + out.stream_address + "' is not a loopback address",
                          "Remove 'insecure' and configure 'tls', or listen on 127.0.0.1.");
  listen.close();
}

void read_log(config::Section log, telemetry::LogSettings& settings) {
  settings.level = static_cast<telemetry::LogLevel>(log.choice("level", {"debug", "info", "warn", "error"}, 1));
  settings.format = log.choice("format", {"json", "text"}, 0) == 0 ? telemetry::LogFormat::json : telemetry::LogFormat::text;
  log.close();
}

void read_ingest(config::Section ingest, CollectorConfig& out) {
  out.max_sample_age = ingest.duration("max_sample_age", out.max_sample_age);
  out.caps.per_agent = ingest.whole("max_series_per_agent", out.caps.per_agent, 1, 10'000'000);
  out.caps.per_tenant = ingest.whole("max_series_per_tenant", out.caps.per_tenant, 1, 100'000'000);
  out.journal_max_bytes = ingest.size("max_journal_size", 0);
  ingest.close();
}

void read_tls(config::Section tls, CollectorConfig& out, bool present) {
  if (present || !out.insecure) {
    out.tls.ca = tls.text("ca");
    out.tls.certificate = tls.text("certificate");
    out.tls.key = tls.text("key");
  }
  tls.close();
}

void read_heartbeat(config::Section& root, CollectorConfig& out) {
  if (!root.has("heartbeat")) return;
  auto section = root.child("heartbeat");
  Receiver watchdog;
  watchdog.name = "heartbeat";
  watchdog.url = section.text("url");
  watchdog.token = section.secret("token");
  watchdog.ca_file = section.text("ca_file", "");
  out.heartbeat.interval = section.duration("interval", out.heartbeat.interval, milliseconds{1'000});
  out.heartbeat.stale_after = section.duration("stale_after", std::max(out.heartbeat.interval * 2, out.heartbeat.stale_after));
  section.close();
  out.watchdog = std::move(watchdog);
}

void check_receivers(config::Section& root, const CollectorConfig& out) {
  const auto known = [&](const std::string& name) {
    return std::any_of(out.receivers.begin(), out.receivers.end(), [&](const Receiver& r) { return r.name == name; });
  };
  for (const auto& [owner, route] : out.routing.owners)
    if (!known(route.receiver))
      root.problems().add(root.at("owners"), "owner '" + owner + "' goes to the receiver '" + route.receiver + "', which does not exist",
                          "Add it under 'receivers' or name another.");
}

/// Rule globs are relative to the file that names them, so that a configuration can move with its rules.
std::vector<std::string> resolve(std::vector<std::string> patterns, const std::string& config_path) {
  const auto folder = std::filesystem::path(config_path).parent_path();
  for (auto& pattern : patterns)
    if (std::filesystem::path(pattern).is_relative()) pattern = (folder / pattern).string();
  return patterns;
}

}  // namespace

Result<CollectorConfig> load_collector_config(const std::string& path) {
  auto documents = config::load_yaml(path);
  if (!documents) return fail(documents.error());
  config::Problems problems;
  CollectorConfig out;
  config::Section root(documents->front(), "", problems);
  if (documents->size() > 1) problems.add((*documents)[1].at(), "a second YAML document", "Keep one document in this file.");
  out.insecure = root.flag("insecure", false);
  read_listen(root.child("listen"), out, out.insecure);
  out.data_dir = root.text("data_dir");
  out.external_url = root.text("external_url", "");
  out.runbook_base = root.text("runbook_base", "");
  read_log(root.child("log"), out.log);
  out.retention = root.duration("retention", out.retention);
  read_ingest(root.child("ingest"), out);
  read_tls(root.child("tls"), out, root.has("tls"));
  out.rule_patterns = resolve(root.texts("rules"), path);
  auto evaluation = root.child("evaluation");
  out.evaluation_interval = evaluation.duration("interval", out.evaluation_interval, milliseconds{100});
  evaluation.close();
  out.receivers = read_receivers(root.children("receivers"));
  if (out.receivers.empty()) problems.add(root.at("receivers"), "there are no receivers, so nobody would be paged", "Name at least one.");
  out.routing = read_routing_table(root);
  check_receivers(root, out);
  auto correlation = root.child("correlation");
  out.correlation = read_engine_options(correlation);
  auto services = read_service_map(root);
  if (services) out.services = std::move(*services);
  read_heartbeat(root, out);
  root.close();
  if (!problems.empty()) return fail(problems.to_error());
  if (!services) return fail(services.error());
  return out;
}

}  // namespace ward::collector
