// The way from the queue to a receiver that answers as it likes, in virtual time.
#include "collector/forward/target_sender.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <numeric>
#include <thread>

#include "common/remote_write/write_request.hpp"
#include "tests/support/manual_timers.hpp"
#include "tests/unit/collector/forward/queue_bed.hpp"

namespace ward::collector::test {
namespace {

namespace asio = async::asio;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::Gt;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;
using testing::UnorderedElementsAre;

using Answer = tl::expected<http::Response, http::Failure>;

Answer status(int code, http::Headers headers = {}) {
  http::Response response;
  response.status = code;
  response.headers = std::move(headers);
  return response;
}

Answer refused_connection() {
  http::Failure failure;
  failure.kind = http::FailureKind::connect_refused;
  failure.error = Error{Errc::unavailable, "mimir.example:443 refuses connections", ""};
  return tl::unexpected(failure);
}

/// Decodes what it gets and answers what the test says.
class FakeReceiver final : public http::Client {
 public:
  struct Got {
    http::Request request;
    std::map<Labels, std::vector<Sample>> series;
    std::vector<std::string> metadata;
    MonoTime at;
  };
  explicit FakeReceiver(const Clock& clock) : clock_(clock) {}

  async::Task<Answer> send(http::Request request) override {
    Got got;
    got.at = clock_.mono();
    const auto version = std::find(request.headers.begin(), request.headers.end(),
                                   std::pair<std::string, std::string>{"X-Prometheus-Remote-Write-Version", "2.0.0"});
    const auto message = version != request.headers.end() ? remote_write::Message::v2 : remote_write::Message::v1;
    const auto bytes = remote_write::unpack(request.body, 64 << 20).value();
    const auto read = remote_write::decode(message, bytes, remote_write::Limits{}).value();
    EXPECT_TRUE(read.refused.empty()) << read.first_refused;
    for (const auto& series : read.series) {
      std::vector<Label> labels;
      for (const auto& [name, value] : read.labels_of(series)) labels.emplace_back(name, value);
      const auto samples = read.samples_of(series);
      got.series[Labels{labels}] = {samples.begin(), samples.end()};
    }
    for (const auto& told : read.metadata) got.metadata.push_back(std::string(told.metric) + " " + std::string(told.help));
    got.request = std::move(request);
    auto said = answer ? answer(got) : status(204);
    if (said && said->status / 100 == 2) taken.push_back(got);
    all.push_back(std::move(got));
    co_return said;
  }
  /// Times of one series in all requests that were taken, in their order.
  [[nodiscard]] std::vector<std::int64_t> times(const Labels& labels) const {
    std::vector<std::int64_t> out;
    for (const auto& got : taken)
      if (const auto at = got.series.find(labels); at != got.series.end())
        for (const auto& sample : at->second) out.push_back((to_ms(sample.t) - 1'000'000) / 1'000);
    return out;
  }
  [[nodiscard]] std::size_t samples() const {
    std::size_t out = 0;
    for (const auto& got : taken)
      for (const auto& [labels, samples] : got.series) out += samples.size();
    return out;
  }
  std::function<Answer(const Got&)> answer;
  std::vector<Got> all, taken;

 private:
  const Clock& clock_;
};

struct Lines final : telemetry::LogSink {
  std::vector<std::string> lines;
  void write(std::string_view line) override { lines.emplace_back(line); }
};

class Bench {
 public:
  explicit Bench(ForwardTarget configured = target()) : queue({{"mimir", configured.queue.max_size}}), options(configured) {
    restart();
  }
  ~Bench() { stop(); }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  static ForwardTarget target() {
    ForwardTarget out;
    out.name = "mimir";
    out.url = "https://mimir.example/api/v1/push";
    out.queue.shards = 1;
    return out;
  }
  void restart() {
    sender = std::make_unique<TargetSender>(
        options, 0,
        TargetSender::Context{
            io.get_executor(), receiver, queue.clock, timers, random, log, queue.metrics, pool, *queue.queue, metadata, {}});
    sender->start();
    settle();
  }
  void stop() {
    if (!sender) return;
    bool stopped = false;
    asio::co_spawn(io, sender->stop(), [&](const std::exception_ptr&) { stopped = true; });
    EXPECT_TRUE(until([&] { return stopped; }));
    sender.reset();
  }
  void commit(std::vector<SeriesId> ids, double value = 1) {
    queue.commit({queue.record(std::move(ids), value)});
    sender->wake();
  }
  /// Lets run what can run without time passing; a job on the pool takes its own.
  bool until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + seconds{60};
    for (timers.settle(); !done(); timers.settle()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(milliseconds{1});
    }
    return true;
  }
  /// Until everything waits for time to pass: the loop or its shards, and beside them that of the metadata. What runs on the
  /// pool waits for none.
  void settle() {
    const std::size_t loops = options.message == remote_write::Message::v1 && options.metadata ? 2 : 1;
    EXPECT_TRUE(until([&] { return timers.waiting() >= loops; }));
  }
  void pass(milliseconds time) {
    for (; time > milliseconds{0}; time -= milliseconds{100}) {
      timers.pass(std::min(time, milliseconds{100}));
      settle();
    }
  }
  double counter(const std::string& name, Labels labels = {}) {
    labels.set("remote", "mimir");
    labels.set(kNameLabel, "ward_remote_storage_" + name);
    for (const auto& [series, value] : queue.metrics.snapshot())
      if (series == labels) return value;
    return -1;
  }

  QueueBed queue;
  ForwardTarget options;
  asio::io_context io;
  ward::test::ManualTimers timers{queue.clock, io};
  FakeReceiver receiver{queue.clock};
  ward::test::SeededRandom random;
  Lines lines;
  telemetry::Logger log{telemetry::LogSettings{}, queue.clock, lines};
  async::BlockingPool pool;
  MetricMetadata metadata;
  std::unique_ptr<TargetSender> sender;
};

TEST(TargetSender, SendsAfterTheDeadlineAndAdvances) {
  Bench bench;
  bench.commit({0});
  bench.commit({0, 1});
  bench.pass(milliseconds{4'800});
  EXPECT_THAT(bench.receiver.all, IsEmpty());
  bench.pass(milliseconds{400});
  ASSERT_TRUE(bench.until([&] { return bench.receiver.samples() == 3; }));
  EXPECT_THAT(bench.receiver.all, SizeIs(1));
  EXPECT_THAT(bench.receiver.times(series_labels(0)), ElementsAre(1, 2));
  EXPECT_EQ(bench.counter("samples_total"), 3);
  EXPECT_GT(bench.counter("bytes_total"), 0);
  ASSERT_TRUE(bench.until([&] { return bench.counter("queue_highest_sent_timestamp_seconds") >= 1'002; }));
  EXPECT_EQ(bench.counter("samples_pending"), 0);
}

TEST(TargetSender, SaysWhatItSends) {
  auto target = Bench::target();
  target.headers = {{"X-Scope-OrgID", "clinics"}};
  target.credentials.username = "ward";
  target.credentials.password = Secret("secret");
  target.proxy = "http://proxy:3128";
  target.tls.ca_file = "/ca.pem";
  Bench bench(target);
  bench.commit({0});
  bench.pass(seconds{6});
  ASSERT_TRUE(bench.until([&] { return bench.receiver.samples() == 1; }));
  const auto& request = bench.receiver.all[0].request;
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://mimir.example/api/v1/push");
  EXPECT_EQ(request.max_redirects, 0) << "credentials do not travel";
  EXPECT_EQ(request.proxy, "http://proxy:3128");
  EXPECT_EQ(request.tls.ca_file, "/ca.pem");
  EXPECT_THAT(
      request.headers,
      UnorderedElementsAre(std::pair{"X-Scope-OrgID", "clinics"}, std::pair{"Content-Type", "application/x-protobuf"},
                           std::pair{"Content-Encoding", "snappy"}, std::pair{"User-Agent", "ward-collector"},
                           std::pair{"X-Prometheus-Remote-Write-Version", "0.1.0"},
                           std::pair{"Authorization", "Basic d2FyZDpzZWNyZXQ="}));
}

TEST(TargetSender, SendsFullRequestsAtOnceAndNoLargerOnes) {
  auto target = Bench::target();
  target.queue.max_samples_per_send = 10;
  Bench bench(target);
  for (int i = 0; i < 35; ++i) bench.commit({0});
  ASSERT_TRUE(bench.until([&] { return bench.receiver.samples() >= 30; }));
  bench.pass(seconds{6});
  ASSERT_TRUE(bench.until([&] { return bench.receiver.samples() == 35; }));
  for (const auto& got : bench.receiver.all)
    for (const auto& [labels, samples] : got.series) EXPECT_LE(samples.size(), 10U);
}

TEST(TargetSender, KeepsTheOrderOfEachSeriesOverItsShards) {
  auto target = Bench::target();
  target.queue.shards = 4;
  target.queue.max_samples_per_send = 7;
  Bench bench(target);
  int answers = 0;
  bench.receiver.answer = [&](const FakeReceiver::Got&) { return status(++answers % 3 == 0 ? 503 : 204); };
  std::vector<SeriesId> ids(20);
  std::iota(ids.begin(), ids.end(), 0U);
  for (int i = 0; i < 40; ++i) bench.commit(ids);
  for (int i = 0; i < 600 && bench.receiver.samples() < 800; ++i) bench.pass(seconds{1});
  ASSERT_EQ(bench.receiver.samples(), 800U);
  std::vector<std::int64_t> all(40);
  std::iota(all.begin(), all.end(), 1);
  for (const auto id : ids) ASSERT_EQ(bench.receiver.times(series_labels(id)), all) << id;
  // More than one series in a request, and not all series in one shard.
  std::set<std::vector<Labels>> together;
  for (const auto& got : bench.receiver.all) {
    std::vector<Labels> of_request;
    for (const auto& [labels, samples] : got.series) of_request.push_back(labels);
    together.insert(std::move(of_request));
  }
  EXPECT_THAT(together, SizeIs(Gt(3U)));
}

TEST(TargetSender, TriesAgainWithGrowingWaitsUntilItIsTaken) {
  Bench bench;
  bench.receiver.answer = [&](const FakeReceiver::Got&) {
    return bench.receiver.all.size() < 12 ? (bench.receiver.all.size() % 2 == 0 ? refused_connection() : status(500))
                                          : status(204);
  };
  bench.commit({0});
  bench.pass(seconds{60});
  ASSERT_TRUE(bench.until([&] { return bench.receiver.samples() == 1; }));
  ASSERT_THAT(bench.receiver.all, SizeIs(13));
  for (std::size_t i = 1; i < bench.receiver.all.size(); ++i) {
    const auto waited = bench.receiver.all[i].at - bench.receiver.all[i - 1].at;
    // Full jitter below 30 ms, 60 ms ... 5 s; the clock moves in steps of 100 ms while others run.
    EXPECT_LE(waited, std::min<std::chrono::nanoseconds>(milliseconds{30} * (1 << (i - 1)), seconds{5}) + milliseconds{100});
    EXPECT_EQ(bench.receiver.all[i].request.body, bench.receiver.all[0].request.body);
  }
  EXPECT_EQ(bench.counter("samples_retried_total"), 12);
  EXPECT_EQ(bench.counter("samples_total"), 1);
  int told = 0;
  for (const auto& line : bench.lines.lines) told += line.find("takes no samples") != std::string::npos ? 1 : 0;
  EXPECT_THAT(told, AllOf(Gt(0), Le(2))) << "once a minute";
}

TEST(TargetSender, WaitsAsLongAsTheReceiverSays) {
  Bench bench;
  bench.receiver.answer = [&](const FakeReceiver::Got&) {
    return bench.receiver.all.empty() ? status(429, {{"retry-after", "20"}}) : status(204);
  };
  bench.commit({0});
  bench.pass(seconds{30});
  ASSERT_TRUE(bench.until([&] { return bench.receiver.samples() == 1; }));
  ASSERT_THAT(bench.receiver.all, SizeIs(2));
  EXPECT_GE(bench.receiver.all[1].at - bench.receiver.all[0].at, seconds{20});
}

TEST(TargetSender, DropsWhatIsRefusedForGoodAndGoesOn) {
  Bench bench;
  bench.receiver.answer = [&](const FakeReceiver::Got&) { return status(bench.receiver.all.empty() ? 413 : 204); };
  bench.commit({0, 1});
  bench.pass(seconds{6});
  ASSERT_TRUE(bench.until([&] { return bench.receiver.all.size() == 1; }));
  bench.commit({0});
  bench.pass(seconds{6});
  ASSERT_TRUE(bench.until([&] { return bench.receiver.samples() == 1; }));
  EXPECT_EQ(bench.counter("samples_failed_total", {{"reason", "refused"}}), 2);
  EXPECT_EQ(bench.counter("samples_total"), 1);
  EXPECT_THAT(bench.lines.lines, testing::Contains(HasSubstr("refused samples; they are not sent again")));
}

TEST(TargetSender, LosesTheRefusedSamplesAloneNotThoseBesideThem) {
  Bench bench;
  // As Prometheus: a request with one sample that it does not take is not taken at all.
  const auto bad = series_labels(33);
  bench.receiver.answer = [&](const FakeReceiver::Got& got) {
    const auto at = got.series.find(bad);
    return status(at != got.series.end() && at->second.front().t == from_ms(1'001'000) ? 400 : 204);
  };
  std::vector<SeriesId> ids(100);
  std::iota(ids.begin(), ids.end(), 0U);
  bench.commit(ids);
  bench.commit(ids);
  bench.pass(seconds{6});
  ASSERT_TRUE(bench.until([&] { return bench.receiver.samples() == 199; }));
  EXPECT_THAT(bench.receiver.times(bad), ElementsAre(2));
  EXPECT_EQ(bench.counter("samples_failed_total", {{"reason", "refused"}}), 1);
  EXPECT_EQ(bench.counter("samples_total"), 199);
  EXPECT_LT(bench.receiver.all.size(), 30U);
}

TEST(TargetSender, DoesNotTakeAReceiverApartThatRefusesEverything) {
  Bench bench;
  bench.receiver.answer = [&](const FakeReceiver::Got&) { return status(400); };
  std::vector<SeriesId> ids(1'000);
  std::iota(ids.begin(), ids.end(), 0U);
  for (int i = 0; i < 10; ++i) bench.commit(ids);
  bench.pass(seconds{20});
  ASSERT_TRUE(bench.until([&] { return bench.counter("samples_failed_total", {{"reason", "refused"}}) == 10'000; }));
  EXPECT_LT(bench.receiver.all.size(), 300U);
}

TEST(TargetSender, CountsARefusalOfWhatMayBeThereAlreadyApart) {
  Bench bench;
  bench.receiver.answer = [&](const FakeReceiver::Got&) { return status(bench.receiver.all.empty() ? 504 : 400); };
  bench.commit({0, 1});
  bench.pass(seconds{7});
  ASSERT_TRUE(bench.until([&] { return bench.counter("samples_failed_total", {{"reason", "repeated"}}) == 2; }));
  EXPECT_EQ(bench.counter("samples_failed_total", {{"reason", "refused"}}), 0);
}

TEST(TargetSender, RelabelsAndCountsWhatRelabellingDrops) {
  auto target = Bench::target();
  config::Problems problems;
  const auto yaml = config::parse_yaml(
      "rules:\n- {action: drop, source_labels: [__name__], regex: m1}\n- {target_label: cluster, replacement: eu}\n", "x");
  config::Section section(yaml->front(), "", problems);
  target.write_relabel = read_relabelling(section, "rules");
  Bench bench(target);
  bench.commit({0, 1});
  bench.pass(seconds{6});
  ASSERT_TRUE(bench.until([&] { return bench.receiver.samples() == 1; }));
  EXPECT_THAT(bench.receiver.times(series_labels(0).with("cluster", "eu")), ElementsAre(1));
  EXPECT_EQ(bench.counter("samples_dropped_total", {{"reason", "relabelled"}}), 1);
}

TEST(TargetSender, SendsStaleMarkersToTheBit) {
  Bench bench;
  bench.commit({0}, stale_marker());
  bench.pass(seconds{6});
  ASSERT_TRUE(bench.until([&] { return bench.receiver.samples() == 1; }));
  EXPECT_TRUE(is_stale(bench.receiver.all[0].series.at(series_labels(0)).at(0).v));
}

TEST(TargetSender, DropsWhatIsOlderThanItMay) {
  auto target = Bench::target();
  target.queue.max_age = seconds{30};
  Bench bench(target);
  bench.queue.clock.set_wall(from_ms(1'000'000));
  bench.receiver.answer = [](const FakeReceiver::Got&) { return status(503); };
  bench.commit({0});  // one second later by its own time
  bench.pass(seconds{6});
  EXPECT_THAT(bench.receiver.all, SizeIs(Gt(1U)));
  bench.pass(seconds{40});
  ASSERT_TRUE(bench.until([&] { return bench.counter("samples_dropped_total", {{"reason", "too_old"}}) == 1; }));
  bench.receiver.answer = nullptr;
  bench.commit({0, 1});  // too old when it comes
  bench.pass(seconds{6});
  ASSERT_TRUE(bench.until([&] { return bench.counter("samples_dropped_total", {{"reason", "too_old"}}) == 3; }));
  EXPECT_EQ(bench.receiver.samples(), 0U);
}

TEST(TargetSender, RepeatsTheSameRequestsAfterARestart) {
  auto target = Bench::target();
  target.queue.shards = 3;
  target.queue.max_samples_per_send = 5;
  Bench bench(target);
  bench.receiver.answer = [&](const FakeReceiver::Got&) {
    return bench.receiver.all.size() < 4 ? status(204) : status(503);
  };
  std::vector<SeriesId> ids(12);
  std::iota(ids.begin(), ids.end(), 0U);
  for (int i = 0; i < 3; ++i) bench.commit(ids);
  ASSERT_TRUE(bench.until([&] { return bench.receiver.taken.size() == 4; }));
  bench.pass(seconds{3});
  bench.stop();
  std::set<std::string> before;
  for (const auto& got : bench.receiver.all) before.insert(got.request.body);
  const auto asked = bench.receiver.all.size();

  bench.queue.commit({bench.queue.record(ids)});
  bench.queue.crash(bench.queue.seq());
  bench.receiver.answer = nullptr;
  bench.restart();
  bench.pass(seconds{10});
  ASSERT_TRUE(bench.until([&] { return bench.counter("samples_pending") == 0; }));
  std::set<std::string> after;
  for (std::size_t i = asked; i < bench.receiver.all.size(); ++i) after.insert(bench.receiver.all[i].request.body);
  for (const auto& body : before) EXPECT_TRUE(after.contains(body)) << "a request was cut in another way";
  for (const auto id : ids) {
    const auto times = bench.receiver.times(series_labels(id));
    EXPECT_THAT(std::set<std::int64_t>(times.begin(), times.end()), ElementsAre(1, 2, 3, 4));
  }
}

TEST(TargetSender, SendsWhatIsLateApartFromTheRestAndBeforeIt) {
  Bench bench;
  auto late = bench.queue.record({0});
  for (auto& sample : std::get<ReceivedRecord>(late).record.samples) sample.t -= std::chrono::hours{3};
  bench.queue.commit({bench.queue.record({1, 0}), late, bench.queue.record({2})});
  bench.sender->wake();
  bench.receiver.answer = [&](const FakeReceiver::Got&) { return status(bench.receiver.all.empty() ? 400 : 204); };
  bench.pass(seconds{6});
  ASSERT_TRUE(bench.until([&] { return bench.receiver.samples() == 3; }));
  EXPECT_EQ(bench.counter("samples_failed_total", {{"reason", "refused"}}), 1) << "out of bounds, alone";
}

TEST(TargetSender, CountsDamagedRows) {
  Bench bench;
  bench.stop();
  bench.queue.commit({bench.queue.record({0, 1})});
  bench.queue.commit({bench.queue.record({0})});
  ASSERT_TRUE(bench.queue.raw().run("UPDATE record SET payload=x'0102' WHERE id=1"));
  bench.queue.open();
  bench.restart();
  bench.pass(seconds{6});
  ASSERT_TRUE(bench.until([&] { return bench.receiver.samples() == 1; }));
  EXPECT_EQ(bench.counter("samples_dropped_total", {{"reason", "damaged"}}), 2);
}

TEST(TargetSender, Speaks20WithMetadataAndCountsWhatWasNotWritten) {
  auto target = Bench::target();
  target.message = remote_write::Message::v2;
  Bench bench(target);
  bench.metadata.put(TenantId{"t1"}, "m0", {MetricType::counter, "Help.", ""});
  bench.receiver.answer = [&](const FakeReceiver::Got&) {
    return status(204, {{"x-prometheus-remote-write-samples-written", "1"}});
  };
  bench.commit({0, 1});
  bench.pass(seconds{6});
  ASSERT_TRUE(bench.until([&] { return bench.counter("samples_total") == 1; }));
  EXPECT_EQ(bench.counter("samples_failed_total", {{"reason", "unwritten"}}), 1);
  EXPECT_THAT(bench.receiver.all[0].metadata, ElementsAre("m0 Help."));
}

TEST(TargetSender, TellsMetadataEveryMinuteIn10) {
  Bench bench;
  bench.metadata.put(TenantId{"t1"}, "m0", {MetricType::counter, "Help.", ""});
  bench.pass(seconds{125});
  ASSERT_TRUE(bench.until([&] { return bench.receiver.all.size() == 2; }));
  for (const auto& got : bench.receiver.all) EXPECT_THAT(got.metadata, ElementsAre("m0 Help."));
  EXPECT_EQ(bench.counter("metadata_total"), 2);
}

TEST(TargetSender, StopsWhileItWaits) {
  Bench bench;
  bench.receiver.answer = [](const FakeReceiver::Got&) { return refused_connection(); };
  bench.commit({0});
  bench.pass(seconds{7});
  bench.stop();
  EXPECT_THAT(bench.receiver.all, SizeIs(Gt(0U)));
}

}  // namespace
}  // namespace ward::collector::test
