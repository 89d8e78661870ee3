// What the journal has is in the queue once and goes to each target; what is lost is counted for each.
#include "collector/forward/queue.hpp"

#include <gmock/gmock.h>
#include <numeric>

#include "tests/unit/collector/forward/queue_bed.hpp"

namespace ward::collector::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// A record with samples of 200 series takes some kilobytes.
std::vector<SeriesId> many() {
  std::vector<SeriesId> out(200);
  std::iota(out.begin(), out.end(), 0U);
  return out;
}

TEST(ForwardQueue, GivesEachTargetEveryConfirmedRecordOnceInOrder) {
  QueueBed bed({{"a"}, {"b"}});
  bed.commit({bed.record({0}), bed.record({1, 2})});
  bed.commit({bed.record({0})});
  EXPECT_EQ(bed.arrived, 2);
  EXPECT_EQ(bed.queue->backlog(0).samples, 4U);
  EXPECT_THAT(bed.take(0, 1), ElementsAre(1));
  EXPECT_THAT(bed.take(0), ElementsAre(2, 3));
  EXPECT_THAT(bed.take(0), IsEmpty());
  EXPECT_THAT(bed.take(1), ElementsAre(1, 2, 3));
  EXPECT_EQ(bed.queue->backlog(1).samples, 0U);
  EXPECT_EQ(bed.queue->backlog(1).bytes, 0U);
  EXPECT_EQ(bed.raw().scalar("SELECT count(*) FROM record").value(), 0);
}

TEST(ForwardQueue, KeepsValuesAndLabelsToTheBit) {
  QueueBed bed;
  bed.commit({bed.record({7}, stale_marker())});
  const auto block = bed.queue->take(0, 1).value();
  ASSERT_TRUE(block && block->rows.size() == 1 && block->rows[0].content);
  const auto& sample = block->rows[0].content->front();
  EXPECT_TRUE(is_stale(sample.v));
  const std::vector numbers{sample.id};
  EXPECT_THAT(bed.queue->labels(numbers).value(), ElementsAre(series_labels(7)));
}

TEST(ForwardQueue, GivesNothingThatTheJournalHasNotTaken) {
  QueueBed bed;
  bed.offer({bed.record({0})});
  EXPECT_THAT(bed.take(), IsEmpty());
  bed.commit({bed.record({0})});  // the first did not happen
  EXPECT_THAT(bed.take(), ElementsAre(2));
}

TEST(ForwardQueue, TakesBackAtTheNextStartWhatAKillKeptFromTheJournal) {
  QueueBed bed;
  bed.commit({bed.record({0})});
  bed.offer({bed.record({0}), bed.record({1})});
  bed.crash(1);
  EXPECT_THAT(bed.take(), ElementsAre(1));
  EXPECT_THAT(bed.take(), IsEmpty());
}

TEST(ForwardQueue, KeepsAtTheNextStartWhatTheJournalHas) {
  QueueBed bed;
  bed.commit({bed.record({0})});
  bed.offer({bed.record({0}), bed.record({1})});
  bed.crash(3);
  EXPECT_THAT(bed.take(), ElementsAre(1, 2, 3));
}

TEST(ForwardQueue, TakesNothingBackForAJournalThatBeganAnew) {
  QueueBed bed;
  bed.commit({bed.record({0})});
  bed.disk.kill_writers();
  bed.open({});
  EXPECT_THAT(bed.take(), ElementsAre(1));
}

TEST(ForwardQueue, GoesOnAtItsPositionAfterARestart) {
  QueueBed bed({{"a"}, {"b"}});
  for (int i = 0; i < 5; ++i) bed.commit({bed.record({0, 1})});
  EXPECT_THAT(bed.take(0, 4), ElementsAre(1, 2));
  bed.open();
  EXPECT_EQ(bed.queue->backlog(0).samples, 6U);
  EXPECT_EQ(bed.queue->backlog(1).samples, 10U);
  EXPECT_THAT(bed.take(0), ElementsAre(3, 4, 5));
  EXPECT_THAT(bed.take(1), ElementsAre(1, 2, 3, 4, 5));
}

TEST(ForwardQueue, GivesTheSameBlockAgainUntilItIsAnswered) {
  QueueBed bed;
  for (int i = 0; i < 5; ++i) bed.commit({bed.record({0})});
  const auto first = bed.queue->take(0, 2).value();
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->repeated);
  bed.commit({bed.record({0})});
  bed.crash(6);
  const auto again = bed.queue->take(0, 1'000).value();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->last, first->last);
  EXPECT_EQ(again->samples, 2U);
  ASSERT_TRUE(bed.queue->done(0, *again));
  EXPECT_THAT(bed.take(), ElementsAre(3, 4, 5, 6));
}

TEST(ForwardQueue, NamesSeriesAcrossRestartsAndJournals) {
  QueueBed bed;
  bed.commit({bed.record({5, 6})});
  bed.open();
  bed.commit({bed.record({6, 5, 9})});
  EXPECT_EQ(bed.raw().scalar("SELECT count(*) FROM series").value(), 3);
}

TEST(ForwardQueue, DropsTheOldestAtItsCapAndCountsThemExactlyForEachTarget) {
  constexpr std::uint64_t kCap = 64 << 10;
  QueueBed bed({{"slow", kCap}, {"quick"}});
  std::uint64_t sent = 0;
  for (int i = 0; i < 300; ++i) {
    bed.commit({bed.record(many())});
    sent += 200;
    EXPECT_LE(bed.queue->backlog(0).bytes, kCap);
    ASSERT_EQ(static_cast<std::uint64_t>(bed.dropped("slow", "queue_full")) + bed.queue->backlog(0).samples, sent);
  }
  EXPECT_GT(bed.dropped("slow", "queue_full"), 0);
  EXPECT_EQ(bed.dropped("quick", "queue_full"), 0);
  const auto left = bed.take(0);
  EXPECT_EQ(left.back(), 300U);
  EXPECT_EQ(left.front(), 300U - left.size() + 1) << "the oldest go";
  EXPECT_THAT(bed.take(1), SizeIs(300));
}

TEST(ForwardQueue, KeepsTheBlockUnderWayWhenItDropsWhatIsBehindIt) {
  QueueBed bed({{"slow", 64 << 10}});
  for (int i = 0; i < 3; ++i) bed.commit({bed.record(many())});
  const auto block = bed.queue->take(0, 600).value();
  ASSERT_TRUE(block);
  for (int i = 0; i < 500; ++i) bed.commit({bed.record(many())});
  ASSERT_GT(bed.dropped("slow", "queue_full"), 0);
  const auto lost = static_cast<std::uint64_t>(bed.dropped("slow", "queue_full")) / 200;
  bed.crash(bed.seq());
  const auto again = bed.queue->take(0, 600).value();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->rows.size(), 3U);
  EXPECT_EQ(again->last, block->last);
  ASSERT_TRUE(bed.queue->done(0, *again));
  const auto rest = bed.take(0);
  EXPECT_EQ(rest.front(), 3 + lost + 1);
  EXPECT_EQ(rest.back(), 503U);
}

TEST(ForwardQueue, DoesNotGrowBeyondItsCapByMuch) {
  constexpr std::uint64_t kCap = 256 << 10;
  QueueBed bed({{"slow", kCap}});
  for (int i = 0; i < 1'500; ++i) bed.commit({bed.record(many())});
  bed.queue.reset();
  EXPECT_LT(bed.disk.size("forward.db"), 2 * kCap);
}

TEST(ForwardQueue, CountsWhatAFullDiskKeepsFromItAndGoesOn) {
  QueueBed bed;
  bed.commit({bed.record({0})});
  bed.disk.set_full(true);
  for (int i = 0; i < 3; ++i) bed.commit({bed.record(many())});
  EXPECT_EQ(bed.dropped("a", "queue_error"), 600);
  EXPECT_THAT(bed.told, SizeIs(1));
  bed.disk.set_full(false);
  bed.commit({bed.record({0})});
  EXPECT_THAT(bed.take(), ElementsAre(1, 5));
  EXPECT_EQ(bed.dropped("a", "queue_error"), 600);
}

TEST(ForwardQueue, DoesNotLoseWhatAFullJournalTriesAgain) {
  QueueBed bed;
  const auto entry = bed.record({0});
  bed.offer({entry});
  bed.offer({entry});
  bed.commit({entry});
  EXPECT_THAT(bed.take(), ElementsAre(1));
  EXPECT_THAT(bed.take(), IsEmpty());
}

TEST(ForwardQueue, LeavesOutWhatTheCollectorHas) {
  QueueBed bed;
  const auto entry = bed.record({0, 1});
  bed.commit({entry});
  bed.known = {std::get<ReceivedRecord>(entry).record.t_min};
  bed.commit({entry});  // a client that did not hear the answer
  bed.commit({entry, bed.record({0})});
  EXPECT_EQ(bed.queue->backlog(0).samples, 3U);
  EXPECT_THAT(bed.take(), ElementsAre(1, 2));
  EXPECT_EQ(bed.dropped("a", "queue_error"), 0);
}

TEST(ForwardQueue, TheCollectorsOwnSamplesAreSentThoughItHasThem) {
  QueueBed bed;
  auto entry = bed.record({1});
  bed.known = {std::get<ReceivedRecord>(entry).record.t_min};
  std::get<ReceivedRecord>(entry).known = true;
  bed.commit({entry});
  EXPECT_THAT(bed.take(), ElementsAre(1));
}

TEST(ForwardQueue, OpensItsFileAgainAfterAnIoError) {
  QueueBed bed;
  bed.commit({bed.record({0})});
  bed.disk.fail_next_sync();
  bed.commit({bed.record({0, 1})});
  bed.commit({bed.record({0})});
  EXPECT_EQ(bed.dropped("a", "queue_error"), 3);
  EXPECT_THAT(bed.told, SizeIs(1));
  EXPECT_FALSE(bed.queue->take(0, 1));
  bed.clock.advance(std::chrono::seconds{11});
  bed.commit({bed.record({0})});
  EXPECT_THAT(bed.take(), ElementsAre(1, 4));
}

TEST(ForwardQueue, SkipsADamagedRowAndCountsIt) {
  QueueBed bed;
  for (int i = 0; i < 3; ++i) bed.commit({bed.record({0, 1})});
  ASSERT_TRUE(bed.raw().run("UPDATE record SET payload=x'0102030405' WHERE id=2"));
  bed.open();
  EXPECT_THAT(bed.take(), ElementsAre(1, 0, 3));
}

TEST(ForwardQueue, NamesASeriesAnewWhoseRowIsDamaged) {
  QueueBed bed;
  bed.commit({bed.record({0})});
  ASSERT_TRUE(bed.raw().run("UPDATE series SET labels=x'0102'"));
  bed.open();
  const std::vector<QueueSeries> first{0};
  EXPECT_THAT(bed.queue->labels(first).value(), ElementsAre(std::nullopt));
  bed.commit({bed.record({0})});
  const std::vector<QueueSeries> second{1};
  EXPECT_THAT(bed.queue->labels(second).value(), ElementsAre(series_labels(0)));
}

TEST(ForwardQueue, SetsADamagedFileAsideAndBeginsAnew) {
  QueueBed bed;
  for (int i = 0; i < 3; ++i) bed.commit({bed.record({0})});
  bed.queue.reset();
  bed.disk.put("forward.db", std::vector<std::uint8_t>(4'096, 0x5a));
  bed.disk.remove("forward.db-wal");
  bed.open();
  EXPECT_EQ(bed.set_aside, 1);
  bed.commit({bed.record({0})});
  EXPECT_THAT(bed.take(), ElementsAre(4));
}

TEST(ForwardQueue, RefusesAFileOfANewerRelease) {
  QueueBed bed;
  ASSERT_TRUE(bed.raw().run("PRAGMA user_version=42"));
  bed.open();
  ASSERT_FALSE(bed.started);
  EXPECT_EQ(bed.started.error().code, Errc::denied);
  EXPECT_THAT(bed.started.error().what, HasSubstr("the remote write queue has schema 42"));
}

TEST(ForwardQueue, ATargetThatIsNewGetsWhatComesFromThenOnAndOneThatIsGoneHoldsNothing) {
  QueueBed bed({{"a"}, {"gone"}});
  bed.commit({bed.record({0})});
  bed.use_targets({{"a"}, {"new"}});
  bed.open();
  bed.commit({bed.record({0})});
  EXPECT_THAT(bed.take(1), ElementsAre(2));
  EXPECT_THAT(bed.take(0), ElementsAre(1, 2));
  auto raw = bed.raw();
  EXPECT_EQ(raw.scalar("SELECT count(*) FROM target WHERE name='gone'").value(), 0);
  EXPECT_EQ(raw.scalar("SELECT count(*) FROM record").value(), 0);
}

TEST(ForwardQueue, ForgetsSeriesThatNobodyNamesAnyMore) {
  QueueBed bed;
  bed.commit({bed.record({0, 1})});
  bed.take();
  for (int i = 0; i < 6; ++i) {
    bed.clock.advance(std::chrono::minutes{31});
    bed.commit({bed.record({0})});
    bed.take();
  }
  bed.commit({bed.record({1})});
  const std::vector<QueueSeries> again{2};
  EXPECT_THAT(bed.queue->labels(again).value(), ElementsAre(series_labels(1))) << "under another number";
  EXPECT_EQ(bed.raw().scalar("SELECT count(*) FROM series").value(), 2);
}

TEST(ForwardQueue, SurvivesAKillAtEveryWriteWithEachRecordOnce) {
  for (std::uint64_t at = 1; at < 60; ++at) {
    QueueBed bed;
    std::vector<std::uint64_t> got;
    std::uint64_t journaled = 0;
    for (int i = 0; i < 4; ++i) bed.commit({bed.record({0, 1})}), journaled = bed.seq();
    bed.disk.crash_after(at);
    while (!bed.disk.crashed() && bed.seq() < 40) {
      const auto entry = bed.record({0, 1});
      bed.offer({entry});
      if (bed.disk.crashed()) break;
      journaled = bed.seq();
      bed.queue->confirm(std::vector{entry});
      auto block = bed.queue->take(0, 4);
      if (!block || !*block) break;
      for (const auto& row : (*block)->rows)
        got.push_back(static_cast<std::uint64_t>(to_ms(row.content->front().t) - 1'000'000) / 1'000);
      (void)bed.queue->done(0, **block);
    }
    ASSERT_TRUE(bed.disk.crashed()) << at;
    bed.crash(journaled);
    // At most the block under way comes twice: what was sent of it is not known.
    for (auto more = bed.take(); !more.empty(); more = bed.take()) got.insert(got.end(), more.begin(), more.end());
    std::sort(got.begin(), got.end());
    const auto total = got.size();
    got.erase(std::unique(got.begin(), got.end()), got.end());
    std::vector<std::uint64_t> all(journaled);
    std::iota(all.begin(), all.end(), 1U);
    ASSERT_EQ(got, all) << "killed at write " << at;
    ASSERT_LE(total, journaled + 2);
  }
}

}  // namespace
}  // namespace ward::collector::test
