#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>

#include "collector/store/sqlite/day_writer.hpp"
#include "collector/tsdb/chunk.hpp"
#include "common/wire/collector_session.hpp"
#include "tests/support/sample_store.hpp"
#include "tests/support/temp_dir.hpp"

namespace ward::collector {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const Labels kOwn{{"__name__", "ward:up:ratio"}, {"tenant", "clinic-a"}};
const Labels kOther{{"__name__", "other"}};

/// A store whose journal is a file, to be opened again.
struct StoreTest : testing::Test {
  StoreTest() { open(); }
  void open() {
    store_.reset();
    store_ = test::open_store(dir_, config_, metrics_);
    const auto damaged = store_->replay(now_);
    ASSERT_TRUE(damaged) << describe(damaged.error());
    damaged_ = *damaged;
  }
  std::vector<double> values(const Labels& labels) {
    std::vector<double> out;
    const Matcher matchers[] = {*Matcher::make(Matcher::Op::equal, std::string(kNameLabel), std::string(labels.name()))};
    const auto found = store_->history.select(matchers, Time{}, from_ms(1'000'000'000));
    for (const auto& series : *found)
      for (const auto& sample : series.samples) out.push_back(sample.v);
    return out;
  }

  test::TempDir folder_{"store"};
  std::string dir_ = folder_.string();
  CollectorConfig config_;
  telemetry::Registry metrics_;
  std::unique_ptr<Store> store_;
  Time now_ = from_ms(3'600'000);
  std::uint64_t damaged_ = 0;
};

TEST_F(StoreTest, ChunksOfOwnSeriesKeepTheirLabelsThoughNoAgentCommitted) {
  store_->sink.write(from_ms(1'000), std::vector<SeriesValue>{{kOwn, 7.0}});
  ASSERT_TRUE(store_->store_chunks());
  open();
  EXPECT_EQ(damaged_, 0U);
  EXPECT_THAT(values(kOwn), UnorderedElementsAre(7.0));
  store_->sink.write(from_ms(2'000), std::vector<SeriesValue>{{kOther, 1.0}});
  EXPECT_THAT(values(kOwn), UnorderedElementsAre(7.0)) << "its number went to another series";
}

TEST_F(StoreTest, ANumberWhoseRowIsDamagedIsNotGivenToAnotherSeries) {
  for (const bool in_chunks : {true, false}) {
    SCOPED_TRACE(in_chunks ? "its samples are in a chunk" : "its samples are in a record");
    store_.reset();
    for (const auto& entry : std::filesystem::directory_iterator(dir_)) std::filesystem::remove_all(entry);
    open();
    const StreamKey key{TenantId{"clinic-a"}, AgentId{"node-1"}, {}};
    const std::uint64_t boot = 1;
    ReceivedRecord received;
    received.stream = store_->journal->open_streams(std::span{&key, 1}, std::span{&boot, 1}).value().at(0).row;
    received.record.seq = Sequence{1};
    received.record.t_min = received.record.t_max = from_ms(1'000);
    const auto id = store_->catalogue.resolve(key.tenant, key.agent, Labels{{"__name__", "temperature"}});
    received.record.samples.push_back({id, from_ms(1'000), 36.6});
    const std::vector<JournalEntry> entries{std::move(received)};
    ASSERT_TRUE(Recorder(*store_->journal, store_->catalogue, store_->sink).commit(entries));
    if (in_chunks) {
      ASSERT_TRUE(store_->store_chunks());
    }
    store_.reset();
    {
      sqlite::OpenOptions file;
      file.path = dir_ + "/journal.db";
      auto db = sqlite::Database::open(file);
      ASSERT_TRUE(db && db->run("UPDATE series SET labels=zeroblob(length(labels))"));
    }
    open();
    EXPECT_GE(damaged_, 1U);
    store_->sink.write(from_ms(2'000), std::vector<SeriesValue>{{kOther, 1.0}});
    ASSERT_TRUE(store_->store_chunks());
    open();
    EXPECT_THAT(values(kOther), UnorderedElementsAre(1.0)) << "samples of the series whose row is damaged";
  }
}

TEST_F(StoreTest, LabelsBeyondTheWiresLimitsSurviveARestart) {
  Labels most{{"__name__", "wide"}};  // as many as an agent may send; `tenant` comes to them
  for (int n = 0; n < 31; ++n) most.set("label_" + std::to_string(n), "v");
  ASSERT_EQ(most.size(), wire::kMaxLabels);
  const auto id = store_->catalogue.resolve(TenantId{"clinic-a"}, AgentId{"node-1"}, most);
  store_->sink.define(id, store_->catalogue.labels(id));
  store_->sink.append(std::vector<wire::IdSample>{{id, from_ms(1'000), 3.0}});
  const Labels alert{{"__name__", "ALERTS"}, {"summary", std::string(300, 's')}};
  store_->sink.write(from_ms(1'000), std::vector<SeriesValue>{{alert, 1.0}});
  ASSERT_TRUE(store_->store_chunks());
  open();
  EXPECT_EQ(damaged_, 0U);
  EXPECT_THAT(values(most), UnorderedElementsAre(3.0));
  EXPECT_THAT(values(alert), UnorderedElementsAre(1.0));
}

TEST_F(StoreTest, OwnSeriesBeyondAllLimitsAreRefusedAndCounted) {
  const auto refused = [this] {
    return metrics_.counter("ward_tsdb_samples_refused_total", "", Labels{{"reason", "label_limits"}}).value();
  };
  const Labels largest{{"__name__", "large"}, {"a", std::string(kMaxLabelText - 14, 'x')}};
  store_->sink.write(from_ms(1'000), std::vector<SeriesValue>{{largest, 1.0}});
  EXPECT_EQ(refused(), 0);
  const auto larger = largest.with("b", "y");
  store_->sink.write(from_ms(1'000), std::vector<SeriesValue>{{larger, 2.0}, {kOther, 3.0}});
  EXPECT_EQ(refused(), 1);
  EXPECT_FALSE(store_->head.find(larger));
  EXPECT_THAT(values(kOther), UnorderedElementsAre(3.0));
  ASSERT_TRUE(store_->store_chunks());
  open();
  EXPECT_EQ(damaged_, 0U);
  EXPECT_THAT(values(largest), UnorderedElementsAre(1.0));
}

TEST_F(StoreTest, ABatchWithAQuietSeriesIsCountedInFull) {
  store_->sink.write(from_ms(1'000), std::vector<SeriesValue>{{kOwn, 1.0}, {kOther, 1.0}});
  const auto own = store_->catalogue.resolve_own(kOwn);
  const auto other = store_->catalogue.resolve_own(kOther);
  ASSERT_TRUE(store_->store_chunks());
  store_->sink.write(from_ms(10'000), std::vector<SeriesValue>{{kOther, 2.0}});
  ASSERT_TRUE(store_->tidy(from_ms(5'000) + Store::kInMemory));
  EXPECT_EQ(store_->head.stats().quiet, 1U);
  const auto appended = [this] { return metrics_.counter("ward_tsdb_samples_appended_total", "").value(); };
  const auto before = appended();
  const std::vector<wire::IdSample> batch{{other, from_ms(20'000), 3.0}, {own, from_ms(20'000), 4.0}};
  store_->sink.append(batch);
  EXPECT_EQ(appended() - before, 2);
  EXPECT_THAT(values(kOwn), UnorderedElementsAre(1.0, 4.0)) << "from disk and from memory";
  EXPECT_THAT(values(kOther), UnorderedElementsAre(1.0, 2.0, 3.0));
}

TEST_F(StoreTest, OwnSamplesAreHandedToTheJournalOnceItAsksForThem) {
  store_->sink.write(from_ms(1'000), std::vector<SeriesValue>{{kOwn, 7.0}});
  EXPECT_TRUE(store_->sink.take_own().empty()) << "nobody would take them";
  store_->sink.keep_own(true);
  store_->sink.write(from_ms(2'000), std::vector<SeriesValue>{{kOwn, 8.0}, {kOther, 9.0}});
  const auto own = store_->sink.take_own();
  ASSERT_EQ(own.size(), 2U);
  EXPECT_EQ(own[0].t, from_ms(2'000));
  EXPECT_EQ(own[1].v, 9.0);
  EXPECT_TRUE(store_->sink.take_own().empty());
}

TEST_F(StoreTest, WhatIsOnDiskLeavesMemoryAndIsStillSeen) {
  for (int n = 0; n < 1'000; ++n)
    store_->sink.write(from_ms(n * 60'000), std::vector<SeriesValue>{{kOwn, static_cast<double>(n)}});
  ASSERT_TRUE(store_->store_chunks());
  now_ = from_ms(1'000 * 60'000);
  ASSERT_TRUE(store_->tidy(now_));
  EXPECT_LT(store_->head.stats().samples, 300U);
  EXPECT_EQ(values(kOwn).size(), 1'000U);
  open();
  EXPECT_LT(store_->head.stats().samples, 200U) << "a start reads the newest only";
  EXPECT_GT(store_->head.stats().samples, 50U);
  EXPECT_EQ(values(kOwn).size(), 1'000U);
}

TEST_F(StoreTest, DaysOfALostJournalAreTakenOver) {
  store_->sink.write(from_ms(1'000), std::vector<SeriesValue>{{kOwn, 7.0}, {kOther, 8.0}});
  ASSERT_TRUE(store_->store_chunks());
  store_.reset();
  for (const char* part : {"journal.db", "journal.db-wal"}) std::filesystem::remove(folder_ / part);
  open();
  EXPECT_THAT(values(kOwn), IsEmpty());
  const Labels newcomer{{"__name__", "new"}};
  store_->sink.write(from_ms(5'000), std::vector<SeriesValue>{{newcomer, 1.0}, {kOther, 9.0}});
  ASSERT_EQ(store_->foreign_days(), std::vector<Day>{Day{0}});
  ASSERT_TRUE(store_->adopt(Day{0}));
  for (int life = 0; life < 2; ++life) {
    EXPECT_THAT(values(kOwn), UnorderedElementsAre(7.0));
    EXPECT_THAT(values(kOther), UnorderedElementsAre(8.0, 9.0));
    EXPECT_THAT(values(newcomer), UnorderedElementsAre(1.0));
    ASSERT_TRUE(store_->store_chunks());
    open();
    EXPECT_TRUE(store_->foreign_days().empty());
  }
}

TEST_F(StoreTest, ADayOfALostJournalIsNotSetAsideBeforeItWasTakenOver) {
  store_->sink.write(from_ms(1'000), std::vector<SeriesValue>{{kOwn, 7.0}});
  ASSERT_TRUE(store_->store_chunks());
  store_.reset();
  for (const char* part : {"journal.db", "journal.db-wal"}) std::filesystem::remove(folder_ / part);
  open();
  store_->sink.write(from_ms(5'000), std::vector<SeriesValue>{{kOther, 9.0}});
  EXPECT_EQ(store_->store_chunks().error().code, Errc::unavailable);
  EXPECT_THAT(values(kOther), UnorderedElementsAre(9.0));
  ASSERT_TRUE(store_->adopt(Day{0}));
  ASSERT_TRUE(store_->store_chunks());
  open();
  EXPECT_THAT(values(kOwn), UnorderedElementsAre(7.0));
  EXPECT_THAT(values(kOther), UnorderedElementsAre(9.0));
}

TEST_F(StoreTest, AnAttemptThatWasNeverSettledLeavesNothingInDaysThatTheNextOneDoesNotTouch) {
  ASSERT_TRUE(store_->journal->probe());
  store_->sink.write(from_ms(kDayMs - 1'000), std::vector<SeriesValue>{{kOwn, 7.0}});
  ASSERT_TRUE(store_->store_chunks());
  store_->sink.write(from_ms(1'000), std::vector<SeriesValue>{{kOther, 666.0}});
  {
    // As a kill between the two leaves it: the day has the chunk, the journal has not settled it.
    DayWriter writer(*store_->days, store_->journal->batch().value() + 1,
                     {[this](SeriesRef ref) { return store_->head.labels(ref); },
                      [this](SeriesRef ref) { return store_->head.last_day(ref); }});
    std::vector<SealedChunk> chunks;
    for (const auto ref : store_->head.close())
      store_->head.take_unkept(ref, [&](const StoredChunk& c) {
        chunks.push_back({ref, c.t_min, c.t_max, c.count, {c.bytes().begin(), c.bytes().end()}});
      });
    for (const auto& c : chunks) ASSERT_TRUE(writer.add("", c.series, c.t_min, c.t_max, c.bytes));
    ASSERT_TRUE(writer.finish());
  }
  open();
  // Its number is free again, and the next batch, of the same number, is of another day.
  const Labels newcomer{{"__name__", "newcomer"}};
  store_->sink.write(from_ms(3 * kDayMs), std::vector<SeriesValue>{{newcomer, 1.0}});
  ASSERT_TRUE(store_->store_chunks());
  open();
  EXPECT_THAT(values(newcomer), UnorderedElementsAre(1.0)) << "the samples of a series that never was";
  EXPECT_THAT(values(kOwn), UnorderedElementsAre(7.0));
}

TEST_F(StoreTest, ALabelOfAnAttemptThatWasNeverSettledGivesWayToTheNextSeriesOfItsNumber) {
  {
    DayWriter writer(*store_->days, 1,
                     {[](SeriesRef) {
                        return Labels{{"__name__", "never"}};
                      },
                      [](SeriesRef) { return std::optional<Day>{}; }});
    const std::vector<Sample> samples{{from_ms(1), 1}};
    ASSERT_TRUE(writer.add("clinic-a", SeriesRef{1}, from_ms(1), from_ms(1), encode_chunk(samples)));
    ASSERT_TRUE(writer.finish());
  }
  open();
  store_->sink.write(from_ms(1'000), std::vector<SeriesValue>{{kOwn, 7.0}});
  ASSERT_TRUE(store_->store_chunks());
  std::vector<Labels> labels;
  ASSERT_TRUE(store_->days->each_series_of(Day{0}, [&](SeriesId, Labels of) { labels.push_back(std::move(of)); }));
  EXPECT_THAT(labels, UnorderedElementsAre(kOwn));
}

TEST_F(StoreTest, WhatIsCommittedWhileTheJournalIsReadIsSeenOnceAndKept) {
  std::uint64_t seq = 0;
  const StreamKey key{TenantId{"clinic-a"}, AgentId{"node-1"}, {}};
  const std::uint64_t boot = 1;
  const auto commit = [&](const Labels& labels, double v) {
    const auto stream = store_->journal->open_streams(std::span{&key, 1}, std::span{&boot, 1}).value().at(0).row;
    ReceivedRecord received;
    received.stream = stream;
    received.record.seq = Sequence{++seq};
    received.record.t_min = received.record.t_max = from_ms(1'000 * static_cast<std::int64_t>(seq));
    const auto id = store_->catalogue.resolve(key.tenant, key.agent, labels);
    received.record.samples.push_back({id, received.record.t_min, v});
    const std::vector<JournalEntry> entries{std::move(received)};
    ASSERT_TRUE(Recorder(*store_->journal, store_->catalogue, store_->sink).commit(entries));
  };
  commit(kOwn, 0.5);
  commit(kOther, 0.5);
  commit(kOwn, 1);
  store_.reset();
  store_ = test::open_store(dir_, config_, metrics_);
  ASSERT_EQ(store_->begin(now_).value(), 0U);
  commit(kOwn, 2);
  commit(kOther, 3);
  EXPECT_THAT(values(kOwn), IsEmpty()) << "newer samples before older ones would make these late";
  EXPECT_FALSE(store_->store_chunks()) << "rows would go that nobody has read";
  ASSERT_EQ(store_->replay_some(1).value(), 0U);
  commit(kOwn, 3.5);  // between two parts
  int parts = 1;
  for (; store_->replaying(); ++parts) ASSERT_EQ(store_->replay_some(1).value(), 0U);
  EXPECT_GT(parts, 6);
  EXPECT_EQ(store_->replayed_rows(), 6U);
  EXPECT_THAT(values(kOwn), ElementsAre(0.5, 1.0, 2.0, 3.5));
  EXPECT_THAT(values(kOther), ElementsAre(0.5, 3.0));
  commit(kOther, 4);
  EXPECT_THAT(values(kOther), ElementsAre(0.5, 3.0, 4.0));
  open();
  EXPECT_THAT(values(kOwn), ElementsAre(0.5, 1.0, 2.0, 3.5));
  EXPECT_THAT(values(kOther), ElementsAre(0.5, 3.0, 4.0));
}

TEST_F(StoreTest, ANumberWhoseRowIsMissingIsNotGivenToAnotherSeriesEither) {
  store_->sink.write(from_ms(1'000), std::vector<SeriesValue>{{kOwn, 7.0}});
  ASSERT_TRUE(store_->store_chunks());
  store_.reset();
  {
    sqlite::OpenOptions file;
    file.path = dir_ + "/journal.db";
    auto db = sqlite::Database::open(file);
    ASSERT_TRUE(db);
    ASSERT_TRUE(db->run("DELETE FROM series"));
  }
  open();
  EXPECT_EQ(damaged_, 1U) << "its chunk, which has no series now";
  EXPECT_GT(store_->catalogue.resolve(TenantId{"clinic-a"}, AgentId{"node-1"}, kOther), 0U);
}

TEST_F(StoreTest, AStepOfRetentionThatFailsKeepsMemoryFromNothing) {
  config_.retention.tenants = {{"clinic-a", std::chrono::hours{24}}};
  open();
  store_->sink.write(from_ms(1'000), std::vector<SeriesValue>{{kOwn, 7.0}});
  ASSERT_TRUE(store_->store_chunks());
  store_->sink.write(from_ms(3 * kDayMs), std::vector<SeriesValue>{{kOther, 7.0}});
  ASSERT_TRUE(store_->store_chunks());
  store_.reset();
  std::ofstream(folder_ / "days/1970-01-01.db") << std::string(20'000, 'x');
  now_ = from_ms(3 * kDayMs + 1);
  open();
  ASSERT_EQ(store_->head.stats().samples, 1U);
  now_ += std::chrono::hours{5};
  EXPECT_TRUE(store_->tidy(now_)) << "a damaged day is told, and no reason to do nothing";
  EXPECT_EQ(store_->head.stats().samples, 0U);
  EXPECT_TRUE(store_->days->stats().damage.contains("1970-01-01.db"));
}

TEST_F(StoreTest, AClockThatRunsAheadTakesNothingAway) {
  for (int day = 0; day < 3; ++day) {
    store_->sink.write(from_ms(day * kDayMs), std::vector<SeriesValue>{{kOwn, 1.0 * day}});
    ASSERT_TRUE(store_->store_chunks());
  }
  ASSERT_TRUE(store_->tidy(from_ms(20'000 * kDayMs)));
  EXPECT_THAT(values(kOwn), UnorderedElementsAre(0.0, 1.0, 2.0));
}

TEST_F(StoreTest, AClockThatStandsBeforeEverythingDoesNotReadAllOfIt) {
  for (int day = 10; day < 20; ++day) {
    store_->sink.write(from_ms(day * kDayMs), std::vector<SeriesValue>{{kOwn, 1.0}});
    ASSERT_TRUE(store_->store_chunks());
  }
  now_ = from_ms(0);
  open();
  EXPECT_EQ(store_->head.stats().samples, 1U);
}

TEST_F(StoreTest, ATenantsRetentionAndThatOfAll) {
  config_.retention.samples = std::chrono::hours{48};
  config_.retention.tenants = {{"clinic-b", std::chrono::hours{24 * 5}}, {"clinic-c", milliseconds{0}}};
  open();
  for (int day = 0; day < 8; ++day) {
    for (const char* tenant : {"clinic-a", "clinic-b", "clinic-c"})
      store_->sink.write(from_ms(day * kDayMs), std::vector<SeriesValue>{{kOther.with("tenant", tenant), 1.0 * day}});
    ASSERT_TRUE(store_->store_chunks());
  }
  const auto left = [this](const char* tenant) {
    const Matcher matchers[] = {*Matcher::make(Matcher::Op::equal, "tenant", tenant)};
    const auto found = store_->history.select(matchers, Time{}, from_ms(1'000'000'000));
    return found->empty() ? std::size_t{0} : found->front().samples.size();
  };
  now_ = from_ms(7 * kDayMs + 1'000);
  ASSERT_TRUE(store_->tidy(now_));
  EXPECT_EQ(left("clinic-a"), 3U);
  EXPECT_EQ(left("clinic-b"), 6U);
  EXPECT_EQ(left("clinic-c"), 8U);
  now_ += std::chrono::hours{24 * 10};
  store_->sink.write(now_, std::vector<SeriesValue>{{kOther.with("tenant", "clinic-c"), 1.0}});
  ASSERT_TRUE(store_->store_chunks());
  ASSERT_TRUE(store_->tidy(now_));
  ASSERT_TRUE(store_->tidy(now_));
  EXPECT_EQ(left("clinic-a") + left("clinic-b"), 0U);
  EXPECT_EQ(left("clinic-c"), 8U) << "and one beyond what is asked for";
  EXPECT_EQ(store_->catalogue.size(), 1U) << "rows of series that nothing names go";
}

/// Series come and go each hour, as those of pods do; a cap of 30 holds those that memory knows.
struct SeriesChurn : StoreTest {
  SeriesChurn() {
    config_.caps = {30, 30};
    config_.retention.samples = std::chrono::hours{24};
    open();
  }
  Labels pod(int n) { return Labels{{"__name__", "pod"}, {"n", std::to_string(n)}, {"tenant", "clinic-a"}}; }
  /// What a session does: names the series, sends one sample of each in a record, leaves.
  std::size_t send(int first, int count, Time at) {
    std::vector<SeriesId> named;
    ReceivedRecord received;
    const StreamKey key{TenantId{"clinic-a"}, AgentId{"node-1"}, {}};
    const std::uint64_t boot = 1;
    received.stream = store_->journal->open_streams(std::span{&key, 1}, std::span{&boot, 1}).value().at(0).row;
    received.record.seq = Sequence{++seq_};
    for (int n = first; n < first + count; ++n) {
      const auto id = store_->catalogue.resolve(key.tenant, key.agent, pod(n));
      if (id == wire::kRefusedSeries) continue;
      named.push_back(id);
      received.record.samples.push_back({id, at, static_cast<double>(n)});
    }
    Recorder recorder(*store_->journal, store_->catalogue, store_->sink);
    const std::vector<JournalEntry> entries{std::move(received)};
    EXPECT_TRUE(recorder.commit(entries));
    store_->catalogue.release(named);
    return named.size();
  }
  std::size_t rows() {
    std::size_t n = 0;
    EXPECT_TRUE(store_->journal->replay_series({[&](SeriesId, const Labels&) { ++n; }}));
    return n;
  }
  static Time hour(int n) { return from_ms(1'000'000) + std::chrono::hours{n}; }
  std::uint64_t seq_ = 0;
};

TEST_F(SeriesChurn, TheCapIsOfWhatMemoryHoldsAndRowsGoWithTheirLastDay) {
  for (int n = 0; n < 100; ++n) {
    now_ = hour(n);
    ASSERT_TRUE(store_->tidy(now_));
    ASSERT_EQ(send(n * 10, 10, now_), 10U) << "hour " << n;
    ASSERT_TRUE(store_->store_chunks());
  }
  ASSERT_TRUE(store_->tidy(now_));
  EXPECT_LE(rows(), 530U);
  EXPECT_GE(rows(), 250U) << "those of the days that are kept";
  EXPECT_LE(store_->catalogue.size(), 530U);
  now_ = hour(100);
  ASSERT_TRUE(store_->tidy(now_));
  EXPECT_EQ(send(10'000, 40, now_), 10U) << "more than the cap is refused";
  EXPECT_EQ(values(pod(1)).size(), rows());
  ASSERT_TRUE(store_->store_chunks());
  open();
  EXPECT_EQ(damaged_, 0U);
  EXPECT_EQ(values(pod(1)).size(), rows());
}

TEST_F(SeriesChurn, ASeriesThatComesBackAfterItsRowWentKeepsItsSamplesThroughARestart) {
  const auto step = [this](int first, int n) {
    now_ = hour(n);
    EXPECT_TRUE(store_->tidy(now_));
    (void)send(first, 5, now_);
    EXPECT_TRUE(store_->store_chunks());
  };
  step(0, 0);
  for (int n = 1; n < 4; ++n) step(n * 10, n);
  for (int n = 60; n < 65; ++n) step(n * 10, n);
  EXPECT_EQ(rows(), 25U);
  step(0, 65);
  ASSERT_TRUE(store_->tidy(now_));
  open();
  EXPECT_EQ(damaged_, 0U);
  for (int n = 0; n < 5; ++n) EXPECT_THAT(values(pod(n)), testing::Contains(n));
  EXPECT_EQ(rows(), 30U);
}

TEST_F(SeriesChurn, AQuietSeriesThatASessionStillNamesCanBeSentAgain) {
  const auto id = store_->catalogue.resolve(TenantId{"clinic-a"}, AgentId{"node-1"}, pod(5000));
  store_->sink.write(hour(0), std::vector<SeriesValue>{{pod(5000), 1.0}});
  for (int n = 1; n < 60; ++n) {
    now_ = hour(n);
    (void)send(n * 10, 2, now_);
    ASSERT_TRUE(store_->store_chunks());
    ASSERT_TRUE(store_->tidy(now_));
  }
  EXPECT_FALSE(store_->head.find(pod(5000)));
  const std::vector<wire::IdSample> again{{id, hour(60), 2.0}};
  store_->sink.append(again);
  ASSERT_TRUE(store_->store_chunks());
  open();
  EXPECT_EQ(damaged_, 0U);
  const Matcher matchers[] = {*Matcher::make(Matcher::Op::equal, "n", "5000")};
  const auto found = store_->history.select(matchers, Time{}, from_ms(1'000'000'000));
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().samples, (std::vector<Sample>{{hour(60), 2.0}}));
}

}  // namespace
}  // namespace ward::collector
