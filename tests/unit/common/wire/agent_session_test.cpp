#include "common/wire/agent_session.hpp"

#include <gmock/gmock.h>

#include "tests/unit/common/wire/session_fakes.hpp"

namespace ward::wire {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr std::uint64_t kPlenty = 1 << 20;

/// One session over a source, with a collector that is written out frame by frame.
class AgentSide {
 public:
  explicit AgentSide(FakeSource& source, AgentSession::Options options = {}) : session(options, source, kStart) {}

  std::vector<Frame> sent() { return frames_in(session.take_output()); }
  Status hear(const Frame& frame, MonoTime now = kStart, Time wall = kBase) {
    return session.on_bytes(bytes_of(frame), now, wall);
  }
  /// WELCOME with these marks; what the session sends at once.
  std::vector<Frame> open(std::vector<Mark> marks, std::uint64_t credit = kPlenty) {
    (void)sent();
    const Welcome welcome{std::move(marks), credit, kBase};
    const auto done = hear(welcome);
    if (!done) throw std::logic_error(done.error().what);
    return sent();
  }
  std::vector<std::uint64_t> sequences(const std::vector<Frame>& frames) const {
    std::vector<std::uint64_t> out;
    for (const auto& data : only<Data>(frames)) out.push_back(data.seq.get());
    return out;
  }
  AgentSession session;
};

FakeSource three_records() {
  FakeSource source;
  source.add(stream("a", 1, 4), {samples(1, {0}), samples(2, {0, 1}), samples(3, {1})});
  return source;
}

Mark mark(std::uint64_t durable, std::uint64_t accounted = 0) { return {Sequence{durable}, accounted}; }

TEST(AgentSession, SaysHelloAndNothingElseBeforeWelcome) {
  auto source = three_records();
  AgentSession::Options options;
  options.agent = AgentId{"node-1"};
  options.config_hash = 77;
  AgentSide agent{source, options};
  agent.session.describe_metrics({{"up", MetricType::gauge, "", "Up."}});
  ASSERT_TRUE(agent.session.pump());
  const auto frames = agent.sent();
  ASSERT_EQ(frames.size(), 1U);
  const auto& hello = std::get<Hello>(frames[0]);
  EXPECT_EQ(hello.agent, AgentId{"node-1"});
  EXPECT_EQ(hello.version, kProtocolVersion);
  EXPECT_EQ(hello.config_hash, 77U);
  EXPECT_EQ(hello.streams, source.offered);
}

TEST(AgentSession, GoesOnBehindTheMark) {
  auto source = three_records();
  AgentSide agent{source};
  EXPECT_THAT(agent.sequences(agent.open({mark(1)})), ElementsAre(2, 3));
  EXPECT_THAT(source.durable, ElementsAre(Pair(0, 1)));
}

TEST(AgentSession, StatesWhatWasTrimmedBeforeItGoesOn) {
  FakeSource source;
  auto hello = stream("a", 5, 6);
  hello.sampled_before_base = 40;
  source.add(hello, {samples(5, {0})});
  AgentSide agent{source};
  const auto frames = agent.open({mark(2, 30)});
  const auto gaps = only<GapFrame>(frames);
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].gap.from, Sequence{3});
  EXPECT_EQ(gaps[0].gap.to, Sequence{4});
  EXPECT_EQ(gaps[0].gap.samples, 10U);
  EXPECT_EQ(gaps[0].gap.reason, GapReason::trimmed);
  EXPECT_THAT(agent.sequences(frames), ElementsAre(5));
}

TEST(AgentSession, AMarkThatAccountsForMoreThanWasSampledMakesNoHugeGap) {
  FakeSource source;
  auto hello = stream("a", 5, 5);
  hello.sampled_before_base = 40;
  source.add(hello);
  AgentSide agent{source};
  const auto gaps = only<GapFrame>(agent.open({mark(2, 41)}));
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].gap.samples, 0U);
}

TEST(AgentSession, ACollectorAheadOfItGetsNothing) {
  auto source = three_records();
  AgentSide agent{source};
  EXPECT_THAT(agent.open({mark(10)}), IsEmpty());
  ASSERT_TRUE(agent.hear(Ack{{{0, Sequence{10}}}}));
  EXPECT_THAT(source.durable, ElementsAre(Pair(0, 3), Pair(0, 3))) << "no more than it ever had";
}

TEST(AgentSession, SendsGapsOfTheSpoolInTheirPlace) {
  FakeSource source;
  const auto gap = gap_over(2, 5, 12);
  source.add(stream("a", 1, 7), {samples(1, {0}), gap, samples(6, {0})});
  AgentSide agent{source};
  const auto frames = agent.open({mark(0)});
  EXPECT_THAT(agent.sequences(frames), ElementsAre(1, 6));
  ASSERT_EQ(only<GapFrame>(frames).size(), 1U);
  EXPECT_EQ(only<GapFrame>(frames)[0].gap, gap);
}

TEST(AgentSession, DefinesASeriesOnceBeforeItsFirstUse) {
  auto source = three_records();
  AgentSide agent{source};
  const auto frames = agent.open({mark(0)});
  std::vector<bool> defined(2, false);
  std::size_t definitions = 0;
  for (const auto& frame : frames) {
    if (const auto* series = std::get_if<Series>(&frame)) {
      for (const auto& entry : series->entries) {
        EXPECT_EQ(entry.labels, source.series(entry.id));
        defined[entry.id] = true;
        ++definitions;
      }
    }
    if (const auto* data = std::get_if<Data>(&frame)) {
      EXPECT_TRUE(defined[0]);
      EXPECT_TRUE(defined[1] || data->seq.get() == 1);
    }
  }
  EXPECT_EQ(definitions, 2U);
}

TEST(AgentSession, CutsALongDictionaryIntoManyFrames) {
  FakeSource source;
  std::vector<std::uint32_t> ids(10'000);
  for (std::uint32_t i = 0; i < ids.size(); ++i) ids[i] = i;
  source.add(stream("a", 1, 2), {samples(1, ids)});
  AgentSide agent{source};
  const auto series = only<Series>(agent.open({mark(0)}));
  EXPECT_GT(series.size(), 2U);
  std::size_t entries = 0;
  for (const auto& frame : series) entries += frame.entries.size();
  EXPECT_EQ(entries, ids.size());
}

TEST(AgentSession, SamplesNameSeriesByTheirPlaceInTheDictionary) {
  FakeSource source;
  source.add(stream("a", 1, 3), {samples(1, {900, 7}), samples(2, {7, 3'000'000})});
  AgentSide agent{source};
  const auto frames = agent.open({mark(0)});
  SampleDecoder decoder;
  std::vector<std::vector<std::uint32_t>> used;
  for (const auto& data : only<Data>(frames)) {
    std::vector<IdSample> decoded;
    ASSERT_TRUE(decoder.decode(data.coded, data.count, data.base, 3, decoded));
    used.emplace_back();
    for (const auto& sample : decoded) used.back().push_back(sample.id);
  }
  EXPECT_THAT(used, ElementsAre(ElementsAre(0, 1), ElementsAre(1, 2)));
  EXPECT_EQ(only<Data>(frames).at(1).digest, samples(2, {7, 3'000'000}).digest) << "told with the agent's own ids";
}

TEST(AgentSession, EndsBeforeItNamesMoreSeriesThanASessionMayAndTheNextGoesOn) {
  FakeSource source;
  source.add(stream("a", 1, 3), {samples(1, {0, 1}), samples(2, {1, 2})});
  source.add(stream("b", 1, 2, false), {samples(1, {3})});
  AgentSession::Options options;
  options.max_series = 2;
  AgentSide agent{source, options};
  (void)agent.sent();
  const auto done = agent.hear(Welcome{{mark(0), mark(0)}, kPlenty, kBase});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::cancelled) << "nothing is wrong";
  const auto sent = agent.sent();
  EXPECT_THAT(agent.sequences(sent), ElementsAre(1));
  std::size_t named = 0;
  for (const auto& series : only<Series>(sent)) named += series.entries.size();
  EXPECT_EQ(named, 2U);
  AgentSide next{source, options};
  (void)next.sent();
  EXPECT_FALSE(next.hear(Welcome{{mark(1), mark(0)}, kPlenty, kBase}));
  EXPECT_THAT(next.sequences(next.sent()), ElementsAre(2));
  AgentSide last{source, options};
  EXPECT_THAT(last.sequences(last.open({mark(2), mark(0)})), ElementsAre(1));
}

TEST(AgentSession, StopsAtTheCreditAndGoesOnWithEachAck) {
  auto source = three_records();
  AgentSide agent{source};
  EXPECT_THAT(agent.sequences(agent.open({mark(0)}, 1)), ElementsAre(1)) << "the last record may overshoot";
  ASSERT_TRUE(agent.hear(Ack{{{0, Sequence{1}}}}));
  EXPECT_THAT(agent.sequences(agent.sent()), ElementsAre(2));
  ASSERT_TRUE(agent.hear(Ack{{{0, Sequence{1}}}})) << "the same mark again";
  EXPECT_THAT(agent.sent(), IsEmpty());
  ASSERT_TRUE(agent.hear(Credit{kPlenty}));
  EXPECT_THAT(agent.sequences(agent.sent()), ElementsAre(3));
  ASSERT_TRUE(agent.hear(Ack{{{0, Sequence{3}}}}));
  EXPECT_THAT(source.durable, ElementsAre(Pair(0, 0), Pair(0, 1), Pair(0, 1), Pair(0, 3)));
}

TEST(AgentSession, CreditZeroStopsRecordsWhilePingsGoOn) {
  auto source = three_records();
  AgentSide agent{source};
  EXPECT_THAT(agent.open({mark(0)}, 0), IsEmpty());
  ASSERT_TRUE(agent.session.tick(kStart + milliseconds{2'000}, kBase));
  const auto frames = agent.sent();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Ping>(frames[0]));
}

TEST(AgentSession, GapsCountAgainstTheCredit) {
  FakeSource source;
  source.add(stream("a", 5, 6), {samples(5, {0})});
  AgentSide agent{source};
  const auto frames = agent.open({mark(0)}, 1);
  EXPECT_EQ(only<GapFrame>(frames).size(), 1U);
  EXPECT_THAT(agent.sequences(frames), IsEmpty());
  ASSERT_TRUE(agent.hear(Ack{{{0, Sequence{4}}}}));
  EXPECT_THAT(agent.sequences(agent.sent()), ElementsAre(5));
}

TEST(AgentSession, LiveStreamsGoFirstAndOldOnesUseHalfOfTheCredit) {
  FakeSource source;
  std::vector<RecordSource::Item> old;
  for (std::uint64_t seq = 1; seq <= 100; ++seq) old.emplace_back(samples(seq, {0}, static_cast<double>(seq)));
  source.add(stream("a", 1, 101, false), old);
  source.add(stream("a", 1, 2, true), {samples(1, {0})});
  AgentSide agent{source};
  const auto frames = agent.open({mark(0), mark(0)}, 400);
  const auto data = only<Data>(frames);
  ASSERT_FALSE(data.empty());
  EXPECT_EQ(data[0].stream, 1U);
  std::size_t backlog = 0;
  for (const auto& frame : data)
    if (frame.stream == 0) backlog += bytes_of(frame).size();
  EXPECT_GE(backlog, 200U);
  EXPECT_LT(backlog, 230U);
  source.held[1].emplace(2, samples(2, {0}));
  ASSERT_TRUE(agent.session.pump());
  EXPECT_EQ(only<Data>(agent.sent()).at(0).stream, 1U) << "a full backlog leaves room for live data";
}

TEST(AgentSession, StopsAtTheOutputTargetUntilItIsTaken) {
  auto source = three_records();
  AgentSession::Options options;
  options.output_target = 1;
  AgentSide agent{source, options};
  EXPECT_THAT(agent.sequences(agent.open({mark(0)})), ElementsAre(1));
  ASSERT_TRUE(agent.session.pump());
  EXPECT_THAT(agent.sequences(agent.sent()), ElementsAre(2));
}

TEST(AgentSession, SendsEventsAsEvents) {
  FakeSource source;
  const Events list{{kBase, "oom", Labels{{"pod", "x"}}}};
  source.add(stream("a", 1, 2), {events(1, list)});
  AgentSide agent{source};
  const auto sent = only<EventFrame>(agent.open({mark(0)}));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].events, list);
  EXPECT_EQ(sent[0].data_class, DataClass::page);
}

TEST(AgentSession, DescribesMetricsAfterWelcomeInFramesOf256) {
  auto source = three_records();
  AgentSide agent{source};
  std::vector<MetaEntry> entries(600);
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i].name = "m" + std::to_string(i);
  agent.session.describe_metrics(entries);
  const auto meta = only<Meta>(agent.open({mark(3)}));
  ASSERT_EQ(meta.size(), 3U);
  EXPECT_EQ(meta[0].entries.size(), 256U);
  EXPECT_EQ(meta[2].entries.size(), 88U);
  EXPECT_EQ(meta[2].entries.back().name, "m599");
}

TEST(AgentSession, RefusesWhatOnlyAgentsSend) {
  for (const Frame& frame : {Frame{Hello{}}, Frame{Series{}}, Frame{Data{0, Sequence{1}, DataClass::raw, 0, kBase, 0, {}}},
                             Frame{EventFrame{}}, Frame{GapFrame{0, gap_over(1, 1)}}, Frame{Meta{}}, Frame{Ping{}}}) {
    auto source = three_records();
    AgentSide agent{source};
    (void)agent.open({mark(0)});
    const auto done = agent.hear(frame);
    ASSERT_FALSE(done) << frame.index();
    EXPECT_THAT(done.error().what, HasSubstr("only agents send"));
  }
}

TEST(AgentSession, BeforeWelcomeOnlyWelcomePongAndGoawayAreHeard) {
  for (const Frame& frame :
       {Frame{Ack{}}, Frame{Nack{}}, Frame{Credit{}}, Frame{Ping{}}, Frame{Hello{}}, Frame{Series{}}, Frame{Meta{}}}) {
    auto source = three_records();
    AgentSide agent{source};
    const auto done = agent.hear(frame);
    ASSERT_FALSE(done) << frame.index();
    EXPECT_THAT(done.error().what, HasSubstr("before WELCOME"));
  }
  auto source = three_records();
  AgentSide agent{source};
  ASSERT_TRUE(agent.hear(Goaway{"restart"}));
  EXPECT_EQ(agent.session.goaway(), "restart");
  EXPECT_FALSE(agent.session.open());
}

TEST(AgentSession, RefusesWelcomeThatDoesNotFitHello) {
  auto source = three_records();
  for (const auto& marks : {std::vector<Mark>{}, std::vector<Mark>{mark(0), mark(0)}}) {
    AgentSide agent{source};
    EXPECT_FALSE(agent.hear(Welcome{marks, kPlenty, kBase}));
  }
  AgentSide agent{source};
  (void)agent.open({mark(0)});
  EXPECT_FALSE(agent.hear(Welcome{{mark(0)}, kPlenty, kBase})) << "a second one";
}

TEST(AgentSession, RefusesAcksForWhatWasNeverSent) {
  for (const AckEntry entry : {AckEntry{0, Sequence{4}}, AckEntry{1, Sequence{1}}, AckEntry{31, Sequence{0}}}) {
    auto source = three_records();
    AgentSide agent{source};
    (void)agent.open({mark(0)});
    const auto before = source.durable;
    EXPECT_FALSE(agent.hear(Ack{{entry}})) << entry.stream << " " << entry.durable.get();
    EXPECT_EQ(source.durable, before) << "nothing may be trimmed for it";
  }
}

TEST(AgentSession, DescribesItsMetricsOnceToEachLifeOfTheCollector) {
  auto source = three_records();
  AgentSession::Options options;
  options.metrics = {{"up", MetricType::gauge, "", "Up."}};
  const auto welcome = [](std::uint64_t life) { return Welcome{{mark(3)}, kPlenty, kBase, life}; };
  AgentSide first{source, options};
  ASSERT_TRUE(first.session.tick(kStart + milliseconds{2'000}, kBase));
  ASSERT_TRUE(first.hear(welcome(7)));
  EXPECT_EQ(only<Meta>(first.sent()).size(), 1U);
  ASSERT_TRUE(first.hear(Pong{1, kBase}));
  EXPECT_EQ(first.session.described_to(), 0U) << "that PING went before META";
  ASSERT_TRUE(first.session.tick(kStart + milliseconds{4'000}, kBase));
  ASSERT_TRUE(first.hear(Pong{2, kBase}));
  EXPECT_EQ(first.session.described_to(), 7U);
  options.described_to = first.session.described_to();
  AgentSide same{source, options};
  ASSERT_TRUE(same.hear(welcome(7)));
  EXPECT_THAT(only<Meta>(same.sent()), IsEmpty());
  EXPECT_EQ(same.session.described_to(), 7U);
  AgentSide restarted{source, options};
  ASSERT_TRUE(restarted.hear(welcome(8)));
  EXPECT_EQ(only<Meta>(restarted.sent()).size(), 1U);
  EXPECT_EQ(restarted.session.described_to(), 0U);
}

TEST(AgentSession, NewMetricsAreDescribedWhateverTheCollectorHasHeard) {
  auto source = three_records();
  AgentSession::Options options;
  options.metrics = {{"up", MetricType::gauge, "", "Up."}};
  options.described_to = 7;
  AgentSide agent{source, options};
  agent.session.describe_metrics({{"redis_up", MetricType::gauge, "", ""}});
  ASSERT_TRUE(agent.hear(Welcome{{mark(3)}, kPlenty, kBase, 7}));
  const auto before = only<Meta>(agent.sent());
  ASSERT_EQ(before.size(), 1U);
  EXPECT_EQ(before[0].entries.at(0).name, "redis_up");
  EXPECT_EQ(agent.session.described_to(), 0U);
  agent.session.describe_metrics({{"pg_up", MetricType::gauge, "", ""}});
  EXPECT_EQ(only<Meta>(agent.sent()).at(0).entries.at(0).name, "pg_up");
}

TEST(AgentSession, ANackSetsTheRecordAsideAndEndsTheSession) {
  auto source = three_records();
  AgentSide agent{source};
  (void)agent.open({mark(0)});
  const auto done = agent.hear(Nack{0, Sequence{2}});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().what, HasSubstr("record 2"));
  EXPECT_THAT(source.rejected, ElementsAre(Pair(0, 2)));
  EXPECT_FALSE(agent.hear(Nack{9, Sequence{2}}));
  EXPECT_EQ(source.rejected.size(), 1U);
}

TEST(AgentSession, AfterGoawayItSendsNoMoreRecords) {
  auto source = three_records();
  AgentSide agent{source};
  EXPECT_THAT(agent.sequences(agent.open({mark(0)}, 1)), ElementsAre(1));
  ASSERT_TRUE(agent.hear(Goaway{"restart"}));
  ASSERT_TRUE(agent.hear(Ack{{{0, Sequence{1}}}}));
  EXPECT_THAT(agent.sent(), IsEmpty());
  EXPECT_THAT(source.durable, testing::Contains(Pair(0, 1))) << "what it acknowledges still counts";
}

TEST(AgentSession, ReadErrorsOfTheSpoolEndTheSession) {
  auto source = three_records();
  AgentSide agent{source};
  source.broken = Error{Errc::unavailable, "the spool cannot be read", "Check the disk."};
  const auto done = agent.hear(Welcome{{mark(0)}, kPlenty, kBase});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), *source.broken);
}

TEST(AgentSession, PongGivesTheDifferenceOfTheClocks) {
  auto source = three_records();
  AgentSide agent{source};
  (void)agent.open({mark(3)});
  ASSERT_TRUE(agent.session.tick(kStart + milliseconds{2'000}, kBase));
  const auto ping = only<Ping>(agent.sent()).at(0);
  EXPECT_EQ(ping.wall, kBase);
  EXPECT_FALSE(agent.session.clock_offset());
  // 80 ms there and back; the collector's clock showed 540 ms more than ours did on arrival of its answer.
  ASSERT_TRUE(agent.hear(Pong{ping.id, kBase + milliseconds{620}}, kStart + milliseconds{2'080}, kBase + milliseconds{80}));
  EXPECT_EQ(agent.session.clock_offset(), milliseconds{580});
  ASSERT_TRUE(agent.hear(Pong{ping.id + 1, kBase}, kStart + milliseconds{2'090}, kBase));
  EXPECT_EQ(agent.session.clock_offset(), milliseconds{580}) << "an answer to no question is ignored";
}

TEST(AgentSession, PingsOncePerInterval) {
  auto source = three_records();
  AgentSide agent{source};
  (void)agent.open({mark(3)});
  std::size_t pings = 0;
  for (int ms = 0; ms <= 5'900; ms += 100) {
    ASSERT_TRUE(agent.session.tick(kStart + milliseconds{ms}, kBase));
    pings += only<Ping>(agent.sent()).size();
  }
  EXPECT_EQ(pings, 2U);
}

TEST(AgentSession, SilenceEndsItAndAnyByteKeepsIt) {
  auto source = three_records();
  AgentSide agent{source};
  (void)agent.open({mark(3)});
  ASSERT_TRUE(agent.hear(Credit{5}, kStart + milliseconds{4'000}));
  EXPECT_TRUE(agent.session.tick(kStart + milliseconds{9'999}, kBase));
  const auto done = agent.session.tick(kStart + milliseconds{10'000}, kBase);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::timed_out);
}

TEST(AgentSession, PingsBeforeWelcomeAndWaitsTenSecondsForItWhileItIsAnswered) {
  auto source = three_records();
  AgentSide agent{source};
  (void)agent.sent();
  for (int ms = 500; ms < 10'000; ms += 500) {
    ASSERT_TRUE(agent.session.tick(kStart + milliseconds{ms}, kBase)) << ms;
    for (const auto& ping : only<Ping>(agent.sent()))
      ASSERT_TRUE(agent.hear(Pong{ping.id, kBase}, kStart + milliseconds{ms}));
  }
  const auto done = agent.session.tick(kStart + milliseconds{10'000}, kBase);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().what, HasSubstr("WELCOME"));
}

TEST(AgentSession, LeavesACollectorThatSaysNothingAtAllAfterSixSeconds) {
  auto source = three_records();
  AgentSide agent{source};
  EXPECT_TRUE(agent.session.tick(kStart + milliseconds{5'999}, kBase));
  const auto done = agent.session.tick(kStart + milliseconds{6'000}, kBase);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().what, HasSubstr("silent"));
}

TEST(AgentSession, GarbageEndsIt) {
  for (const Buffer& bytes :
       {Buffer{0, 0, 0, 0}, Buffer{0xff, 0xff, 0xff, 0xff}, Buffer{1, 0, 0, 0, 99}, Buffer{2, 0, 0, 0, 2, 0xff}}) {
    auto source = three_records();
    AgentSide agent{source};
    EXPECT_FALSE(agent.session.on_bytes(bytes, kStart, kBase));
  }
}

}  // namespace
}  // namespace ward::wire
