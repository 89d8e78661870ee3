#include "collector/notify/sender.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <deque>
#include <gtest/gtest.h>

#include "collector/event/json.hpp"
#include "collector/notify/heartbeat_sender.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/unit/collector/notify/channel_bench.hpp"
#include "tests/unit/collector/notify/sample_incident.hpp"

namespace ward::collector::test {
namespace {

namespace asio = async::asio;
using ward::test::ManualClock;
using ward::test::SeededRandom;
using Answer = tl::expected<http::Response, http::Failure>;

Answer status(int code) {
  http::Response r;
  r.status = code;
  return r;
}

Answer failure(http::FailureKind kind) {
  http::Failure f;
  f.kind = kind;
  f.error = {Errc::unavailable, "alerts.example:443 cannot be reached", ""};
  return tl::unexpected(f);
}

/// Answers requests from a script, 200 when it has run out, and keeps them.
class FakeClient final : public http::Client {
 public:
  async::Task<Answer> send(http::Request request) override {
    requests.push_back(std::move(request));
    Answer answer = status(200);
    if (!script.empty()) {
      answer = script.front();
      script.pop_front();
    }
    co_return answer;
  }
  std::vector<http::Request> requests;
  std::deque<Answer> script;
};

/// A sender over a fake client and a store in memory; run() turns the loops until nothing is ready any more.
class Bench {
 public:
  Bench() {
    ::setenv("WARD_TEST_TOKEN", "s3cret", 1);
    const auto db = receiver_of("{name: pd-db, webhook: {url: 'https://alerts.example/db', token: {env: WARD_TEST_TOKEN}}}");
    const auto platform = receiver_of("{name: pd-platform, webhook: {url: 'https://alerts.example/platform'}}");
    sender = std::make_unique<Sender>(
        io.get_executor(), client, clock, outbox, std::vector{db, platform},
        [this](StateChange change) { return store(std::move(change)); },
        SenderOptions{.page = {}, .refused = [this](const Refusal& refusal) { refusals.push_back(refusal); }});
  }
  ~Bench() {
    asio::co_spawn(io, sender->stop(), asio::detached);
    while (!stopped()) io.run_one();
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  void add(NoticeKind kind, const std::string& receiver = "pd-db") {
    const auto notice = sample_notice(kind);
    Delivery d{.key = "key-" + std::string(to_string(kind)) + "-" + receiver,
               .incident = notice.incident.id,
               .kind = kind,
               .receiver = receiver,
               .body = to_json(notice),
               .created_at = clock.wall()};
    const auto rows = outbox.plan(std::vector{d}, clock.wall());
    outbox.accept(rows);
    sender->wake();
  }
  void run() {
    io.restart();
    while (io.poll() > 0) {}
  }
  async::Task<Status> store(StateChange change) {
    if (disk_full) co_return fail(Errc::full, "disk full", "");
    append(stored, std::move(change));
    co_return Status{};
  }

  asio::io_context io;
  FakeClient client;
  ManualClock clock;
  SeededRandom random;
  Outbox outbox{{.fallbacks = {{"pd-db", "pd-platform"}}}, random};
  StateChange stored;
  std::vector<Refusal> refusals;
  bool disk_full = false;
  std::unique_ptr<Sender> sender;

 private:
  // The loops hold the last work; poll them out.
  bool stopped() {
    io.restart();
    return io.poll() == 0;
  }
};

TEST(Sender, PostsTheMessageWithKeyAndToken) {
  Bench bench;
  bench.add(NoticeKind::fire);
  bench.sender->start();
  bench.run();
  ASSERT_EQ(bench.client.requests.size(), 1U);
  const auto& request = bench.client.requests[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://alerts.example/db");
  EXPECT_EQ(header(request, "Idempotency-Key"), "key-fire-pd-db");
  EXPECT_EQ(header(request, "Authorization"), "Bearer s3cret");
  EXPECT_EQ(header(request, "Content-Type"), "application/json");
  EXPECT_EQ(request.max_redirects, 0);
  EXPECT_EQ(request.max_body_bytes, 65536U);
  EXPECT_EQ(request.timeout, std::chrono::seconds{10});
  ASSERT_EQ(bench.stored.delivery_updates.size(), 1U);
  EXPECT_EQ(bench.stored.delivery_updates[0].state, DeliveryState::delivered);
}

TEST(Sender, TellsOfALoopThatBroke) {
  asio::io_context io;
  FakeClient client;
  ManualClock clock;
  SeededRandom random;
  Outbox outbox{{}, random};
  std::vector<std::string> broken;
  const auto commit = [](StateChange) -> async::Task<Status> {
    throw std::runtime_error("out of memory");
    co_return Status{};
  };
  Sender sender(io.get_executor(), client, clock, outbox, {}, commit, SenderOptions{},
                [&](const std::string& task, const std::exception_ptr&) { broken.push_back(task); });
  const auto notice = sample_notice(NoticeKind::fire);
  const Delivery d{.key = "key",
                   .incident = notice.incident.id,
                   .kind = NoticeKind::fire,
                   .receiver = "nobody",
                   .body = to_json(notice),
                   .created_at = clock.wall()};
  outbox.accept(outbox.plan(std::vector{d}, clock.wall()));
  sender.start();
  while (io.poll() > 0) {}
  EXPECT_EQ(broken, std::vector<std::string>{"outbox saves"});
  bool ended = false;
  const auto stopped = [&](const std::exception_ptr&) { ended = true; };
  asio::co_spawn(io, sender.stop(), stopped);
  io.restart();
  io.run();
  EXPECT_TRUE(ended);
}

TEST(Sender, SendsTheEndAfterTheBeginning) {
  Bench bench;
  bench.add(NoticeKind::fire);
  bench.add(NoticeKind::resolve);
  bench.sender->start();
  bench.run();
  ASSERT_EQ(bench.client.requests.size(), 2U);
  EXPECT_EQ(header(bench.client.requests[1], "Idempotency-Key"), "key-resolve-pd-db");
}

TEST(Sender, KeepsWhatTheReceiverCannotTakeNow) {
  for (const auto& answer :
       {status(503), failure(http::FailureKind::timeout), failure(http::FailureKind::connect_refused)}) {
    Bench bench;
    bench.client.script = {answer};
    bench.add(NoticeKind::fire);
    bench.sender->start();
    bench.run();
    EXPECT_EQ(bench.client.requests.size(), 1U);
    EXPECT_EQ(bench.outbox.pending(), 1U);
    bench.clock.advance(std::chrono::seconds{2});
    bench.sender->wake();
    bench.run();
    EXPECT_EQ(bench.client.requests.size(), 2U);
    EXPECT_EQ(bench.outbox.pending(), 0U);
  }
}

TEST(Sender, TurnsToTheFallbackWhenRefusedAndNeverLeaksTheToken) {
  for (const auto& answer : {status(410), status(302), failure(http::FailureKind::tls_untrusted)}) {
    Bench bench;
    bench.client.script = {answer};
    bench.add(NoticeKind::fire);
    bench.sender->start();
    bench.run();
    ASSERT_EQ(bench.client.requests.size(), 2U);
    EXPECT_EQ(bench.client.requests[1].url, "https://alerts.example/platform");
    EXPECT_EQ(header(bench.client.requests[1], "Authorization"), "");
  }
}

TEST(Sender, RefusesForAReceiverThatIsGoneFromTheConfiguration) {
  Bench bench;
  bench.add(NoticeKind::fire, "pd-old");
  bench.sender->start();
  bench.run();
  EXPECT_TRUE(bench.client.requests.empty());
  EXPECT_EQ(bench.outbox.undeliverable(), 1U);
}

TEST(Sender, TellsOfEveryRefusalAndWhetherAnybodyIsLeft) {
  Bench bench;
  bench.client.script = {status(401), status(410)};
  bench.add(NoticeKind::fire);
  bench.sender->start();
  bench.run();
  ASSERT_EQ(bench.refusals.size(), 2U);
  EXPECT_EQ(bench.refusals[0].receiver, "pd-db");
  EXPECT_EQ(bench.refusals[0].why, "the receiver answered HTTP 401");
  EXPECT_FALSE(bench.refusals[0].nobody_left);
  EXPECT_EQ(bench.refusals[1].receiver, "pd-platform");
  EXPECT_TRUE(bench.refusals[1].nobody_left);
  EXPECT_EQ(bench.outbox.undeliverable(), 1U);
  bench.clock.advance(std::chrono::seconds{60});
  bench.sender->wake();
  bench.run();
  EXPECT_EQ(bench.client.requests.size(), 3U);
  EXPECT_EQ(bench.outbox.undeliverable(), 0U);
}

TEST(Sender, SendsNoFallbackBeforeItIsStored) {
  Bench bench;
  bench.disk_full = true;
  bench.client.script = {status(410)};
  bench.add(NoticeKind::fire);
  bench.sender->start();
  bench.run();
  EXPECT_EQ(bench.client.requests.size(), 1U);
  EXPECT_EQ(bench.sender->failed_commits(), 1U);
  EXPECT_EQ(bench.outbox.pending(), 1U);
  bench.disk_full = false;
}

TEST(Sender, StoresOpenResultsWhenItStops) {
  StateChange stored;
  {
    Bench bench;
    bench.disk_full = true;
    bench.add(NoticeKind::fire);
    bench.sender->start();
    bench.run();
    EXPECT_TRUE(is_empty(bench.stored));
    bench.disk_full = false;
    asio::co_spawn(bench.io, bench.sender->stop(), asio::detached);
    bench.run();
    stored = bench.stored;
  }
  ASSERT_EQ(stored.delivery_updates.size(), 1U);
  EXPECT_EQ(stored.delivery_updates[0].state, DeliveryState::delivered);
}

TEST(HeartbeatSender, PostsBeatsAndReportsTheMissedOnes) {
  asio::io_context io;
  FakeClient client;
  ManualClock clock;
  Heartbeat heartbeat({});
  std::vector<std::string> missed;
  const HttpTarget watchdog{.url = "https://watch.example/x", .token = Secret{}, .ca_file = "", .proxy = ""};
  bool alive = true;
  const auto beat_once = [&] {
    HeartbeatSender sender(
        io.get_executor(), client, clock, heartbeat, watchdog,
        [&](Heartbeat& h) {
          if (alive)
            for (const auto s : {Heartbeat::Stage::evaluation, Heartbeat::Stage::ingest, Heartbeat::Stage::outbox})
              h.progress(s, clock.mono());
          return Heartbeat::Figures{};
        },
        [&](const Error& e) { missed.push_back(e.what); });
    sender.start();
    io.restart();
    io.poll();
    asio::co_spawn(io, sender.stop(), asio::detached);
    while (io.poll() > 0) {}
  };
  beat_once();
  EXPECT_EQ(client.requests.size(), 1U);
  EXPECT_TRUE(missed.empty());
  client.script = {status(500)};
  beat_once();
  EXPECT_EQ(client.requests.size(), 2U);
  EXPECT_EQ(missed.size(), 1U);
  alive = false;
  clock.advance(std::chrono::minutes{2});
  beat_once();
  EXPECT_EQ(client.requests.size(), 2U);
  EXPECT_EQ(missed.size(), 2U);
  EXPECT_EQ(heartbeat.missed(), 2U);
}

}  // namespace
}  // namespace ward::collector::test
