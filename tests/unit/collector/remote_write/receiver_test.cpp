// Remote write from request to answer: over a real journal where it must last, over a fake one where it must fail.
#include "collector/remote_write/receiver.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <gmock/gmock.h>

#include "collector/parts.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/remote_write_body.hpp"
#include "tests/support/sample_store.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/collector/ingest/fake_journal.hpp"

namespace ward::collector {
namespace {

using std::chrono::milliseconds;
using test::body_v1;
using test::body_v2;
using test::packed;
using test::SentSeries;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Fault = FakeJournal::Fault;

constexpr std::string_view kV2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request";
const SentSeries kUp{{{"__name__", "up"}, {"job", "node"}, {"tenant", "another"}}, {{1'000, 1}, {2'000, 0}}};
const SentSeries kLoad{{{"__name__", "node_load1"}}, {{1'500, 0.25}}};
const SentSeries kUnsorted{{{"job", "node"}, {"__name__", "up"}}, {{1'000, 1}, {2'000, 1}}};

struct Lines final : telemetry::LogSink {
  std::string text;
  void write(std::string_view line) override { text += line; }
};

/// One life of a collector, as far as remote write needs it.
struct Life {
  Life(const CollectorConfig& config, const RemoteWriteOptions& options, const std::string& dir, Journal* other)
      : opened(test::open_store(dir, config, metrics)),
        store(*opened),
        server(StreamServer::Options{}, StreamServer::Context{io.get_executor(),
                                                              clock,
                                                              log,
                                                              metrics,
                                                              pool,
                                                              other != nullptr ? *other : *store.journal,
                                                              store.catalogue,
                                                              store.sink,
                                                              [this] { ++arrivals; },
                                                              {}}),
        receiver(options, {clock, log, metrics, pool, store.catalogue, server,
                           [this](SeriesId id) { return store.head.last_sample(SeriesRef{id + 1}); }}) {
    EXPECT_EQ(store.replay(clock.wall()).value(), 0U);
    server.expect(store.journal->streams().value());
    EXPECT_TRUE(server.open_local(options.tenants()));
  }
  ~Life() {
    bool stopped = false;
    boost::asio::co_spawn(io, server.stop(), [&](const std::exception_ptr&) { stopped = true; });
    EXPECT_TRUE(runs_until([&] { return stopped; }));
  }
  bool runs_until(const std::function<bool()>& done) {
    io.restart();
    for (int i = 0; i < 60'000 && !done(); ++i) io.run_one_for(milliseconds{1});
    return done();
  }
  using Answer = std::shared_ptr<std::optional<http::ServerResponse>>;
  Answer post(std::string body, std::string token = "first-secret-token", std::string_view type = "application/x-protobuf") {
    http::ServerRequest request;
    request.method = "POST";
    request.path = RemoteWriteReceiver::kPath;
    request.headers = {{"content-type", std::string(type)}, {"content-encoding", "snappy"}};
    if (!token.empty()) request.headers.emplace_back("authorization", "Bearer " + token);
    request.body = std::move(body);
    return send(std::move(request));
  }
  Answer send(http::ServerRequest request) {
    auto answer = std::make_shared<std::optional<http::ServerResponse>>();
    boost::asio::co_spawn(io, receiver.answer(std::move(request)),
                          [answer](const std::exception_ptr&, http::ServerResponse got) { *answer = std::move(got); });
    return answer;
  }
  http::ServerResponse wait(const Answer& answer) {
    EXPECT_TRUE(runs_until([&] { return answer->has_value(); }));
    return answer->value_or(http::ServerResponse{});
  }
  double metric(std::string_view name, const Labels& labels = {}) { return metrics.counter(name, "", labels).value(); }
  /// `up{...} 1000 2000` for each series of a metric.
  std::vector<std::string> stored(const std::string& metric) {
    const Matcher matchers[] = {*Matcher::make(Matcher::Op::equal, std::string(kNameLabel), metric)};
    std::vector<std::string> out;
    const auto found = store.head.select(matchers, from_ms(-1'000'000'000), from_ms(1'000'000'000));
    for (const auto& series : *found) {
      out.push_back(to_string(series.labels));
      for (const auto& sample : series.samples) out.back() += " " + std::to_string(to_ms(sample.t));
    }
    return out;
  }

  boost::asio::io_context io;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work = boost::asio::make_work_guard(io);
  test::ManualClock clock;
  Lines lines;
  telemetry::Logger log{telemetry::LogSettings{}, clock, lines};
  telemetry::Registry metrics;
  async::BlockingPool pool;
  std::unique_ptr<Store> opened;
  Store& store;
  int arrivals = 0;
  StreamServer server;
  RemoteWriteReceiver receiver;
};

std::string header(const http::ServerResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return "-";
}

struct RemoteWrite : testing::Test {
  RemoteWrite() {
    options.tokens = {{TenantId{"clinic-a"}, Secret{"first-secret-token"}},
                      {TenantId{"clinic-b"}, Secret{"other-secret-token"}}};
  }
  Life& begin(Journal* other = nullptr) {
    life.reset();
    life = std::make_unique<Life>(config, options, dir, other);
    return *life;
  }
  http::ServerResponse post(std::string body, std::string token = "first-secret-token",
                            std::string_view type = "application/x-protobuf") {
    return life->wait(life->post(std::move(body), std::move(token), type));
  }

  test::TempDir folder{"remote-write"};
  std::string dir = folder.string();
  CollectorConfig config;
  RemoteWriteOptions options;
  std::unique_ptr<Life> life;
};

TEST_F(RemoteWrite, StoresBothMessagesForTheTenantOfTheToken) {
  begin();
  const auto first = post(packed(body_v1({kUp})));
  EXPECT_EQ(first.status, 204) << first.body;
  EXPECT_EQ(header(first, "x-prometheus-remote-write-samples-written"), "2");
  const auto second = post(packed(body_v2({kLoad, {{{"__name__", "took"}}, {}, 2, 1}})), "other-secret-token", kV2);
  EXPECT_EQ(second.status, 204) << second.body;
  EXPECT_EQ(header(second, "x-prometheus-remote-write-samples-written"), "1");
  EXPECT_EQ(header(second, "x-prometheus-remote-write-histograms-written"), "0");
  EXPECT_EQ(header(second, "x-prometheus-remote-write-exemplars-written"), "0");
  EXPECT_THAT(life->stored("up"), ElementsAre(R"(up{job="node", tenant="clinic-a"} 1000 2000)"));
  EXPECT_THAT(life->stored("node_load1"), ElementsAre(R"(node_load1{tenant="clinic-b"} 1500)"));
  EXPECT_THAT(life->stored("took"), IsEmpty());
  EXPECT_EQ(life->metric("ward_remote_write_samples_total", {{"tenant", "clinic-a"}}), 2);
  EXPECT_EQ(life->metric("ward_remote_write_unsupported_total", {{"kind", "histogram"}}), 2);
  EXPECT_EQ(life->metric("ward_remote_write_unsupported_total", {{"kind", "exemplar"}}), 1);
  EXPECT_EQ(life->metric("ward_remote_write_requests_total", {{"code", "204"}}), 2);
  EXPECT_EQ(life->server.metadata().read("node_load1").size(), 1U);
  EXPECT_GE(life->arrivals, 2) << "evaluation is not told";
}

TEST_F(RemoteWrite, WhatWasAnsweredIsThereAfterARestartAndARepeatChangesNothing) {
  begin();
  EXPECT_EQ(post(packed(body_v1({kUp, kLoad}))).status, 204);
  begin();
  EXPECT_THAT(life->stored("up"), ElementsAre(R"(up{job="node", tenant="clinic-a"} 1000 2000)"));
  EXPECT_EQ(post(packed(body_v1({kUp, kLoad}))).status, 204);
  EXPECT_EQ(post(packed(body_v1({{kLoad.labels, {{1'600, 1}}}}))).status, 204);
  begin();
  EXPECT_THAT(life->stored("up"), ElementsAre(R"(up{job="node", tenant="clinic-a"} 1000 2000)"));
  EXPECT_THAT(life->stored("node_load1"), ElementsAre(R"(node_load1{tenant="clinic-a"} 1500 1600)"));
  const auto streams = life->store.journal->streams().value();
  ASSERT_EQ(streams.size(), 2U);
  EXPECT_EQ(streams[0].durable, Sequence{3});
  EXPECT_EQ(streams[0].stored, 7U);
}

TEST_F(RemoteWrite, RefusesWhatIsBehindTheWindowAndStoresTheRest) {
  options.out_of_order_window = milliseconds{500};
  begin();
  EXPECT_EQ(post(packed(body_v1({{kUp.labels, {{10'000, 1}}}}))).status, 204);
  EXPECT_EQ(post(packed(body_v1({{kUp.labels, {{9'500, 5}}}}))).status, 204) << "late, and within the window";
  EXPECT_EQ(post(packed(body_v1({{kUp.labels, {{10'000, 1}}}}))).status, 204) << "the same again";
  const auto late = post(packed(body_v1({{kUp.labels, {{9'499, 5}, {10'000, 2}, {11'000, 3}, {10'400, 4}}}, kLoad})));
  EXPECT_EQ(late.status, 400);
  EXPECT_EQ(
      late.body,
      "a sample of up at 1970-01-01T00:00:09.499Z is not taken: it is more than 500ms behind the newest of its series, "
      "1970-01-01T00:00:10.000Z (remote_write_receiver.out_of_order_window); refused 0 series and 3 samples, stored 2 "
      "samples\n");
  EXPECT_THAT(life->stored("up"), ElementsAre(R"(up{job="node", tenant="clinic-a"} 9500 10000 11000)"));
  EXPECT_THAT(life->stored("node_load1"), ElementsAre(R"(node_load1{tenant="clinic-a"} 1500)"));
  EXPECT_EQ(life->metric("ward_remote_write_refused_samples_total", {{"reason", "too_old"}}), 2);
  EXPECT_EQ(life->metric("ward_remote_write_refused_samples_total", {{"reason", "conflicting"}}), 1);
}

TEST_F(RemoteWrite, RefusesWhatIsADayAhead) {
  begin();
  const auto now = to_ms(life->clock.wall());
  const std::int64_t day = 86'400'000;
  const auto answer = post(packed(body_v1({{kLoad.labels, {{now, 1}, {now + day, 2}, {now + day + 1, 3}}}})));
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body,
              HasSubstr("is not taken: it is more than a day ahead of the collector's clock; refused 0 series and 1 "
                        "samples, stored 2 samples"));
  EXPECT_EQ(life->metric("ward_remote_write_refused_samples_total", {{"reason", "ahead"}}), 1);
}

TEST_F(RemoteWrite, IsNoAgentThatCouldFallSilent) {
  begin();
  EXPECT_EQ(post(packed(body_v1({kUp}))).status, 204);
  EXPECT_THAT(life->server.agents(), IsEmpty());
  begin();
  EXPECT_THAT(life->server.agents(), IsEmpty());
}

TEST_F(RemoteWrite, AStreamThatWasQuietForLongIsWrittenOn) {
  begin();
  EXPECT_EQ(post(packed(body_v1({kUp}))).status, 204);
  for (int i = 0; i < 3; ++i) {
    life->clock.advance(std::chrono::hours{24});
    life->server.forget_silent(std::chrono::hours{1});
    ASSERT_TRUE(life->runs_until([&] { return life->server.commits().idle(); }));
  }
  EXPECT_EQ(post(packed(body_v1({kLoad}))).status, 204);
}

TEST_F(RemoteWrite, AManyTimesLargerRequestThanARecordIsWhole) {
  begin();
  SentSeries many{{{"__name__", "many"}}, {}};
  for (int i = 0; i < 10'000; ++i) many.samples.emplace_back(i, i);
  EXPECT_EQ(post(packed(body_v1({many}))).status, 204);
  begin();
  EXPECT_EQ(life->store.head.stats().samples, 10'000U);
  EXPECT_EQ(life->store.journal->rows_since_chunks(), 3U);
}

TEST_F(RemoteWrite, StoresTheGoodPartAndSaysWhatIsWrongWithTheRest) {
  begin();
  const auto answer = post(packed(body_v2({kLoad, kUnsorted})), "first-secret-token", kV2);
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body,
            "series 2 of the request (up): its labels are not sorted by name; refused 1 series and 2 samples, stored 1 "
            "samples\n");
  EXPECT_EQ(header(answer, "x-prometheus-remote-write-samples-written"), "1");
  EXPECT_EQ(header(answer, "retry-after"), "-");
  EXPECT_THAT(life->stored("node_load1"), ElementsAre(R"(node_load1{tenant="clinic-a"} 1500)"));
  EXPECT_THAT(life->stored("up"), IsEmpty());
  EXPECT_EQ(life->metric("ward_remote_write_refused_samples_total", {{"reason", "unsorted_labels"}}), 2);
  EXPECT_THAT(life->lines.text, HasSubstr("clinic-a"));
}

TEST_F(RemoteWrite, CapsOfSeriesHold) {
  config.caps.per_agent = 1;
  begin();
  const auto answer = post(packed(body_v1({kLoad, kUp})));
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("series (up): the sender or its tenant has as many series as it may"));
  EXPECT_THAT(answer.body, HasSubstr("refused 1 series and 2 samples, stored 1 samples"));
  EXPECT_EQ(life->metric("ward_ingest_refused_series_total", {{"tenant", "clinic-a"}, {"metric", "up"}}), 1);
  EXPECT_EQ(life->metric("ward_ingest_refused_samples_total", {{"tenant", "clinic-a"}}), 2);
  EXPECT_EQ(life->metric("ward_remote_write_refused_samples_total", {{"reason", "series_cap"}}), 2);
  EXPECT_EQ(post(packed(body_v1({kLoad}))).status, 204) << "one that is known is taken on";
  EXPECT_EQ(post(packed(body_v1({kUp})), "other-secret-token").status, 204) << "another tenant has places of its own";
}

TEST_F(RemoteWrite, TakesNobodyWithoutAToken) {
  begin();
  const auto body = packed(body_v1({kUp}));
  for (const auto* token : {"", "first-secret-toke", "first-secret-tokenX", "first-secret-tokeN"}) {
    const auto answer = post(body, token);
    EXPECT_EQ(answer.status, 401) << token;
    EXPECT_EQ(header(answer, "www-authenticate"), "Bearer");
  }
  http::ServerRequest basic;
  basic.method = "POST";
  basic.headers = {{"authorization", "Basic first-secret-token"}};
  EXPECT_EQ(life->wait(life->send(basic)).status, 401);
  EXPECT_THAT(life->stored("up"), IsEmpty());
}

TEST_F(RemoteWrite, AnOpenDoorHasATenantAndATokenStillDecides) {
  options.open_tenant = TenantId{"lab"};
  begin();
  EXPECT_EQ(post(packed(body_v1({kUp})), "").status, 204);
  EXPECT_EQ(post(packed(body_v1({kLoad}))).status, 204);
  EXPECT_THAT(life->stored("up"), ElementsAre(R"(up{job="node", tenant="lab"} 1000 2000)"));
  EXPECT_THAT(life->stored("node_load1"), ElementsAre(R"(node_load1{tenant="clinic-a"} 1500)"));
}

TEST_F(RemoteWrite, GivesALargerBodyOnlyToWhoHasAToken) {
  begin();
  http::ServerRequest head;
  head.path = RemoteWriteReceiver::kPath;
  EXPECT_EQ(life->receiver.body_limit(head), std::nullopt);
  head.headers = {{"authorization", "bearer first-secret-token"}};
  EXPECT_EQ(life->receiver.body_limit(head), options.max_body);
  head.path = "/api/v1/query";
  EXPECT_EQ(life->receiver.body_limit(head), std::nullopt);
}

TEST_F(RemoteWrite, RefusesOtherFormsOfRequests) {
  options.max_unpacked = 1'000;
  begin();
  const auto good = packed(body_v1({kUp}));
  EXPECT_EQ(post(good, "first-secret-token", "application/json").status, 415);
  EXPECT_EQ(post(good, "first-secret-token", "application/x-protobuf;proto=io.prometheus.write.v3.Request").status, 415);
  EXPECT_EQ(post("not snappy").status, 400);
  EXPECT_EQ(post(packed("\x0a\x7f")).status, 400);
  EXPECT_EQ(post(packed(std::string(2'000, '\0'))).status, 413);
  http::ServerRequest get;
  get.method = "GET";
  const auto answer = life->wait(life->send(get));
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(header(answer, "allow"), "POST");
}

TEST_F(RemoteWrite, AFullDiskIsToldAtOnceAndLaterTakesTheRepeat) {
  FakeJournal journal;
  journal.fault = Fault::full;
  begin(&journal);
  const auto first = post(packed(body_v1({kLoad})));
  EXPECT_EQ(first.status, 503);
  EXPECT_EQ(header(first, "retry-after"), "30");
  EXPECT_EQ(post(packed(body_v1({kLoad}))).status, 503);
  EXPECT_EQ(journal.stored.size(), 0U);
  journal.fault = Fault::none;
  ASSERT_TRUE(life->runs_until([&] { return !life->server.disk_full(); }));
  EXPECT_EQ(post(packed(body_v1({kLoad}))).status, 204);
  EXPECT_THAT(life->stored("node_load1"), ElementsAre(R"(node_load1{tenant="clinic-a"} 1500)"));
}

TEST_F(RemoteWrite, ALostCommitIsToldAsUnknownAndItsNumberIsNotGivenAgain) {
  FakeJournal journal;
  begin(&journal);
  EXPECT_EQ(post(packed(body_v1({kUp}))).status, 204);
  journal.fault = Fault::broken_before;
  const auto lost = post(packed(body_v1({kLoad})));
  EXPECT_EQ(lost.status, 503);
  EXPECT_EQ(header(lost, "retry-after"), "1");
  EXPECT_THAT(life->stored("node_load1"), IsEmpty());
  EXPECT_EQ(post(packed(body_v1({kLoad}))).status, 204);
  EXPECT_THAT(journal.stored[StreamRow{1}], ElementsAre(1, 3));
}

TEST_F(RemoteWrite, ACommitThatHappenedAllTheSameIsSuccess) {
  FakeJournal journal;
  begin(&journal);
  journal.fault = Fault::broken_after;
  EXPECT_EQ(post(packed(body_v1({kLoad}))).status, 204);
  EXPECT_THAT(life->stored("node_load1"), ElementsAre(R"(node_load1{tenant="clinic-a"} 1500)"));
}

TEST_F(RemoteWrite, TooManyWaitingBytesAreToldToComeAgain) {
  options.max_waiting = 10;
  begin();
  const auto first = life->post(packed(body_v1({kUp})));
  const auto second = life->post(packed(body_v1({kLoad})));
  EXPECT_EQ(life->wait(second).status, 503);
  EXPECT_EQ(life->wait(first).status, 204) << "a request above the bound alone is taken";
  EXPECT_EQ(life->metrics.gauge("ward_remote_write_waiting_bytes", "").value(), 0);
}

TEST_F(RemoteWrite, AStopEndsWhatWaits) {
  FakeJournal journal;
  begin(&journal);
  bool stopped = false;
  const auto waits = life->post(packed(body_v1({kUp})));
  ASSERT_TRUE(life->runs_until([&] { return life->server.local().waiting() == 1 || waits->has_value(); }));
  boost::asio::co_spawn(life->io, life->server.stop(), [&](const std::exception_ptr&) { stopped = true; });
  ASSERT_TRUE(life->runs_until([&] { return stopped; }));
  const auto answer = life->wait(waits);
  EXPECT_TRUE(answer.status == 204 || answer.status == 503) << answer.status;
  EXPECT_EQ(post(packed(body_v1({kLoad}))).status, 503);
}

}  // namespace
}  // namespace ward::collector
