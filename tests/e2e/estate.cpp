#include "tests/e2e/estate.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fstream>
#include <sstream>
#include <thread>

#include "common/http/client.hpp"

namespace ward::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kPoll{20};

async::Task<void> fetch(http::Client* client, http::Request request, HttpAnswer* out, bool* done) {
  auto sending = client->send(std::move(request));
  auto answer = co_await std::move(sending);
  if (answer) {
    out->status = answer->status;
    out->body = std::move(answer->body);
  }
  *done = true;
}

std::string tls_yaml(const Estate::Options& options, const std::filesystem::path& dir, const std::string& who) {
  if (options.transport == Estate::Transport::insecure) return "insecure: true\n";
  const auto pki = (dir / "pki").string();
  return "tls: {ca: " + pki + "/ca.crt, certificate: " + pki + "/" + who + ".crt, key: " + pki + "/" + who + ".key}\n";
}

std::optional<double> metric(std::uint16_t port, const std::string& series) {
  std::istringstream lines(http_get(port, "/metrics").body);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(series + " ")) return std::stod(line.substr(series.size() + 1));
  return std::nullopt;
}

}  // namespace

bool eventually(milliseconds limit, const std::function<bool()>& done) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

namespace {

HttpAnswer exchange(http::Request request) {
  async::asio::io_context io;
  const auto client = http::make_curl_client(io.get_executor());
  HttpAnswer answer;
  bool done = false;
  async::asio::co_spawn(io, fetch(client.get(), std::move(request), &answer, &done), [](const std::exception_ptr&) {});
  while (!done && io.run_one() > 0) {}
  return answer;
}

}  // namespace

HttpAnswer http_get(std::uint16_t port, const std::string& path) {
  http::Request request;
  request.url = "http://127.0.0.1:" + std::to_string(port) + path;
  request.timeout = seconds{5};
  request.max_body_bytes = 16 << 20;
  return exchange(std::move(request));
}

HttpAnswer post_remote_write(std::uint16_t port, std::string body) {
  http::Request request;
  request.method = "POST";
  request.url = "http://127.0.0.1:" + std::to_string(port) + "/api/v1/write";
  request.headers = {{"Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"},
                     {"Content-Encoding", "snappy"}};
  request.body = std::move(body);
  request.timeout = seconds{30};
  return exchange(std::move(request));
}

Daemon::Daemon(std::string program, std::filesystem::path config, std::filesystem::path log)
    : program_(std::move(program)), config_(std::move(config)), log_(std::move(log)) {}

void Daemon::start(std::map<std::string, std::string> env) {
  process_.emplace(Process::Spec{{program_, "--config", config_.string()}, std::move(env), "", "/", log_});
}

void Daemon::kill() {
  process_->signal(SIGKILL);
  process_->wait(seconds{10});
}

std::optional<int> Daemon::terminate() {
  process_->signal(SIGTERM);
  return process_->wait(kPatience);
}

std::string collector_yaml(const Estate::Options& options, std::uint16_t stream, std::uint16_t http,
                           const std::filesystem::path& dir) {
  const auto url = "http://127.0.0.1:" + std::to_string(options.receiver_port);
  std::ostringstream yaml;
  yaml << "listen: {stream: \"127.0.0.1:" << stream << "\", http: \"127.0.0.1:" << http << "\"}\n"
       << "data_dir: " << (dir / "collector").string() << "\nlog: {level: info, format: text}\n"
       << tls_yaml(options, dir, "collector-c1") << "rules: [\"" << WARD_SOURCE_DIR << "/rules/postgres.yaml\"]\n"
       << "receivers:\n  - {name: database, webhook: {url: \"" << url << "/database\"}}\n"
       << "  - {name: platform, webhook: {url: \"" << url << "/platform\"}}\n"
       << "owners:\n  database: {receiver: database, fallback: platform}\n  platform: {receiver: platform}\n"
       << "services:\n  pg-main: {owner: database, dependsOn: [{to: node, mode: hard}]}\n  node: {owner: platform}\n  ward: "
          "{owner: platform}\n"
       << "correlation: {settle_resolve: 0s}\n"  // tests need not wait for a target that might flap
       << options.collector_extra;
  return yaml.str();
}

std::string agent_yaml(const Estate::Options& options, std::uint16_t stream, std::uint16_t http,
                       const std::filesystem::path& dir) {
  std::ostringstream yaml;
  yaml << "agent: a1\ntenant: t1\ndata_dir: " << (dir / "agent").string() << "\nlog: {level: info, format: text}\n"
       << "listen: {http: \"127.0.0.1:" << http << "\"}\n"
       << "collectors:\n  - {address: \"127.0.0.1:" << stream << "\", server_name: localhost}\n"
       << tls_yaml(options, dir, "agent-a1") << options.agent_extra << "targets:\n"
       << options.targets;
  return yaml.str();
}

void make_pki(const std::filesystem::path& dir) {
  const auto pki = (dir / "pki").string();
  const std::vector<std::string> ctl{WARD_CTL_PROGRAM, "pki"};
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.begin(), ctl.begin(), ctl.end());
    words.insert(words.end(), {"--dir", pki});
    run_to_end({std::move(words), {}, "", "/", {}});
  };
  run({"init"});
  run({"issue", "--collector", "c1", "--name", "localhost", "--name", "127.0.0.1"});
  run({"issue", "--agent", "a1", "--tenant", "t1"});
}

Estate::Estate(const Options& options)
    : stream_port(free_port()),
      http_port(free_port()),
      agent_port(free_port()),
      collector(WARD_COLLECTOR_PROGRAM, dir / "collector.yaml", dir / "collector.log"),
      agent(WARD_AGENT_PROGRAM, dir / "agent.yaml", dir / "agent.log") {
  if (options.transport == Transport::mutual_tls) make_pki(dir.path());
  dir.write("collector.yaml", collector_yaml(options, stream_port, http_port, dir.path()));
  dir.write("agent.yaml", agent_yaml(options, stream_port, agent_port, dir.path()));
}

std::optional<double> Estate::agent_metric(const std::string& series) const { return metric(agent_port, series); }
std::optional<double> Estate::collector_metric(const std::string& series) const { return metric(http_port, series); }

bool Estate::flows() const {
  return eventually(kPatience, [this] {
    return collector_metric("ward_ingest_agents_connected") == 1.0 && collector_metric("ward_tsdb_samples").value_or(0) > 0;
  });
}

bool Estate::drained() {
  const std::string key = "interval: ";
  auto yaml = text_of(dir / "agent.yaml");
  for (auto at = yaml.find(key); at != std::string::npos; at = yaml.find(key, at + 1)) {
    const auto value = at + key.size();
    const auto unit = yaml.find_first_not_of("0123456789", value);
    if (yaml.compare(unit, 2, "ms") == 0) yaml.replace(value, unit + 2 - value, "10s");
  }
  dir.write("agent.yaml", yaml);
  // Before its first instruction a process cannot hold a signal.
  const auto runs = [this] { return agent_metric("ward_agent_spool_records").has_value(); };
  if (!eventually(kPatience, runs)) return false;
  agent.reload();
  constexpr double kRunsJustNow = 10;
  return eventually(kPatience, [this] {
    const auto records = agent_metric("ward_agent_spool_records");
    return records && *records < kRunsJustNow && collector_metric("ward_ingest_agents_connected") == 1.0;
  });
}

std::string Estate::logs() const {
  return "agent:\n" + text_of(dir / "agent.log") + "collector:\n" + text_of(dir / "collector.log");
}

}  // namespace ward::test
