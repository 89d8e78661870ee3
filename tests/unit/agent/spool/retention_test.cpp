// A spool at its cap: what goes first, and that every sample that goes is counted once.
#include <gmock/gmock.h>

#include "tests/support/spool_bed.hpp"

namespace ward::agent {
namespace {

using test::accounted;
using test::batch_of;
using test::SpoolBed;
using test::words;

constexpr std::uint64_t kCap = 256 << 10;

/// Values that do not compress, so that few records fill the file.
Batch noise(SpoolBed& bed, std::size_t samples, DataClass data_class, int second) {
  auto batch = batch_of(samples, data_class, second);
  for (auto& value : batch.values) value.value = bed.random.unit();
  return batch;
}

struct Held {
  std::uint64_t records = 0, dropped = 0;
};

/// By class, from what a collector would be sent: odd numbers were appended as raw, even ones as page class.
std::map<DataClass, Held> by_class(const std::vector<wire::RecordSource::Item>& items) {
  std::map<DataClass, Held> out;
  for (const auto& item : items) {
    if (const auto* record = std::get_if<wire::Record>(&item)) {
      ++out[record->data_class].records;
      continue;
    }
    const auto& gap = std::get<Gap>(item);
    for (auto seq = gap.from; seq <= gap.to; seq = next(seq))
      ++out[seq.get() % 2 == 0 ? DataClass::page : DataClass::raw].dropped;
  }
  return out;
}

TEST(SpoolRetention, StaysBelowItsCapAndAccountsForEverySample) {
  SpoolBed bed;
  bed.options.max_bytes = kCap;
  auto& spool = bed.start();
  for (int i = 0; i < 600; ++i) {
    spool.append(noise(bed, 100, DataClass::raw, i));
    if (i % 10 == 0) spool.maintain();
    ASSERT_LE(bed.disk.size("spool.db"), kCap + 4096) << i;
  }
  const auto stream = bed.stream();
  EXPECT_EQ(accounted(stream, bed.items(stream)), 60'000U);
  EXPECT_EQ(spool.streams()[0].sampled, 60'000U);
  EXPECT_GT(spool.stats().dropped_samples.at(GapReason::spool_full), 0U);
  EXPECT_FALSE(spool.trouble());
}

TEST(SpoolRetention, DropsTheOldestFirst) {
  SpoolBed bed;
  bed.options.max_bytes = kCap;
  auto& spool = bed.start();
  for (int i = 0; i < 600; ++i) spool.append(noise(bed, 100, DataClass::raw, i));
  const auto items = bed.items(bed.stream());
  ASSERT_GT(items.size(), 10U);
  bool record_seen = false;
  for (const auto& item : items) {
    const bool gap = std::holds_alternative<Gap>(item);
    EXPECT_FALSE(gap && record_seen) << "a gap after a record that was kept: " << words(items).substr(0, 200);
    record_seen = record_seen || !gap;
  }
  EXPECT_EQ(std::get<wire::Record>(items.back()).seq, Sequence{600});
}

TEST(SpoolRetention, DropsPageRelevantDataLast) {
  SpoolBed bed;
  bed.options.max_bytes = kCap;
  auto& spool = bed.start();
  for (int i = 0; i < 500; ++i)
    spool.append(noise(bed, i % 2 == 0 ? 100 : 5, i % 2 == 0 ? DataClass::raw : DataClass::page, i));
  const auto held = by_class(bed.items(bed.stream()));
  EXPECT_GT(held.at(DataClass::raw).dropped, 0U);
  EXPECT_EQ(held.at(DataClass::page).dropped, 0U);
  EXPECT_EQ(held.at(DataClass::page).records, 250U);
}

TEST(SpoolRetention, DropsWhatOneCollectorHoldsBeforeAnythingElse) {
  SpoolBed bed{{"c1", "c2"}};
  bed.options.max_bytes = kCap;
  auto& spool = bed.start();
  for (int i = 0; i < 20; ++i) spool.append(noise(bed, 100, DataClass::page, i));
  bed.acknowledge(bed.stream(), 20, "c2");
  for (int i = 20; i < 400; ++i) {
    spool.append(noise(bed, 100, DataClass::raw, i));
    if (spool.stats().dropped_samples.contains(GapReason::spool_full)) break;
  }
  const auto items = bed.items(bed.stream());
  ASSERT_TRUE(std::holds_alternative<Gap>(items[0])) << words(items);
  const auto& gap = std::get<Gap>(items[0]);
  EXPECT_EQ(gap.from, Sequence{1});
  EXPECT_EQ(gap.samples, 100 * (gap.to.get() - gap.from.get() + 1));
  for (std::size_t i = 1; i < items.size(); ++i) EXPECT_TRUE(std::holds_alternative<wire::Record>(items[i]));
}

TEST(SpoolRetention, AGapIsStatedFromTheMiddleForACollectorThatHoldsItsBeginning) {
  SpoolBed bed{{"c1", "c2"}};
  bed.options.max_bytes = kCap;
  auto& spool = bed.start();
  for (int i = 0; i < 20; ++i) spool.append(noise(bed, 90 + static_cast<std::size_t>(i), DataClass::raw, i));
  bed.acknowledge(bed.stream(), 20, "c2");
  for (int i = 20; !spool.stats().dropped_samples.contains(GapReason::spool_full); ++i)
    spool.append(noise(bed, 100, DataClass::raw, i));
  const auto whole = std::get<Gap>(bed.items(bed.stream())[0]);
  const auto rest = std::get<Gap>(bed.items(bed.stream(), 5)[0]);
  EXPECT_EQ(rest.from, Sequence{5});
  EXPECT_EQ(rest.to, whole.to);
  EXPECT_EQ(whole.samples - rest.samples, 90U + 91 + 92 + 93);
}

TEST(SpoolRetention, ATrimThatEndsInsideOfAGapKeepsTheRestOfIt) {
  SpoolBed bed{{"c1", "c2"}};
  bed.options.max_bytes = kCap;
  auto& spool = bed.start();
  for (int i = 0; i < 20; ++i) spool.append(noise(bed, 90 + static_cast<std::size_t>(i), DataClass::raw, i));
  bed.acknowledge(bed.stream(), 20, "c2");
  for (int i = 20; !spool.stats().dropped_samples.contains(GapReason::spool_full); ++i)
    spool.append(noise(bed, 100, DataClass::raw, i));
  const auto whole = std::get<Gap>(bed.items(bed.stream())[0]);
  bed.acknowledge(bed.stream(), 4, "c1");
  spool.maintain();
  const auto stream = bed.stream();
  EXPECT_EQ(stream.base, Sequence{5});
  EXPECT_EQ(stream.sampled_before_base, 90U + 91 + 92 + 93);
  const auto rest = std::get<Gap>(bed.items(stream)[0]);
  EXPECT_EQ(rest.from, Sequence{5});
  EXPECT_EQ(rest.samples + stream.sampled_before_base, whole.samples);
}

TEST(SpoolRetention, GapsSurviveARestart) {
  SpoolBed bed;
  bed.options.max_bytes = kCap;
  auto& spool = bed.start();
  for (int i = 0; i < 400; ++i) spool.append(noise(bed, 100, DataClass::raw, i));
  const auto before = words(bed.items(bed.stream()));
  bed.restart();
  EXPECT_EQ(words(bed.items(bed.stream(false))), before);
}

}  // namespace
}  // namespace ward::agent
