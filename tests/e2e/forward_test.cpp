// What the collector answered with success arrives at the receivers it forwards to, each sample once, whoever is killed or
// stopped on the way: a real Prometheus, which refuses a whole request for one sample that it has, and Ward's own receiver.
#include <atomic>
#include <cmath>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "tests/e2e/estate.hpp"
#include "tests/support/remote_write_body.hpp"

namespace ward::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kSeries = 5;
constexpr int kTimes = 3;  // samples of a series in a request

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<milliseconds>(now).count();
}

/// Debian's Prometheus as a receiver, with its usual settings: samples out of order are refused.
class PrometheusServer {
 public:
  PrometheusServer() : port(free_port()) {
    dir_.write("prometheus.yml", "global: {}\n");
    start();
  }
  void start() {
    process_.emplace(Process::Spec{{"prometheus", "--config.file=" + (dir_ / "prometheus.yml").string(),
                                    "--storage.tsdb.path=" + (dir_ / "data").string(), "--web.enable-remote-write-receiver",
                                    "--web.listen-address=127.0.0.1:" + std::to_string(port)},
                                   {},
                                   "",
                                   "/",
                                   dir_ / "prometheus.log"});
  }
  void stop() {
    process_->signal(SIGTERM);
    process_->wait(kPatience);
  }
  [[nodiscard]] std::string log() const { return text_of(dir_ / "prometheus.log"); }
  const std::uint16_t port;

 private:
  TempDir dir_{"prometheus"};
  std::optional<Process> process_;
};

/// One request after the other, each until it is taken, as senders do.
class Client {
 public:
  explicit Client(std::uint16_t port) : port_(port), thread_([this] { send_all(); }) {}
  ~Client() { stop(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] int taken() const { return taken_; }
  [[nodiscard]] int repeated() const { return repeated_; }
  const std::int64_t begin = now_ms();
  [[nodiscard]] static double value(int at, int series) { return at * 10.0 + series; }

 private:
  void send_all() {
    for (int i = 0; !stopping_;) {
      std::vector<SentSeries> all;
      for (int s = 0; s < kSeries; ++s) {
        auto& sent = all.emplace_back(SentSeries{{{"__name__", "sent"}, {"series", std::to_string(s)}}, {}});
        for (int k = 0; k < kTimes; ++k) sent.samples.emplace_back(begin + i * kTimes + k, value(i * kTimes + k, s));
      }
      if (post_remote_write(port_, packed(body_v2(all))).status == 204) {
        taken_ = ++i;
        std::this_thread::sleep_for(milliseconds{2});
      } else {
        ++repeated_;
        std::this_thread::sleep_for(milliseconds{5});
      }
    }
  }
  const std::uint16_t port_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> taken_{0}, repeated_{0};
  std::thread thread_;
};

/// Series -> time since the beginning -> value, of what a receiver has; empty while it does not answer.
std::map<std::string, std::map<std::int64_t, double>> found_at(std::uint16_t port, std::int64_t begin) {
  const auto path = "/api/v1/query?query=sent%5B1h%5D&time=" + std::to_string(begin / 1'000 + 1'800);
  const auto answer = http_get(port, path);
  std::map<std::string, std::map<std::int64_t, double>> out;
  const auto document = nlohmann::json::parse(answer.body, nullptr, false);
  if (answer.status != 200 || document.is_discarded()) return out;
  for (const auto& series : document.at("data").at("result")) {
    auto& values = out[series.at("metric").at("series")];
    for (const auto& point : series.at("values")) {
      const auto at = std::llround(point.at(0).get<double>() * 1'000) - begin;
      EXPECT_TRUE(values.emplace(at, std::stod(point.at(1).get<std::string>())).second) << at << " is there twice";
    }
  }
  return out;
}

std::size_t count(const std::map<std::string, std::map<std::int64_t, double>>& found) {
  std::size_t out = 0;
  for (const auto& [series, values] : found) out += values.size();
  return out;
}

void expect_all(std::uint16_t port, const Client& client, const std::function<std::string()>& logs) {
  const auto expected = static_cast<std::size_t>(client.taken()) * kSeries * kTimes;
  EXPECT_TRUE(eventually(kPatience, [&] { return count(found_at(port, client.begin)) >= expected; })) << logs();
  const auto found = found_at(port, client.begin);
  for (int s = 0; s < kSeries; ++s) {
    const auto series = found.find(std::to_string(s));
    ASSERT_TRUE(series != found.end()) << logs();
    EXPECT_EQ(series->second.size(), static_cast<std::size_t>(client.taken()) * kTimes);
    for (int at = 0; at < client.taken() * kTimes; ++at) {
      const auto sample = series->second.find(at);
      ASSERT_TRUE(sample != series->second.end()) << "series " << s << " lost sample " << at << '\n' << logs();
      ASSERT_EQ(sample->second, Client::value(at, s));
    }
  }
}

std::string forwarding_to(std::uint16_t port, const std::string& protocol) {
  return "remote_write_receiver: {receive: true, tenant: t1}\nremote_write:\n- name: store\n  url: http://127.0.0.1:" +
         std::to_string(port) + "/api/v1/write\n  protocol: \"" + protocol +
         "\"\n  queue: {batch_send_deadline: 200ms, max_samples_per_send: 40, shards: 3, max_backoff: 200ms}\n";
}

/// Kills the collector and stops or kills its receiver in turn, while a client sends and goes on between them.
void disturb(Estate& estate, const Client& client, const std::function<void()>& stop_receiver,
             const std::function<void()>& start_receiver) {
  const auto seed = std::random_device{}();
  std::cout << "seed " << seed << '\n';
  std::mt19937 dice(seed);
  std::uniform_int_distribution<int> moment(20, 900);
  const auto goes_on = [&] {
    const int before = client.taken();
    ASSERT_TRUE(eventually(kPatience, [&] { return client.taken() > before; })) << estate.logs();
    ASSERT_TRUE(estate.collector.survives(milliseconds{moment(dice)})) << estate.logs();
  };
  const auto kill_collector = [&] {
    estate.collector.kill();
    estate.collector.start();
  };
  for (int round = 0; round < 3; ++round) {
    goes_on();
    kill_collector();
    goes_on();
    stop_receiver();
    goes_on();
    kill_collector();  // with a backlog
    goes_on();
    start_receiver();
  }
  goes_on();
  kill_collector();
  goes_on();
}

TEST(Forwarding, BringsAPrometheusEachSampleOnceOverKillsAndStops) {
  PrometheusServer prometheus;
  Estate estate({Estate::Transport::insecure, 1, "", "", forwarding_to(prometheus.port, "1.0")});
  estate.collector.start();
  Client client(estate.http_port);
  disturb(
      estate, client, [&] { prometheus.stop(); }, [&] { prometheus.start(); });
  client.stop();
  std::cout << client.taken() << " requests taken, " << client.repeated() << " repeated\n";
  expect_all(prometheus.port, client, [&] { return estate.logs() + "prometheus:\n" + prometheus.log(); });
  const auto lost = [&](const std::string& what) {
    return estate.collector_metric("ward_remote_storage_samples_" + what + ",remote=\"store\"}");
  };
  EXPECT_EQ(lost("dropped_total{reason=\"queue_full\""), 0);
  EXPECT_EQ(lost("failed_total{reason=\"refused\""), 0) << estate.logs();
}

TEST(Forwarding, BringsAnotherCollectorEachSampleOnceBy20OverKillsOfBoth) {
  Estate store({Estate::Transport::insecure, 1, "", "", "remote_write_receiver: {receive: true, tenant: t1}\n"});
  Estate estate({Estate::Transport::insecure, 1, "", "", forwarding_to(store.http_port, "2.0")});
  store.collector.start();
  estate.collector.start();
  Client client(estate.http_port);
  disturb(
      estate, client, [&] { store.collector.kill(); }, [&] { store.collector.start(); });
  client.stop();
  std::cout << client.taken() << " requests taken, " << client.repeated() << " repeated\n";
  expect_all(store.http_port, client, [&] { return estate.logs() + "store:\n" + store.logs(); });
  // The own series of the first are not told here: only what came in.
  const auto refused = R"(ward_remote_storage_samples_failed_total{reason="refused",remote="store"})";
  EXPECT_EQ(estate.collector_metric(refused), 0);
}

}  // namespace
}  // namespace ward::test
