// What users' queries may take from the collector, over real connections: places, memory, and no work for who has left.
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <condition_variable>
#include <gtest/gtest.h>
#include <mutex>

#include "collector/api/label_query.hpp"
#include "tests/unit/collector/api/test_view.hpp"
#include "tests/unit/common/async/loop.hpp"

namespace ward::collector::api {
namespace {

using async::asio::ip::tcp;

/// Answers only when the test lets it.
class ClosedStore final : public Queryable {
 public:
  explicit ClosedStore(const Queryable& inner) : inner_(inner) {}
  ~ClosedStore() override { open(); }
  Result<std::vector<SeriesData>> select(std::span<const Matcher> matchers, Time from, Time to) const override {
    std::unique_lock lock(mutex_);
    ++asked_;
    opened_.wait_for(lock, async::kHanging, [this] { return open_; });
    lock.unlock();
    return inner_.select(matchers, from, to);
  }
  void open() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  [[nodiscard]] int asked() const {
    const std::scoped_lock lock(mutex_);
    return asked_;
  }

 private:
  const Queryable& inner_;
  mutable std::mutex mutex_;
  mutable std::condition_variable opened_;
  mutable int asked_ = 0;
  bool open_ = false;
};

struct BusyApi : testing::Test {
  BusyApi() {
    for (int i = 0; i < 60; ++i) view.add({{"__name__", "up"}}, from_ms(1'700'000'000'000 - i * 1000), 1);
    view.other_store = &store;
    auto handler = [this](http::ServerRequest request) {
      gone.push_back(request.gone);
      return answer(view, std::move(request));
    };
    server = http::make_server(io.get_executor(), {}, std::move(handler));
    if (auto started = server->start(); !started) throw std::logic_error(started.error().what);
  }
  ~BusyApi() override {
    store.open();  // and let no job outlive it
    until([&] { return view.metric("ward_query_in_flight") == 0; });
    async::run(io, server->stop());
  }

  tcp::socket ask(const std::string& target) {
    tcp::socket socket(io);
    socket.connect(tcp::endpoint(async::asio::ip::make_address("127.0.0.1"), server->port()));
    async::asio::write(socket, async::asio::buffer("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    return socket;
  }
  /// Runs what there is until something holds.
  template <class Condition>
  void until(Condition holds) {
    const auto latest = std::chrono::steady_clock::now() + async::kHanging;
    while (!holds() && std::chrono::steady_clock::now() < latest) {
      io.restart();
      io.run_one_for(std::chrono::milliseconds{5});
    }
    ASSERT_TRUE(holds());
  }
  std::string rest_of(tcp::socket& socket) {
    std::string all;
    bool ended = false;
    async::asio::async_read(socket, async::asio::dynamic_buffer(all),
                            [&](boost::system::error_code, std::size_t) { ended = true; });
    until([&] { return ended; });
    return all;
  }

  async::asio::io_context io;
  TestView view;
  ClosedStore store{view.head};
  std::vector<std::shared_ptr<const std::atomic<bool>>> gone;
  std::unique_ptr<http::Server> server;
};

constexpr const char* kQuery = "/api/v1/query?query=up%2Bup%2Bup";

TEST_F(BusyApi, EndsAQueryWhoseClientHasLeft) {
  auto client = ask(kQuery);
  until([&] { return store.asked() == 1; });
  EXPECT_EQ(view.metric("ward_query_in_flight"), 1);
  EXPECT_FALSE(*gone.at(0));
  client.close();
  until([&] { return gone.at(0)->load(); });
  store.open();
  until([&] { return view.metric("ward_query_cancelled_total") == 1; });
  EXPECT_EQ(store.asked(), 1) << "nothing more is read for nobody";
  EXPECT_EQ(view.metric("ward_query_in_flight"), 0);
  EXPECT_EQ(view.metric("ward_query_memory_bytes"), 0);
}

TEST_F(BusyApi, EndsAListOfSeriesWhoseClientHasLeft) {
  auto client = ask("/api/v1/series?match[]=up");
  until([&] { return store.asked() == 1; });
  client.close();
  until([&] { return gone.at(0)->load(); });
  store.open();
  until([&] { return view.metric("ward_query_cancelled_total") == 1; });
  EXPECT_EQ(view.metric("ward_query_memory_bytes"), 0);
}

TEST_F(BusyApi, AnswersWhoStays) {
  auto client = ask(kQuery);
  until([&] { return store.asked() == 1; });
  store.open();
  const auto answer = rest_of(client);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  EXPECT_EQ(view.metric("ward_query_cancelled_total"), 0);
}

TEST_F(BusyApi, RefusesOneTooManyAsPrometheusWould) {
  view.limit({.running = 1, .waiting = 0});
  auto first = ask(kQuery);
  until([&] { return store.asked() == 1; });
  auto second = ask(kQuery);
  const auto refused = rest_of(second);
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 503")) << refused;
  EXPECT_NE(refused.find("retry-after: 1"), std::string::npos) << refused;
  const auto body = nlohmann::json::parse(refused.substr(refused.find("\r\n\r\n")));
  EXPECT_EQ(body["status"], "error");
  EXPECT_EQ(body["errorType"], "unavailable");
  EXPECT_EQ(body["error"], "too many queries at once: 1 run and 0 wait. Ask again in a moment, or ask for less at once.");
  store.open();
  EXPECT_TRUE(rest_of(first).starts_with("HTTP/1.1 200"));
  auto third = ask(kQuery);
  EXPECT_TRUE(rest_of(third).starts_with("HTTP/1.1 200")) << "there is room again";
}

TEST_F(BusyApi, LetsOneWaitForItsTurn) {
  view.limit({.running = 1});
  auto first = ask(kQuery);
  until([&] { return store.asked() == 1; });
  auto second = ask(kQuery);
  until([&] { return view.metric("ward_query_waiting") == 1; });
  store.open();
  EXPECT_TRUE(rest_of(second).starts_with("HTTP/1.1 200"));
}

TEST_F(BusyApi, AnswersWhatIsNoQueryWhileQueriesTakeAllPlaces) {
  view.limit({.running = 1, .waiting = 0});
  auto first = ask(kQuery);
  until([&] { return store.asked() == 1; });
  for (const char* path : {"/healthz", "/metrics", "/api/v1/alerts", "/api/v1/rules", "/api/ward/v1/incidents"}) {
    auto other = ask(path);
    EXPECT_TRUE(rest_of(other).starts_with("HTTP/1.1 200")) << path;
  }
}

struct FullMemory : testing::Test {
  FullMemory() {
    for (int i = 0; i < 60; ++i) view.add({{"__name__", "up"}}, from_ms(1'700'000'000'000 - i * 1000), 1);
  }
  TestView view;
};
constexpr const char* kRange = "query=up&start=1699999940&end=1700000000&step=1s";

TEST_F(FullMemory, RefusesAQueryThatNeedsMoreThanAllMayHold) {
  view.limit({.bytes = 500});
  const auto refused = view.ask("/api/v1/query_range", kRange);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(nlohmann::json::parse(refused.body)["errorType"], "unavailable");
  EXPECT_EQ(view.metric("ward_query_refused_total", "memory"), 1);
  EXPECT_EQ(view.metric("ward_query_memory_bytes"), 0);
  EXPECT_EQ(view.ask("/api/v1/query", "query=1").status, 200) << "small ones go on";
}

TEST_F(FullMemory, EndsAQueryPastWhatOneMayHold) {
  view.limit({.query_bytes = 500});
  const auto refused = view.ask("/api/v1/query_range", kRange);
  EXPECT_EQ(refused.status, 422);
  EXPECT_NE(refused.body.find("MiB of memory"), std::string::npos) << refused.body;
}

async::Task<void> put(async::Task<http::ServerResponse> task, http::ServerResponse* out) { *out = co_await std::move(task); }

struct ManySeries : testing::Test {
  ManySeries() {
    for (int i = 0; i < 1'000; ++i)
      view.add({{"__name__", "up"}, {"instance", std::to_string(10'000 + i)}}, from_ms(1'700'000'000'000), 1);
  }
  static constexpr std::array<std::pair<const char*, const char*>, 3> kLists{
      {{"/api/v1/series", "match[]=up"}, {"/api/v1/label/instance/values", ""}, {"/api/v1/status/tsdb", ""}}};
  prometheus::LabelQuery all() {
    http::ServerRequest request;
    request.query = "match[]=up";
    return *prometheus::label_query(request);
  }
  TestView view;
};

TEST_F(ManySeries, AListEndsPastWhatOneQueryMayHold) {
  for (const auto& [path, query] : kLists) {
    view.limit({});
    EXPECT_EQ(view.ask(path, query).status, 200) << path;
    view.limit({.query_bytes = 30'000});
    const auto refused = view.ask(path, query);
    EXPECT_EQ(refused.status, 422) << path;
    EXPECT_NE(refused.body.find("MiB of memory"), std::string::npos) << refused.body;
    EXPECT_EQ(view.metric("ward_query_memory_bytes"), 0) << path;
  }
}

TEST_F(ManySeries, AListEndsPastWhatAllMayHold) {
  for (const auto& [path, query] : kLists) {
    view.limit({.bytes = 10'000});
    EXPECT_EQ(view.ask(path, query).status, 503) << path;
  }
}

TEST_F(ManySeries, AListEndsAtTheServersTimeoutAndWhenTheCollectorStops) {
  const auto lease = view.gate().lease();
  prometheus::Turn late{view.clock_.mono(), *lease};
  late.clock = &view.clock_;
  late.timeout = std::chrono::seconds{5};
  EXPECT_TRUE(prometheus::series_of(view.head, all(), late));
  view.clock_.advance(std::chrono::seconds{6});
  const auto ended = prometheus::series_of(view.head, all(), late);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Errc::timed_out);
  const std::atomic<bool> stopping{true};
  prometheus::Turn stopped{view.clock_.mono(), *lease};
  stopped.stopping = &stopping;
  EXPECT_EQ(prometheus::label_names_of(view.head, all(), stopped).error().code, Errc::cancelled);
}

TEST_F(ManySeries, ALimitBoundsWhatAListHolds) {
  auto query = all();
  query.limit = 2;
  const auto lease = view.gate().lease();
  prometheus::Turn turn{view.clock_.mono(), *lease};
  const auto some = prometheus::series_of(view.head, query, turn);
  ASSERT_TRUE(some);
  ASSERT_EQ(some->size(), 3U) << "one more tells that there are more";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(some->at(static_cast<std::size_t>(i)).get("instance"), std::to_string(10'000 + i));
  const auto of_limit = lease->held();
  ASSERT_TRUE(prometheus::series_of(view.head, all(), turn));
  EXPECT_GT(lease->held() - of_limit, of_limit + 1'000 * sizeof(Labels));
}

TEST_F(ManySeries, AFinishedAnswerIsGivenToAClientThatHasShutItsSideDown) {
  auto gone = std::make_shared<std::atomic<bool>>(false);
  http::ServerRequest request;
  request.gone = gone;
  auto work = [gone](const View&, const http::ServerRequest&, prometheus::Turn&) -> Result<http::ServerResponse> {
    *gone = true;
    return prometheus::success("[]");
  };
  async::asio::io_context io;
  http::ServerResponse answer;
  async::run(io, put(prometheus::on_worker(view, std::move(request), std::move(work)), &answer));
  EXPECT_EQ(answer.status, 200) << answer.body;
}

TEST_F(FullMemory, CountsAnAnswerUntilItIsWritten) {
  auto answer = view.ask("/api/v1/query_range", kRange);
  ASSERT_EQ(answer.status, 200);
  EXPECT_GE(view.metric("ward_query_memory_bytes"), static_cast<double>(answer.body.size()));
  answer.held.reset();
  EXPECT_EQ(view.metric("ward_query_memory_bytes"), 0);
}

}  // namespace
}  // namespace ward::collector::api
