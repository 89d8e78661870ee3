// What remote write answered with success is found afterwards, whenever the collector was killed, and nothing is there
// twice.
#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cmath>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "common/http/client.hpp"
#include "tests/e2e/estate.hpp"
#include "tests/support/remote_write_body.hpp"

namespace ward::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t kBegin = 1'764'000'000'000;
constexpr int kSeries = 5;

async::Task<void> exchange(http::Client* client, http::Request request, int* status, bool* done) {
  auto sending = client->send(std::move(request));
  const auto answer = co_await std::move(sending);
  *status = answer ? answer->status : 0;
  *done = true;
}

int post(std::uint16_t port, std::string body) {
  async::asio::io_context io;
  const auto client = http::make_curl_client(io.get_executor());
  http::Request request;
  request.method = "POST";
  request.url = "http://127.0.0.1:" + std::to_string(port) + "/api/v1/write";
  request.headers = {{"Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"},
                     {"Content-Encoding", "snappy"}};
  request.body = std::move(body);
  request.timeout = seconds{30};
  int status = 0;
  bool done = false;
  async::asio::co_spawn(io, exchange(client.get(), std::move(request), &status, &done), [](const std::exception_ptr&) {});
  while (!done && io.run_one() > 0) {}
  return status;
}

/// One request after the other, each until it is taken, as senders do.
class Sender {
 public:
  explicit Sender(std::uint16_t port) : port_(port), thread_([this] { send_all(); }) {}
  ~Sender() { stop(); }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  /// Requests 0 to here are answered with success.
  [[nodiscard]] int taken() const { return taken_; }
  [[nodiscard]] int repeated() const { return repeated_; }

 private:
  void send_all() {
    for (int i = 0; !stopping_;) {
      std::vector<SentSeries> all;
      for (int s = 0; s < kSeries; ++s)
        all.push_back({{{"__name__", "sent"}, {"series", std::to_string(s)}}, {{kBegin + i, i * 10 + s}}});
      if (post(port_, packed(body_v2(all))) == 204) {
        taken_ = ++i;
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

/// Series -> time since the beginning -> value; a time that comes twice fails the test.
std::map<std::string, std::map<std::int64_t, double>> found_at(std::uint16_t port) {
  const auto answer = http_get(port, "/api/v1/query?query=sent%5B1d%5D&time=" + std::to_string(kBegin / 1'000 + 3'600));
  std::map<std::string, std::map<std::int64_t, double>> out;
  const auto document = nlohmann::json::parse(answer.body);
  for (const auto& series : document.at("data").at("result")) {
    EXPECT_EQ(series.at("metric").at("tenant"), "t1");
    auto& values = out[series.at("metric").at("series")];
    for (const auto& point : series.at("values")) {
      const auto at = std::llround(point.at(0).get<double>() * 1'000) - kBegin;
      EXPECT_TRUE(values.emplace(at, std::stod(point.at(1).get<std::string>())).second) << at << " is there twice";
    }
  }
  return out;
}

TEST(RemoteWrite, KeepsWhatItAnsweredOverTwentyKills) {
  Estate estate({Estate::Transport::insecure, 1, "", "", "remote_write_receiver: {receive: true, tenant: t1}\n"});
  const auto seed = std::random_device{}();
  std::cout << "seed " << seed << '\n';
  std::mt19937 dice(seed);
  std::uniform_int_distribution<int> moment(20, 1'000);
  estate.collector.start();
  Sender sender(estate.http_port);
  for (int kill = 0; kill < 20; ++kill) {
    const int before = sender.taken();
    ASSERT_TRUE(eventually(kPatience, [&] { return sender.taken() > before; })) << estate.logs();
    ASSERT_TRUE(estate.collector.survives(milliseconds{moment(dice)})) << estate.logs();
    estate.collector.kill();
    estate.collector.start();
  }
  const int before = sender.taken();
  ASSERT_TRUE(eventually(kPatience, [&] { return sender.taken() > before; })) << estate.logs();
  sender.stop();
  std::cout << sender.taken() << " requests taken, " << sender.repeated() << " repeated\n";

  const auto found = found_at(estate.http_port);
  ASSERT_EQ(found.size(), static_cast<std::size_t>(kSeries));
  for (int s = 0; s < kSeries; ++s) {
    const auto& values = found.at(std::to_string(s));
    EXPECT_EQ(values.size(), static_cast<std::size_t>(sender.taken())) << "series " << s;
    for (int i = 0; i < sender.taken(); ++i) {
      const auto at = values.find(i);
      ASSERT_TRUE(at != values.end()) << "series " << s << " lost sample " << i << " of " << sender.taken();
      ASSERT_EQ(at->second, i * 10 + s);
    }
  }
  EXPECT_EQ(estate.collector_metric("ward_ingest_agents_connected"), 0);
  EXPECT_EQ(http_get(estate.http_port, "/api/ward/v1/agents").body.find("remote_write"), std::string::npos);
}

/// When the collector told one of its own metrics, ms; empty while it does not answer.
std::vector<std::int64_t> own_times(std::uint16_t port) {
  std::vector<std::int64_t> out;
  const auto answer = http_get(port, "/api/v1/query?query=ward_tsdb_series%5B1h%5D");
  const auto json = nlohmann::json::parse(answer.body, nullptr, false);
  if (json.is_discarded() || json.value("status", "") != "success") return out;
  for (const auto& series : json["data"]["result"])
    for (const auto& value : series["values"]) out.push_back(std::llround(value[0].get<double>() * 1'000));
  return out;
}

TEST(OwnSamples, AreThereAfterAKill) {
  Estate estate({Estate::Transport::insecure, 1, "", "", ""});
  estate.collector.start();
  std::vector<std::int64_t> told;
  const auto tells = [&](std::size_t least) {
    told = own_times(estate.http_port);
    return told.size() >= least;
  };
  ASSERT_TRUE(eventually(kPatience, [&] { return tells(2); })) << estate.logs();
  const auto before = told;
  ASSERT_TRUE(eventually(kPatience, [&] { return tells(before.size() + 2); })) << estate.logs();
  estate.collector.kill();
  estate.collector.start();
  ASSERT_TRUE(eventually(kPatience, [&] { return tells(before.size()); })) << estate.logs();
  for (const auto t : before) EXPECT_NE(std::find(told.begin(), told.end(), t), told.end()) << t;
}

}  // namespace
}  // namespace ward::test
