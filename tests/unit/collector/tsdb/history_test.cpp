#include "collector/tsdb/history.hpp"

#include <gmock/gmock.h>
#include <map>

#include "tests/unit/collector/tsdb/head_chunks.hpp"

namespace ward::collector {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Chunks in a list, and what was asked of it.
struct FakeArchive final : ChunkArchive {
  struct FakeCursor final : Cursor {
    explicit FakeCursor(FakeArchive& of) : archive(of) {}
    Status read(std::string_view tenant, std::span<const SeriesRef> series, Time from, Time to, const Take& take) override {
      archive.asked.push_back(std::string(tenant) + " " + std::to_string(to_ms(from)) + "-" + std::to_string(to_ms(to)));
      if (archive.broken) return fail(Errc::unavailable, "disk I/O error", "Check the disk.");
      EXPECT_TRUE(std::is_sorted(series.begin(), series.end()));
      for (const auto& chunk : archive.chunks)
        for (std::size_t n = 0; n < series.size(); ++n)
          if (series[n] == chunk.series && chunk.t_min <= to && chunk.t_max >= from) take(n, chunk.bytes);
      return {};
    }
    FakeArchive& archive;
  };
  std::unique_ptr<Cursor> cursor() const override { return std::make_unique<FakeCursor>(const_cast<FakeArchive&>(*this)); }
  std::vector<SealedChunk> chunks;
  std::vector<std::string> asked;
  bool broken = false;
};

struct HistoryTest : testing::Test {
  SeriesRef series(const std::string& tenant, const std::string& n) {
    return head.get_or_create({{"__name__", "m"}, {"n", n}, {"tenant", tenant}});
  }
  void add(SeriesRef ref, std::int64_t t, double v) {
    const RefSample sample{ref, {from_ms(t), v}};
    head.append({&sample, 1});
  }
  /// Everything so far goes to disk; what is older than `t` leaves memory.
  void file(std::int64_t t) {
    for (auto& chunk : file_chunks(head)) {
      head.set_last_day(chunk.series, day_of(chunk.t_max));
      archive.chunks.push_back(std::move(chunk));
    }
    history.whole_from(from_ms(t));
    head.release(from_ms(t), Time::min());
  }
  std::vector<std::string> select(std::int64_t from, std::int64_t to) {
    const Matcher all[] = {*Matcher::make(Matcher::Op::equal, "__name__", "m")};
    std::vector<std::string> out;
    const auto found = history.select(all, from_ms(from), from_ms(to));
    EXPECT_TRUE(found);
    for (const auto& one : *found) {
      auto text = std::string(one.labels.get("tenant")) + "/" + std::string(one.labels.get("n")) + ":";
      for (const auto& sample : one.samples)
        text += " " + std::to_string(to_ms(sample.t)) + "=" + std::to_string(static_cast<int>(sample.v));
      out.push_back(std::move(text));
    }
    return out;
  }

  Head head{{.max_sample_age = milliseconds{0}}};
  FakeArchive archive;
  History history{head, archive};
};

TEST_F(HistoryTest, JoinsWhatIsOnDiskAndWhatIsInMemory) {
  const auto one = series("a", "1");
  const auto two = series("b", "1");
  for (int t = 0; t < 10; ++t) add(one, t, t);
  add(two, 5, 50);
  file(100);
  EXPECT_EQ(head.stats().quiet, 2U);
  add(series("a", "1"), 100, 1);
  EXPECT_THAT(select(8, 200), ElementsAre("a/1: 8=8 9=9 100=1"));
  EXPECT_THAT(select(5, 8), ElementsAre("a/1: 5=5 6=6 7=7 8=8", "b/1: 5=50"));
  EXPECT_THAT(archive.asked, testing::Contains("a 8-99")) << "the head has all of the rest";
}

TEST_F(HistoryTest, DoesNotAskTheDiskForWhatIsInMemory) {
  const auto one = series("a", "1");
  add(one, 5, 5);
  file(100);
  add(series("a", "1"), 100, 1);
  EXPECT_THAT(select(100, 200), ElementsAre("a/1: 100=1"));
  EXPECT_THAT(archive.asked, IsEmpty());
}

TEST_F(HistoryTest, WhatIsInBothIsSeenOnceAndLateSamplesStandInOrder) {
  const auto one = series("a", "1");
  for (int t = 0; t < 10; t += 2) add(one, t, t);
  file(-100);  // on disk and in memory
  history.whole_from(from_ms(50));
  add(one, 3, 3);
  EXPECT_THAT(select(0, 60), ElementsAre("a/1: 0=0 2=2 3=3 4=4 6=6 8=8"));
  file(50);
  EXPECT_THAT(select(0, 60), ElementsAre("a/1: 0=0 2=2 3=3 4=4 6=6 8=8"));
}

TEST_F(HistoryTest, ReadersSeeSeriesByTenantAndNumber) {
  const auto a1 = series("a", "1");
  const auto b1 = series("b", "1");
  const auto a2 = series("a", "2");
  for (const auto ref : {a1, b1, a2}) add(ref, 1, 1);
  file(100);
  const auto reader = history.reader();
  const Matcher all[] = {*Matcher::make(Matcher::Op::equal, "__name__", "m")};
  const auto found = reader->find(all, from_ms(0), from_ms(10));
  ASSERT_TRUE(found);
  std::vector<std::uint32_t> keys;
  for (const auto& one : *found) keys.push_back(one.key);
  EXPECT_THAT(keys, ElementsAre(a1.get(), a2.get(), b1.get()));
  SampleBatch batch;
  ASSERT_TRUE(reader->read(*found, from_ms(0), from_ms(10), batch));
  EXPECT_EQ(archive.asked.size(), 2U) << "once for each tenant";
  EXPECT_EQ(batch.size(), 3U);
  ASSERT_TRUE(reader->read_latest(*found, from_ms(0), from_ms(10), batch));
  for (std::size_t n = 0; n < 3; ++n) EXPECT_EQ(batch[n].back().v, 1);
}

TEST_F(HistoryTest, ADiskThatDoesNotReadFailsTheQuery) {
  add(series("a", "1"), 1, 1);
  file(100);
  archive.broken = true;
  const Matcher all[] = {*Matcher::make(Matcher::Op::equal, "__name__", "m")};
  EXPECT_EQ(history.select(all, from_ms(0), from_ms(10)).error().code, Errc::unavailable);
}

TEST(DayOf, CountsFromTheEpochAlsoBeforeIt) {
  EXPECT_EQ(day_of(from_ms(0)), Day{0});
  EXPECT_EQ(day_of(from_ms(kDayMs - 1)), Day{0});
  EXPECT_EQ(day_of(from_ms(kDayMs)), Day{1});
  EXPECT_EQ(day_of(from_ms(-1)), Day{-1});
  EXPECT_EQ(day_of(from_ms(-kDayMs)), Day{-1});
  EXPECT_EQ(day_of(from_ms(-kDayMs - 1)), Day{-2});
  EXPECT_EQ(to_string(Day{0}), "1970-01-01");
  EXPECT_EQ(to_string(Day{20'780}), "2026-11-23");
  EXPECT_EQ(to_string(Day{-719'529}), "day--719529");
  EXPECT_EQ(to_string(day_of(Time::max())), "day-106751991167");
}

}  // namespace
}  // namespace ward::collector
