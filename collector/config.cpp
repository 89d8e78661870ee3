#include "collector/config.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <unistd.h>

#include "common/config/node.hpp"
#include "common/net/endpoint.hpp"

namespace ward::collector {
namespace {

constexpr std::chrono::hours kLeastForgetAfter{1};
constexpr std::size_t kLeastToken = 16;  // shorter ones can be guessed over the network

void read_listen(config::Section listen, CollectorConfig& out, bool insecure) {
  out.stream_address = listen.text("stream", "0.0.0.0:9801");
  out.http_address = listen.text("http", "127.0.0.1:9802");
  const auto stream = net::parse_endpoint(out.stream_address);
  if (!stream)
    listen.problems().add(listen.at("stream"), "'" + out.stream_address + "' is not an address",
                          "Write host:port, for example 0.0.0.0:9801.");
  else if (insecure && !net::is_loopback(*stream))
    listen.problems().add(listen.at("stream"), "insecure is set and '" + out.stream_address + "' is not a loopback address",
                          "Remove 'insecure' and configure 'tls', or listen on 127.0.0.1.");
  if (!net::parse_endpoint(out.http_address))
    listen.problems().add(listen.at("http"), "'" + out.http_address + "' is not an address",
                          "Write host:port, for example 127.0.0.1:9802.");
  listen.close();
}

void read_log(config::Section log, telemetry::LogSettings& settings) {
  settings.level = static_cast<telemetry::LogLevel>(log.choice("level", {"debug", "info", "warn", "error"}, 1));
  settings.format = log.choice("format", {"json", "text"}, 0) == 0 ? telemetry::LogFormat::json : telemetry::LogFormat::text;
  log.close();
}

void check_tenant(config::Section& section, std::string_view key, const std::string& tenant) {
  if (auto named = check_name("tenant", tenant); !named)
    section.problems().add(section.at(key), named.error().what, named.error().fix);
}

void read_retention(config::Section section, Retention& out) {
  out.samples = section.duration("samples", out.samples);
  out.size = section.size("size", out.size);
  out.events = section.duration("events", out.events);
  out.slos = section.duration("slos", out.slos);
  for (auto& each : section.children("tenants")) {
    const auto tenant = each.text("tenant");
    if (!tenant.empty()) check_tenant(each, "tenant", tenant);
    const bool fresh = out.tenants.emplace(tenant, each.duration("samples", out.samples)).second;
    if (!fresh) each.problems().add(each.at("tenant"), "tenant '" + tenant + "' is listed twice", "Keep one of the two.");
    each.close();
  }
  section.close();
}

void read_ingest(config::Section ingest, CollectorConfig& out) {
  out.max_sample_age = ingest.duration("max_sample_age", out.max_sample_age);
  out.caps.per_agent = ingest.whole("max_series_per_agent", out.caps.per_agent, 1, 10'000'000);
  out.caps.per_tenant = ingest.whole("max_series_per_tenant", out.caps.per_tenant, 1, 100'000'000);
  out.forget_after = ingest.duration("forget_after", out.forget_after);
  if (out.forget_after.count() > 0 && out.forget_after < kLeastForgetAfter)
    ingest.problems().add(ingest.at("forget_after"),
                          "agents would be forgotten, and their silence with them, within the hour",
                          "Use at least 1h, better days; 0s keeps them for ever.");
  out.journal_max_bytes = ingest.size("max_journal_size", 0);
  ingest.close();
}

void read_remote_write_tokens(config::Section& section, RemoteWriteOptions& out) {
  for (auto& each : section.children("tokens")) {
    RemoteWriteOptions::Token token;
    token.tenant = TenantId{each.text("tenant")};
    if (!token.tenant.get().empty()) check_tenant(each, "tenant", token.tenant.get());
    const auto before = each.problems().list().size();
    token.token = each.secret("token");
    if (each.problems().list().size() == before && token.token.reveal().size() < kLeastToken)
      each.problems().add(each.at("token"), "the token is missing or has fewer than 16 characters",
                          "Write 'token: {file: PATH}' and fill the file with 'openssl rand -hex 32'.");
    const auto same = [&](const RemoteWriteOptions::Token& other) { return other.token == token.token; };
    if (!token.token.empty() && std::any_of(out.tokens.begin(), out.tokens.end(), same))
      each.problems().add(each.at("token"), "two senders have the same token", "Give each a token of its own.");
    each.close();
    out.tokens.push_back(std::move(token));
  }
}

void read_remote_write_receiver(config::Section section, CollectorConfig& config) {
  RemoteWriteOptions out;
  const bool receive = section.flag("receive", false);
  out.max_body = section.size("max_body", out.max_body);
  out.max_unpacked = section.size("max_unpacked", out.max_unpacked);
  out.max_waiting = section.size("max_waiting", out.max_waiting);
  out.out_of_order_window = section.duration("out_of_order_window", out.out_of_order_window);
  out.limits.series = section.whole("max_series", out.limits.series, 1, 1'000'000);
  out.limits.samples = section.whole("max_samples", out.limits.samples, 1, 10'000'000);
  const auto tenant = section.text("tenant", "");
  read_remote_write_tokens(section, out);
  const auto http = net::parse_endpoint(config.http_address);
  const bool open = config.insecure && http && net::is_loopback(*http);
  if (!tenant.empty()) {
    check_tenant(section, "tenant", tenant);
    if (open)
      out.open_tenant = TenantId{tenant};
    else
      section.problems().add(section.at("tenant"), "senders without a token would write for '" + tenant + "'",
                             "Remove it and give each sender a token under 'tokens'; without tokens only with 'insecure: "
                             "true' and listen.http on this machine alone.");
  } else if (receive && out.tokens.empty()) {
    section.problems().add(section.at("receive"), "remote write is received, and no sender has a token",
                           open ? "Add one under 'tokens', or name the tenant of senders without one in 'tenant'."
                                : "Add one under 'tokens': {tenant: NAME, token: {file: PATH}}.");
  }
  section.close();
  if (receive) config.remote_write_receiver = std::move(out);
}

void read_query(config::Section section, CollectorConfig& out) {
  auto& one = out.query_limits;
  auto& all = out.query_gate;
  one.timeout = section.duration("timeout", one.timeout, milliseconds{1});
  one.max_samples = section.whole("max_samples", one.max_samples, 1, 10'000'000'000);
  out.lookback_delta = section.duration("lookback_delta", out.lookback_delta, milliseconds{1'000});
  all.running = section.whole("max_concurrency", all.running, 1, 256);
  all.waiting = section.whole("max_queued", all.waiting, 0, 100'000);
  all.wait = section.duration("queue_timeout", all.wait);
  all.bytes = section.size("memory", all.bytes);
  all.query_bytes = section.size("memory_per_query", std::min(all.query_bytes, all.bytes));
  if (all.bytes == 0)
    section.problems().add(section.at("memory"), "queries may take no memory, so none could run",
                           "Use a size, for example 1GiB.");
  else if (all.query_bytes == 0 || all.query_bytes > all.bytes)
    section.problems().add(section.at("memory_per_query"), "one query may take more than all together, or nothing",
                           "Use a size up to query.memory, for example half of it.");
  section.close();
}

void read_tls(config::Section& root, CollectorConfig& out) {
  if (!root.has("tls")) {
    if (!out.insecure)
      root.problems().add(
          root.at(), "the section 'tls' is missing",
          "Add it with ca, certificate and key ('wardctl pki' makes them), or set 'insecure: true' and listen "
          "on this machine alone.");
    return;
  }
  auto tls = root.child("tls");
  out.tls.ca = tls.text("ca");
  out.tls.certificate = tls.text("certificate");
  out.tls.key = tls.text("key");
  tls.close();
}

void read_heartbeat(config::Section& root, CollectorConfig& out) {
  if (!root.has("heartbeat")) return;
  auto section = root.child("heartbeat");
  HttpTarget watchdog;
  watchdog.url = section.text("url");
  watchdog.token = section.secret("token");
  watchdog.ca_file = section.text("ca_file", "");
  out.heartbeat.interval = section.duration("interval", out.heartbeat.interval, milliseconds{1'000});
  out.heartbeat.stale_after =
      section.duration("stale_after", std::max(out.heartbeat.interval * 2, out.heartbeat.stale_after), milliseconds{1'000});
  if (!watchdog.url.empty() && !watchdog.url.starts_with("https://") && !watchdog.url.starts_with("http://"))
    section.problems().add(section.at("url"), "the heartbeat has no http or https URL",
                           "Write the whole address, for example https://beats.example/ward.");
  if (!watchdog.token.empty() && watchdog.url.starts_with("http://"))
    section.problems().add(section.at("url"), "the token of the heartbeat would go out unencrypted", "Use https.");
  section.close();
  out.watchdog = std::move(watchdog);
}

std::string own_host() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string{};
}

void read_shared_state(config::Section& root, CollectorConfig& out) {
  if (!root.has("shared_state")) return;
  auto section = root.child("shared_state");
  SharedStateConfig shared;
  shared.connection = section.text("connection");
  if (shared.connection.find("password") != std::string::npos)
    section.problems().add(section.at("connection"), "the connection of the shared state has a password in it",
                           "Write it as password: {file: PATH}.");
  if (section.has("password")) shared.password = section.secret("password");
  shared.pair = section.text("pair", shared.pair);
  shared.collector = section.text("collector", own_host());
  if (shared.collector.empty())
    section.problems().add(section.at(), "the shared state needs a name for this collector, and the host has none",
                           "Set shared_state.collector.");
  shared.lease = section.duration("lease", shared.lease, milliseconds{1'000});
  section.close();
  out.shared_state = std::move(shared);
}

void check_receivers(config::Section& root, const CollectorConfig& out) {
  const auto unknown = [&](const std::string& name) {
    return !name.empty() &&
           std::none_of(out.receivers.begin(), out.receivers.end(), [&](const Receiver& r) { return r.name == name; });
  };
  const auto owners = root.raw("owners").value_or(config::Node{});
  for (const auto& [owner, route] : owners.entries()) {
    if (route.kind() != config::Node::Kind::mapping) continue;
    const auto& receiver = out.routing.owners.at(owner).receiver;
    if (unknown(receiver))
      root.problems().add(config::Section(route, owner, root.problems()).at("receiver"),
                          "owner '" + owner + "' goes to the receiver '" + receiver + "', which does not exist",
                          "Add it under 'receivers' or name another.");
  }
  if (root.has("fallback_receiver") && unknown(out.routing.fallback_receiver))
    root.problems().add(root.at("fallback_receiver"), "the receiver '" + out.routing.fallback_receiver + "' does not exist",
                        "Add it under 'receivers' or name another.");
}

void read_receivers_of(config::Section& root, CollectorConfig& out) {
  const auto before = root.problems().list().size();
  out.receivers = read_receivers(root.children("receivers"));
  if (out.receivers.empty() && root.problems().list().size() == before)
    root.problems().add(root.at("receivers"), "there are no receivers, so nobody would be paged", "Name at least one.");
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
  read_retention(root.child("retention"), out.retention);
  read_ingest(root.child("ingest"), out);
  read_remote_write_receiver(root.child("remote_write_receiver"), out);
  out.remote_write = read_forward_targets(root, "remote_write");
  read_tls(root, out);
  const auto http = net::parse_endpoint(out.http_address);
  out.api_access = api::read_api_access(root.child("api"), out.insecure && http && net::is_loopback(*http));
  out.rule_patterns = resolve(root.texts("rules"), path);
  auto evaluation = root.child("evaluation");
  out.evaluation_interval = evaluation.duration("interval", out.evaluation_interval, milliseconds{100});
  out.rules_poll = evaluation.duration("rules_poll", out.rules_poll);
  out.keep_silent = evaluation.duration("keep_silent", out.keep_silent);
  for (const auto& [name, value] : evaluation.text_map("external_labels")) out.external_labels.set(name, value);
  evaluation.close();
  read_query(root.child("query"), out);
  read_receivers_of(root, out);
  out.routing = read_routing_table(root);
  out.second_channel_after = root.duration("second_channel_after", out.second_channel_after);
  check_receivers(root, out);
  auto correlation = root.child("correlation");
  out.correlation = read_engine_options(correlation);
  out.services = read_service_map_part(root);
  read_heartbeat(root, out);
  read_shared_state(root, out);
  root.close();
  if (!problems.empty()) return fail(problems.to_error());
  return out;
}

RulebookOptions rulebook_options(const CollectorConfig& config) {
  RulebookOptions options;
  options.rules.default_interval = config.evaluation_interval;
  options.services = config.services;
  options.correlation = config.correlation;
  options.routing = config.routing;
  options.receivers.emplace();
  for (const auto& receiver : config.receivers) options.receivers->insert(receiver.name);
  return options;
}

}  // namespace ward::collector
