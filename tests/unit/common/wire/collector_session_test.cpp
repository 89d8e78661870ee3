#include "common/wire/collector_session.hpp"

#include <gmock/gmock.h>

#include "tests/unit/common/wire/session_fakes.hpp"

namespace ward::wire {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

/// One session over a port, with an agent that is written out frame by frame.
class CollectorSide {
 public:
  explicit CollectorSide(CollectorSession::Options options = {}) : session(options, port, kStart) {}

  Status hear(const Frame& frame, MonoTime now = kStart) { return session.on_bytes(bytes_of(frame), now, kBase); }
  std::vector<Frame> sent() { return frames_in(session.take_output()); }
  void greet(std::size_t streams = 1) {
    Hello hello;
    hello.agent = AgentId{"node-1"};
    for (std::size_t i = 0; i < streams; ++i) hello.streams.push_back(stream("a", 1, 10 + i));
    if (const auto done = hear(hello); !done) throw std::logic_error(done.error().what);
  }
  void open(std::vector<std::uint64_t> durable = {0}) {
    greet(durable.size());
    std::vector<Mark> marks;
    for (const auto seq : durable) marks.push_back({Sequence{seq}, 0});
    session.welcome(marks, 1'000, kBase);
    (void)session.take_output();
  }
  Status define(std::uint32_t id, const std::string& name, StreamIndex at = 0) {
    places_.emplace(std::pair{at, id}, static_cast<std::uint32_t>(places_.size()));
    return hear(Series{at, {{id, Labels{{"__name__", name}}}}});
  }
  /// DATA as the agent's coder makes it; one coder per test, as in a session.
  Data data(const Record& record, StreamIndex at = 0) {
    Data out{
        at, record.seq, record.data_class, static_cast<std::uint32_t>(record.samples.size()), record.t_min, record.digest,
        {}};
    auto by_place = record.samples;
    for (auto& sample : by_place) {
      const auto place = places_.find({at, sample.id});
      sample.id = place != places_.end() ? place->second : static_cast<std::uint32_t>(places_.size());
    }
    encoder_.encode(by_place, out.base, out.coded);
    return out;
  }
  std::vector<std::uint64_t> taken() const {
    std::vector<std::uint64_t> out;
    for (const auto& one : port.records) out.push_back(one.record.seq.get());
    return out;
  }

  FakePort port;
  CollectorSession session;

 private:
  std::map<std::pair<StreamIndex, std::uint32_t>, std::uint32_t> places_;  // for one stream a test
  SampleEncoder encoder_;
};

std::string refusal(const Status& status) { return status ? "" : status.error().what; }

TEST(CollectorSession, HandsHelloOnAndAnswersWithWelcome) {
  CollectorSide collector;
  collector.greet(2);
  ASSERT_TRUE(collector.port.greeted);
  EXPECT_EQ(collector.port.greeted->streams.size(), 2U);
  EXPECT_THAT(collector.sent(), IsEmpty());
  EXPECT_FALSE(collector.session.open());
  const std::vector<Mark> marks{{Sequence{5}, 50}, {Sequence{0}, 0}};
  collector.session.welcome(marks, 4'096, kBase);
  EXPECT_TRUE(collector.session.open());
  const auto frames = collector.sent();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(std::get<Welcome>(frames[0]), (Welcome{marks, 4'096, kBase}));
}

TEST(CollectorSession, AnAgentThePortRefusesIsOut) {
  CollectorSide collector;
  collector.port.answer = fail(Errc::denied, "agent 'x' may not speak for tenant 'b'", "Issue a certificate.");
  const auto done = collector.hear(Hello{});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::denied);
}

TEST(CollectorSession, AnotherProtocolVersionIsNamed) {
  CollectorSide collector;
  Hello hello;
  hello.version = 1;
  hello.agent = AgentId{"node-1"};
  const auto done = collector.hear(hello);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().what, HasSubstr("version 1, this collector speaks 2"));
  EXPECT_THAT(done.error().fix, HasSubstr("Upgrade the older"));
  EXPECT_THAT(done.error().what, HasSubstr("node-1"));
  EXPECT_FALSE(collector.port.greeted);
}

TEST(CollectorSession, RefusesASecondHello) {
  CollectorSide collector;
  collector.greet();
  EXPECT_THAT(refusal(collector.hear(Hello{})), HasSubstr("second HELLO"));
}

TEST(CollectorSession, BeforeHelloNothingElseIsHeard) {
  for (const Frame& frame :
       {Frame{Ping{}}, Frame{Meta{}}, Frame{Series{}}, Frame{Data{0, Sequence{1}, DataClass::raw, 0, kBase, 0, {}}},
        Frame{EventFrame{}}, Frame{GapFrame{0, gap_over(1, 1)}}, Frame{Ack{}}, Frame{Goaway{}}}) {
    CollectorSide collector;
    EXPECT_FALSE(collector.hear(frame)) << frame.index();
  }
}

TEST(CollectorSession, BetweenHelloAndWelcomePingAndMetaAreHeardAndRecordsAreNot) {
  CollectorSide collector;
  collector.greet();
  ASSERT_TRUE(collector.hear(Ping{3, kBase}));
  ASSERT_TRUE(collector.hear(Meta{{{"up", MetricType::gauge, "", ""}}}));
  EXPECT_EQ(collector.port.described.size(), 1U);
  EXPECT_EQ(only<Pong>(collector.sent()).at(0), (Pong{3, kBase}));
  EXPECT_THAT(refusal(collector.define(0, "up")), HasSubstr("before WELCOME"));
}

TEST(CollectorSession, RefusesWhatOnlyCollectorsSend) {
  for (const Frame& frame :
       {Frame{Welcome{}}, Frame{Ack{}}, Frame{Nack{}}, Frame{Credit{}}, Frame{Pong{}}, Frame{Goaway{}}}) {
    CollectorSide collector;
    collector.open();
    EXPECT_THAT(refusal(collector.hear(frame)), HasSubstr("only collectors send")) << frame.index();
  }
}

TEST(CollectorSession, BeforeWelcomeAFrameMayHoldFourKibibytes) {
  Meta big;
  for (int i = 0; i < 20; ++i) big.entries.push_back({"m", MetricType::gauge, "", std::string(500, 'x')});
  CollectorSide before;
  before.greet();
  EXPECT_THAT(refusal(before.hear(big)), HasSubstr("4096"));
  CollectorSide after;
  after.open();
  EXPECT_TRUE(after.hear(big));
}

TEST(CollectorSession, HandsRecordsOnUnderThePortsOwnIds) {
  CollectorSide collector;
  collector.open();
  ASSERT_TRUE(collector.define(0, "one"));
  ASSERT_TRUE(collector.define(4'000'000'000, "two"));
  const auto record = samples(1, {0, 4'000'000'000}, 2.5);
  ASSERT_TRUE(collector.hear(collector.data(record)));
  ASSERT_EQ(collector.port.records.size(), 1U);
  const auto& taken = collector.port.records[0];
  EXPECT_EQ(taken.stream, 0U);
  EXPECT_EQ(taken.refused, 0U);
  EXPECT_EQ(taken.record.digest, record.digest);
  EXPECT_EQ(taken.record.samples, (std::vector<IdSample>{{100, record.t_min, 2.5}, {101, record.t_min, 2.5}}));
}

TEST(CollectorSession, TellsTheSpanOfTimesOfARecord) {
  CollectorSide collector;
  collector.open();
  ASSERT_TRUE(collector.define(0, "one"));
  Record record;
  record.seq = Sequence{1};
  record.t_min = kBase;
  record.samples = {{0, kBase + milliseconds{5}, 1}, {0, kBase - milliseconds{7}, 2}};
  record.digest = digest(record.samples);
  ASSERT_TRUE(collector.hear(collector.data(record)));
  EXPECT_EQ(collector.port.records.at(0).record.t_min, kBase - milliseconds{7});
  EXPECT_EQ(collector.port.records.at(0).record.t_max, kBase + milliseconds{5});
}

TEST(CollectorSession, LeavesOutSamplesOfRefusedSeriesAndCountsThem) {
  CollectorSide collector;
  collector.open();
  ASSERT_TRUE(collector.define(0, "one"));
  ASSERT_TRUE(collector.define(1, "refused"));
  ASSERT_TRUE(collector.hear(collector.data(samples(1, {0, 1, 1}))));
  EXPECT_EQ(collector.port.records.at(0).refused, 2U);
  EXPECT_EQ(collector.port.records.at(0).record.samples.size(), 1U);
}

TEST(CollectorSession, HandsEventsOn) {
  CollectorSide collector;
  collector.open();
  const Events list{{kBase, "oom", Labels{{"pod", "x"}}}, {kBase + milliseconds{3}, "oom", {}}};
  ASSERT_TRUE(collector.hear(EventFrame{0, Sequence{1}, DataClass::audit, list}));
  const auto& record = collector.port.records.at(0).record;
  EXPECT_EQ(record.kind, RecordKind::events);
  EXPECT_EQ(record.data_class, DataClass::audit);
  EXPECT_EQ(record.events, list);
  EXPECT_EQ(record.digest, digest(list));
  EXPECT_EQ(record.t_max, kBase + milliseconds{3});
}

TEST(CollectorSession, DropsDuplicatesAndKeepsItsCoderInStep) {
  CollectorSide collector;
  collector.open({2});
  ASSERT_TRUE(collector.define(0, "one"));
  // The agent repeats 1 and 2 after a reconnect; the values of 3 are coded against theirs.
  for (const std::uint64_t seq : {1U, 2U, 3U})
    ASSERT_TRUE(collector.hear(collector.data(samples(seq, {0}, 1'000.5 + static_cast<double>(seq)))));
  EXPECT_THAT(collector.port.duplicates, ElementsAre(Pair(0, 1), Pair(0, 2)));
  EXPECT_THAT(collector.taken(), ElementsAre(3));
  EXPECT_EQ(collector.port.records[0].record.samples.at(0).v, 1'003.5);
  ASSERT_TRUE(collector.hear(EventFrame{0, Sequence{3}, DataClass::page, {}}));
  EXPECT_EQ(collector.port.duplicates.size(), 3U);
}

TEST(CollectorSession, AHoleEndsTheSession) {
  CollectorSide collector;
  collector.open({5});
  ASSERT_TRUE(collector.define(0, "one"));
  EXPECT_THAT(refusal(collector.hear(collector.data(samples(7, {0})))), HasSubstr("record 7 after 5 without a GAP"));
  EXPECT_THAT(collector.taken(), IsEmpty());
  CollectorSide other;
  other.open({5});
  EXPECT_FALSE(other.hear(EventFrame{0, Sequence{7}, DataClass::page, {}}));
}

TEST(CollectorSession, StreamsAreCountedApart) {
  CollectorSide collector;
  collector.open({0, 5});
  ASSERT_TRUE(collector.hear(EventFrame{1, Sequence{6}, DataClass::page, {}}));
  ASSERT_TRUE(collector.hear(EventFrame{0, Sequence{1}, DataClass::page, {}}));
  EXPECT_THAT(collector.taken(), ElementsAre(6, 1));
}

TEST(CollectorSession, AGapMovesTheSequence) {
  CollectorSide collector;
  collector.open({2});
  const auto gap = gap_over(3, 6, 44);
  ASSERT_TRUE(collector.hear(GapFrame{0, gap}));
  ASSERT_EQ(collector.port.gaps.size(), 1U);
  EXPECT_EQ(collector.port.gaps[0].second, gap);
  ASSERT_TRUE(collector.hear(EventFrame{0, Sequence{7}, DataClass::page, {}}));
  EXPECT_THAT(collector.taken(), ElementsAre(7));
}

TEST(CollectorSession, AGapOverWhatItHoldsIsIgnored) {
  CollectorSide collector;
  collector.open({5});
  ASSERT_TRUE(collector.hear(GapFrame{0, gap_over(1, 5, 9)}));
  EXPECT_THAT(collector.port.gaps, IsEmpty());
}

TEST(CollectorSession, AGapMustBeginAtTheNextRecord) {
  for (const std::uint64_t from : {4U, 5U, 7U}) {
    CollectorSide collector;
    collector.open({5});
    EXPECT_THAT(refusal(collector.hear(GapFrame{0, gap_over(from, 8)})), HasSubstr("GAP")) << from;
    EXPECT_THAT(collector.port.gaps, IsEmpty());
  }
}

TEST(CollectorSession, RefusesStreamsThatHelloDidNotName) {
  const Data data{1, Sequence{1}, DataClass::raw, 0, kBase, 0, {}};
  for (const Frame& frame : {Frame{Series{1, {}}}, Frame{data}, Frame{EventFrame{1, Sequence{1}, DataClass::raw, {}}},
                             Frame{GapFrame{7, gap_over(1, 1)}}}) {
    CollectorSide collector;
    collector.open({0});
    EXPECT_THAT(refusal(collector.hear(frame)), HasSubstr("for stream")) << frame.index();
  }
}

TEST(CollectorSession, RefusesBadSeries) {
  CollectorSide collector;
  collector.open();
  EXPECT_THAT(refusal(collector.hear(Series{0, {{0, Labels{{"job", "x"}}}}})), HasSubstr("without a name"));
}

TEST(CollectorSession, ADictionaryEndsAtItsLimitWhateverTheStreams) {
  CollectorSide collector;
  collector.open({0, 0});
  Series full;
  for (std::uint32_t i = 0; i < kMaxSeriesEntries; ++i) full.entries.push_back({i, Labels{{"__name__", "refused"}}});
  for (std::size_t named = 0; named < kMaxSessionSeries; named += kMaxSeriesEntries) {
    full.stream = named / kMaxSeriesEntries % 2;
    ASSERT_TRUE(collector.hear(full)) << named;
  }
  const auto refused = collector.define(0, "one too many");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::full);
  EXPECT_THAT(refused.error().what, HasSubstr("'node-1' named more than 131072 series"));
  EXPECT_THAT(collector.port.known, IsEmpty()) << "nothing of a list beyond the limit is looked at";
}

TEST(CollectorSession, AFrameThatPassesTheLimitIsRefusedWhole) {
  CollectorSession::Options options;
  options.max_series = 3;
  CollectorSide collector(options);
  collector.open();
  ASSERT_TRUE(collector.define(0, "one"));
  Series three;
  for (std::uint32_t i = 1; i < 4; ++i) three.entries.push_back({i, Labels{{"__name__", "m" + std::to_string(i)}}});
  EXPECT_FALSE(collector.hear(three));
  EXPECT_EQ(collector.port.known.size(), 1U);
}

TEST(CollectorSession, AnAgentThatDoesNotReadItsAnswersIsOut) {
  CollectorSession::Options options;
  options.max_output = 100;
  CollectorSide collector(options);
  collector.open();
  Status done;
  int pings = 0;
  for (; done && pings < 1'000; ++pings) done = collector.hear(Ping{1, kBase});
  EXPECT_THAT(refusal(done), HasSubstr("does not read"));
  EXPECT_LT(collector.session.take_output().size(), 130U);
}

TEST(CollectorSession, RefusesSamplesOfSeriesThatWereNeverDefined) {
  CollectorSide collector;
  collector.open();
  ASSERT_TRUE(collector.define(3, "one"));
  EXPECT_THAT(refusal(collector.hear(collector.data(samples(1, {4})))), HasSubstr("unknown series"));
  EXPECT_THAT(collector.taken(), IsEmpty());
}

TEST(CollectorSession, RefusesARecordWhoseDigestDiffers) {
  CollectorSide collector;
  collector.open();
  ASSERT_TRUE(collector.define(0, "one"));
  auto data = collector.data(samples(1, {0}));
  data.digest ^= 1;
  EXPECT_THAT(refusal(collector.hear(data)), HasSubstr("digest of record 1"));
  EXPECT_THAT(collector.taken(), IsEmpty());
}

TEST(CollectorSession, RefusesADamagedBlock) {
  CollectorSide collector;
  collector.open();
  ASSERT_TRUE(collector.define(0, "one"));
  auto data = collector.data(samples(1, {0}));
  data.coded.push_back(0);
  const auto done = collector.hear(data);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::corrupt);
}

TEST(CollectorSession, SaysWhatItIsTold) {
  CollectorSide collector;
  collector.open({0, 0});
  collector.session.committed(1, Sequence{9});
  collector.session.set_credit(0);
  collector.session.nack(0, Sequence{4});
  collector.session.goaway(std::string(300, 'x'));
  const auto frames = collector.sent();
  ASSERT_EQ(frames.size(), 4U);
  EXPECT_EQ(std::get<Ack>(frames[0]), (Ack{{{1, Sequence{9}}}}));
  EXPECT_EQ(std::get<Credit>(frames[1]).limit, 0U);
  EXPECT_EQ(std::get<Nack>(frames[2]), (Nack{0, Sequence{4}}));
  EXPECT_EQ(std::get<Goaway>(frames[3]).reason.size(), 256U);
}

TEST(CollectorSession, WaitsTenSecondsForHelloWithOrWithoutBytes) {
  CollectorSide silent;
  EXPECT_TRUE(silent.session.tick(kStart + milliseconds{9'999}));
  EXPECT_FALSE(silent.session.tick(kStart + milliseconds{10'000}));
  CollectorSide collector;
  for (int s = 1; s < 10; ++s) {
    ASSERT_TRUE(collector.session.on_bytes(Buffer{}, kStart + std::chrono::seconds{s}, kBase));
    ASSERT_TRUE(collector.session.tick(kStart + std::chrono::seconds{s}));
  }
  const auto done = collector.session.tick(kStart + std::chrono::seconds{10});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().what, HasSubstr("HELLO"));
}

TEST(CollectorSession, SilenceEndsIt) {
  CollectorSide collector;
  collector.open();
  ASSERT_TRUE(collector.hear(Ping{1, kBase}, kStart + milliseconds{5'000}));
  EXPECT_TRUE(collector.session.tick(kStart + milliseconds{10'999}));
  const auto done = collector.session.tick(kStart + milliseconds{11'000});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::timed_out);
}

}  // namespace
}  // namespace ward::wire
