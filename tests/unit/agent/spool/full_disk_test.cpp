// A disk that takes nothing: the agent goes on from memory, within a bound, and what a kill takes with it is stated.
#include <gmock/gmock.h>

#include "tests/support/spool_bed.hpp"

namespace ward::agent {
namespace {

using test::accounted;
using test::batch_of;
using test::SpoolBed;
using test::words;

/// A spool with some records on disk, whose disk is full now.
struct FullDisk : SpoolBed {
  explicit FullDisk(std::vector<std::string> collectors = {"c1"}, std::uint64_t seed = 1)
      : SpoolBed(std::move(collectors), seed) {
    start().append(batch_of(1));
    spool->append(batch_of(2));
    spool->maintain();
    disk.set_full(true);
    // Whatever room the log still has is used up first.
    for (std::size_t n = 3; !spool->trouble(); ++n) spool->append(batch_of(n));
    first_refused = spool->streams()[0].next.get() - 1;
  }
  std::uint64_t first_refused = 0;
};

TEST(SpoolOnAFullDisk, KeepsTakingAndGivingRecordsFromMemory) {
  FullDisk bed;
  const auto before = bed.items(bed.stream()).size();
  bed.spool->append(batch_of(50));
  bed.spool->append(batch_of(60));
  const auto items = bed.items(bed.stream());
  ASSERT_EQ(items.size(), before + 2);
  EXPECT_EQ(std::get<wire::Record>(items.back()).samples.size(), 60U);
  EXPECT_GE(bed.spool->stats().unsaved_records, 2U);
  EXPECT_EQ(bed.spool->trouble()->code, Errc::full);
}

TEST(SpoolOnAFullDisk, WritesWhatWaitedWhenThereIsSpace) {
  FullDisk bed;
  bed.spool->append(batch_of(50));
  const auto before = words(bed.items(bed.stream()));
  bed.disk.set_full(false);
  bed.spool->maintain();
  EXPECT_FALSE(bed.spool->trouble());
  EXPECT_EQ(bed.spool->stats().unsaved_records, 0U);
  EXPECT_EQ(words(bed.items(bed.stream())), before);
  bed.restart();
  EXPECT_EQ(words(bed.items(bed.stream(false))), before);
}

TEST(SpoolOnAFullDisk, BoundsItsMemoryAndCountsWhatLeaves) {
  SpoolBed bed;
  bed.options.max_unsaved_bytes = 64 << 10;
  auto& spool = bed.start();
  bed.disk.set_full(true);
  std::uint64_t sampled = 0;
  for (int i = 0; i < 400; ++i) {
    spool.append(batch_of(100, i % 4 == 0 ? DataClass::page : DataClass::raw, i));
    sampled += 100;
  }
  EXPECT_LT(spool.stats().unsaved_records, 64U);
  EXPECT_GT(spool.stats().dropped_samples[GapReason::disk_error], 0U);
  const auto stream = bed.stream();
  const auto items = bed.items(stream);
  EXPECT_EQ(accounted(stream, items), sampled);
  // The lowest class goes first: what is left is page-relevant.
  for (const auto& item : items) {
    const auto* record = std::get_if<wire::Record>(&item);
    if (record == nullptr || record->seq.get() <= 100) continue;
    EXPECT_EQ(record->data_class, DataClass::page);
  }
}

TEST(SpoolOnAFullDisk, AKillLeavesAGapWithTheExactCount) {
  FullDisk bed;
  bed.spool->append(batch_of(50));
  bed.spool->append(batch_of(60));
  const auto before = bed.stream();
  const auto all = bed.items(before);
  bed.kill();
  bed.disk.set_full(false);
  bed.start();
  const auto old = bed.stream(false);
  EXPECT_EQ(old.incarnation, before.incarnation);
  EXPECT_EQ(old.next, before.next);
  const auto items = bed.items(old);
  EXPECT_EQ(accounted(old, items), accounted(before, all));
  const auto& gap = std::get<Gap>(items.back());
  EXPECT_EQ(gap.from, Sequence{bed.first_refused});
  EXPECT_EQ(gap.reason, GapReason::crash);
  EXPECT_EQ(bed.spool->stats().dropped_samples.at(GapReason::crash), gap.samples);
}

TEST(SpoolOnAFullDisk, AKillDoesNotCountTwiceWhatACollectorHolds) {
  FullDisk bed;
  bed.spool->append(batch_of(50));
  bed.spool->append(batch_of(60));
  bed.kill();
  bed.disk.set_full(false);
  bed.start();
  const auto old = bed.stream(false);
  // The collector was sent all but the last record from memory.
  const auto rest = bed.items(old, old.next.get() - 1);
  EXPECT_EQ(words(rest), std::to_string(old.next.get() - 1) + "-" + std::to_string(old.next.get() - 1) + ":60 crash");
}

TEST(SpoolOnAFullDisk, SeveralKillsWhileItIsFullLoseNoCount) {
  FullDisk bed;
  std::uint64_t sampled = bed.spool->streams()[0].sampled;
  std::vector<Incarnation> lives{bed.stream().incarnation};
  for (std::size_t life = 0; life < 3; ++life) {
    bed.restart();
    bed.spool->append(batch_of(10 + life));
    bed.spool->append(batch_of(20 + life));
    sampled += 30 + 2 * life;
    lives.push_back(bed.stream().incarnation);
  }
  bed.kill();
  bed.disk.set_full(false);
  auto& spool = bed.start();
  spool.maintain();
  std::uint64_t told = 0;
  for (const auto& stream : spool.source("c1").streams()) {
    if (stream.live) continue;
    EXPECT_THAT(lives, testing::Contains(stream.incarnation));
    told += accounted(stream, bed.items(stream));
  }
  EXPECT_EQ(told, sampled);
}

TEST(SpoolOnAFullDisk, WhatWasWrittenAfterAllIsNotStatedAsLost) {
  FullDisk bed;
  bed.spool->append(batch_of(50));
  bed.disk.set_full(false);
  bed.spool->maintain();
  bed.spool->append(batch_of(5));
  bed.restart();
  for (const auto& item : bed.items(bed.stream(false))) EXPECT_TRUE(std::holds_alternative<wire::Record>(item));
  EXPECT_FALSE(bed.spool->stats().dropped_samples.contains(GapReason::crash));
}

TEST(SpoolOnAFullDisk, PowerLossTakesAtMostWhatCameInTheLastSecond) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    FullDisk bed{{"c1"}, seed};
    bed.spool->append(batch_of(50));
    bed.spool->maintain();  // forces the notes
    const auto before = bed.stream();
    const auto sampled = bed.spool->streams()[0].sampled;
    bed.lose_power();
    bed.disk.set_full(false);
    bed.start();
    const auto old = bed.stream(false);
    EXPECT_EQ(old.next, before.next) << seed;
    EXPECT_EQ(accounted(old, bed.items(old)), sampled) << seed;
  }
}

TEST(SpoolOnAFullDisk, StartsAllTheSameWithItsOldStreamsKnown) {
  SpoolBed bed;
  bed.start().append(batch_of(3));
  bed.spool->append(batch_of(4));
  bed.kill();
  bed.disk.set_full(true);
  auto& spool = bed.start();
  EXPECT_EQ(spool.trouble() ? spool.trouble()->code : Errc::internal, Errc::full);
  spool.append(batch_of(5));
  EXPECT_EQ(words(bed.items(bed.stream())), "1:5");
  bed.disk.set_full(false);
  spool.maintain();
  EXPECT_FALSE(spool.trouble());
  EXPECT_EQ(words(bed.items(bed.stream(false))), "1:3, 2:4");
  EXPECT_EQ(words(bed.items(bed.stream())), "1:5");
}

TEST(SpoolOnAFullDisk, StartsForTheFirstTime) {
  SpoolBed bed;
  bed.disk.set_full(true);
  auto& spool = bed.start();
  spool.append(batch_of(5));
  EXPECT_EQ(words(bed.items(bed.stream())), "1:5");
  bed.disk.set_full(false);
  spool.maintain();
  EXPECT_FALSE(spool.trouble());
  bed.restart();
  EXPECT_EQ(words(bed.items(bed.stream(false))), "1:5");
}

TEST(SpoolOnASickDisk, ClosesTheFileAndWritesAllOfItAgain) {
  SpoolBed bed;
  auto& spool = bed.start();
  spool.append(batch_of(1));
  spool.maintain();
  bed.disk.fail_next_sync();
  spool.append(batch_of(2, DataClass::page));
  EXPECT_EQ(spool.trouble() ? spool.trouble()->code : Errc::internal, Errc::unavailable);
  EXPECT_EQ(words(bed.items(bed.stream(), 2)), "2:2");
  spool.maintain();
  EXPECT_FALSE(spool.trouble());
  bed.lose_power();
  bed.start();
  EXPECT_EQ(words(bed.items(bed.stream(false))), "1:1, 2:2");
}

}  // namespace
}  // namespace ward::agent
