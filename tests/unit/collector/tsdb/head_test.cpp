#include "collector/tsdb/head.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <numeric>
#include <random>

#include "tests/unit/collector/tsdb/head_chunks.hpp"

namespace ward::collector {
namespace {

const Labels kUp{{"__name__", "up"}, {"tenant", "clinic-a"}};
const std::vector<Matcher> kUpMatcher{*Matcher::make(Matcher::Op::equal, "__name__", "up")};
constexpr Time kBegin = from_ms(std::numeric_limits<std::int64_t>::min());
constexpr Time kEnd = from_ms(std::numeric_limits<std::int64_t>::max());

Sample at(std::int64_t ms, double v = 1) { return {from_ms(ms), v}; }
std::vector<Sample> samples_of(const Head& head, Time from = kBegin, Time to = kEnd) {
  const auto found = head.select(kUpMatcher, from, to);
  return found && found->size() == 1 ? found->front().samples : std::vector<Sample>{};
}
AppendCounts append(Head& head, SeriesRef ref, std::vector<Sample> samples) {
  std::vector<RefSample> batch;
  for (const auto& s : samples) batch.push_back({ref, s});
  return head.append(batch);
}

TEST(Head, GivesOneRefPerLabelSet) {
  Head head;
  const auto a = head.get_or_create(kUp);
  EXPECT_EQ(head.get_or_create(kUp), a);
  EXPECT_NE(head.get_or_create(kUp.with("job", "x")), a);
  EXPECT_EQ(head.labels(a), kUp);
}

TEST(Head, SelectsRangesInclusiveOnBothEnds) {
  Head head;
  const auto ref = head.get_or_create(kUp);
  for (int i = 0; i < 300; ++i) append(head, ref, {at(i * 10, i)});
  EXPECT_EQ(samples_of(head, from_ms(1200), from_ms(1220)), (std::vector{at(1200, 120), at(1210, 121), at(1220, 122)}));
  EXPECT_EQ(samples_of(head).size(), 300U);
  EXPECT_TRUE(head.select(kUpMatcher, from_ms(5000), from_ms(6000))->empty());
  EXPECT_EQ(head.stats().chunks, 3U);
}

TEST(Head, SortsSeriesByLabels) {
  Head head;
  for (const std::string job : {"c", "a", "b"}) append(head, head.get_or_create(kUp.with("job", job)), {at(1)});
  const auto found = head.select(kUpMatcher, kBegin, kEnd);
  ASSERT_EQ(found->size(), 3U);
  EXPECT_TRUE(
      std::is_sorted(found->begin(), found->end(), [](const auto& a, const auto& b) { return a.labels < b.labels; }));
}

TEST(Head, InsertsLateSamplesInsideTheWindow) {
  Head head;
  const auto ref = head.get_or_create(kUp);
  EXPECT_EQ(append(head, ref, {at(10'000), at(30'000)}), (AppendCounts{.appended = 2}));
  EXPECT_EQ(append(head, ref, {at(20'000), at(5'000)}), (AppendCounts{.appended = 2, .out_of_order = 2}));
  EXPECT_EQ(samples_of(head), (std::vector{at(5'000), at(10'000), at(20'000), at(30'000)}));
  EXPECT_EQ(head.last_sample(ref), at(30'000));
}

TEST(Head, RefusesSamplesOlderThanTheWindow) {
  Head head{{.max_sample_age = milliseconds{1000}}};
  const auto ref = head.get_or_create(kUp);
  append(head, ref, {at(10'000)});
  EXPECT_EQ(append(head, ref, {at(9'000), at(8'999)}), (AppendCounts{.appended = 1, .out_of_order = 1, .too_old = 1}));
}

TEST(Head, AcceptsAnyTimeWhenTheAgeIsZero) {
  Head head{{.max_sample_age = milliseconds{0}}};
  const auto ref = head.get_or_create(kUp);
  const std::vector all{Sample{kBegin, 1}, at(-1), at(0), Sample{kEnd, 1}};
  EXPECT_EQ(append(head, ref, {all[3], all[0], all[2], all[1]}), (AppendCounts{.appended = 4, .out_of_order = 3}));
  EXPECT_EQ(samples_of(head), all);
}

TEST(Head, TellsDuplicatesFromConflicts) {
  Head head;
  const auto ref = head.get_or_create(kUp);
  for (int i = 0; i < 150; ++i) append(head, ref, {at(i * 1000, i)});
  append(head, ref, {at(500, 7)});
  // In the newest place, in a closed chunk, in the open chunk and among the late ones.
  EXPECT_EQ(append(head, ref, {at(149'000, 149), at(3'000, 3), at(130'000, 130), at(500, 7)}),
            (AppendCounts{.duplicate = 4}));
  EXPECT_EQ(append(head, ref, {at(149'000, 0), at(3'000, 0), at(130'000, 0), at(500, 0)}), (AppendCounts{.conflicting = 4}));
  EXPECT_EQ(append(head, ref, {{from_ms(149'000), stale_marker()}}), (AppendCounts{.conflicting = 1}));
  EXPECT_EQ(samples_of(head).size(), 151U);
}

TEST(Head, StoresAnyOrderAsSorted) {
  std::mt19937_64 random{3};
  Head head{{.max_sample_age = milliseconds{0}}};
  const auto ref = head.get_or_create(kUp);
  std::vector<Sample> samples;
  for (int i = 0; i < 2000; ++i) samples.push_back(at(i * 7, i));
  auto shuffled = samples;
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  for (const auto& s : shuffled) {
    append(head, ref, {s});
    if (random() % 400 == 0) file_chunks(head);
  }
  EXPECT_EQ(samples_of(head), samples);
  EXPECT_EQ(head.stats().samples, samples.size());
}

TEST(Head, HandsOutEachSampleOnce) {
  Head head;
  const auto ref = head.get_or_create(kUp);
  for (int i = 0; i < 250; ++i) append(head, ref, {at(i * 1000, i)});
  append(head, ref, {at(1500)});
  const auto first = file_chunks(head);
  EXPECT_EQ(std::accumulate(first.begin(), first.end(), 0U, [](unsigned n, const SealedChunk& c) { return n + c.count; }),
            251U);
  EXPECT_TRUE(file_chunks(head).empty());
  append(head, ref, {at(251'000), at(252'000)});
  const auto second = file_chunks(head);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].t_min, from_ms(251'000));
  EXPECT_EQ(second[0].t_max, from_ms(252'000));
  EXPECT_EQ(second[0].series, ref);
}

TEST(Head, ComesBackFromItsChunks) {
  Head before;
  const auto other = before.get_or_create(kUp.with("job", "x"));
  const auto ref = before.get_or_create(kUp);
  for (int i = 0; i < 250; ++i) append(before, ref, {at(i * 1000, i)});
  append(before, ref, {at(1500, 9)});
  append(before, other, {{from_ms(5), stale_marker()}});
  Head after;
  ASSERT_TRUE(after.restore(ref, kUp));
  ASSERT_TRUE(after.restore(other, kUp.with("job", "x")));
  auto chunks = file_chunks(before);
  std::reverse(chunks.begin(), chunks.end());
  for (const auto& c : chunks) ASSERT_TRUE(after.load_chunk(c));
  EXPECT_EQ(*after.select(kUpMatcher, kBegin, kEnd), *before.select(kUpMatcher, kBegin, kEnd));
  EXPECT_EQ(after.last_sample(ref), at(249'000, 249));
  EXPECT_TRUE(file_chunks(after).empty());
  EXPECT_GT(after.get_or_create(kUp.with("job", "new")), std::max(ref, other));
  EXPECT_EQ(append(after, ref, {at(3'000, 3), at(250'000, 1)}), (AppendCounts{.appended = 1, .duplicate = 1}));
}

TEST(Head, RefusesDamagedChunksAndStrangers) {
  Head head;
  const auto ref = head.get_or_create(kUp);
  const std::vector<Sample> samples{at(1), at(2)};
  const SealedChunk good{ref, from_ms(1), from_ms(2), 2, encode_chunk(samples)};
  auto bad = good;
  bad.count = 3;
  EXPECT_EQ(head.load_chunk(bad).error().code, Errc::corrupt);
  bad = good;
  bad.bytes.resize(5);
  EXPECT_EQ(head.load_chunk(bad).error().code, Errc::corrupt);
  bad = good;
  bad.series = SeriesRef{77};
  EXPECT_EQ(head.load_chunk(bad).error().code, Errc::not_found);
  EXPECT_TRUE(head.load_chunk(good));
  EXPECT_EQ(head.restore(ref, kUp.with("a", "b")).error().code, Errc::invalid);
  EXPECT_EQ(head.restore(SeriesRef{9}, kUp).error().code, Errc::invalid);
  EXPECT_TRUE(head.restore(ref, kUp));
}

TEST(Head, DropsOldChunksAndThenEmptySeries) {
  Head head;
  const auto old = head.get_or_create(kUp);
  const auto mixed = head.get_or_create(kUp.with("job", "mixed"));
  append(head, old, {at(1'000)});
  for (int i = 0; i < 130; ++i) append(head, mixed, {at(i * 1000)});
  const auto fresh = head.get_or_create(kUp.with("job", "fresh"));
  EXPECT_EQ(drop_before(head, from_ms(125'000)), (std::vector{old}));
  EXPECT_EQ(head.stats().samples, 10U) << "the open chunk holds samples from both sides and stays whole";
  EXPECT_EQ(append(head, old, {at(126'000)}), (AppendCounts{.unknown_series = 1}));
  EXPECT_NE(head.get_or_create(kUp), old) << "numbers are never used twice";
  EXPECT_EQ(append(head, fresh, {at(126'000)}).appended, 1U);
  EXPECT_EQ(drop_before(head, from_ms(999'999)), (std::vector{mixed, fresh})) << "the one made anew is spared once";
}

TEST(Head, HandsOutAgainWhatCouldNotBeFiled) {
  Head head;
  const auto ref = head.get_or_create(kUp);
  for (int i = 0; i < 130; ++i) append(head, ref, {at(i * 1000, i)});
  const auto first = file_chunks(head, false);
  append(head, ref, {at(500'000)});
  const auto second = file_chunks(head, true);
  ASSERT_EQ(first.size(), 2U);
  ASSERT_EQ(second.size(), 3U);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), second.begin()));
  EXPECT_TRUE(file_chunks(head).empty());
}

TEST(Head, LetsGoOnlyOfWhatIsOnDisk) {
  Head head;
  const auto ref = head.get_or_create(kUp);
  for (int i = 0; i < 120; ++i) append(head, ref, {at(i * 1000, i)});
  EXPECT_TRUE(head.release(kEnd, kBegin).empty());
  EXPECT_EQ(head.stats().samples, 120U);
  (void)file_chunks(head, false);
  EXPECT_TRUE(head.release(kEnd, kBegin).empty());
  (void)file_chunks(head);
  append(head, ref, {at(200'000, 1)});
  EXPECT_TRUE(head.release(kEnd, kBegin).empty()) << "its newest is not on disk";
  EXPECT_EQ(samples_of(head), (std::vector{at(200'000, 1)}));
  EXPECT_EQ(append(head, ref, {at(200'000, 1)}).duplicate, 1U);
}

TEST(Head, AQuietSeriesKeepsItsLabelsAndWakesWithItsNumber) {
  Head head;
  const auto ref = head.get_or_create(kUp.with("tenant", "clinic-a"));
  append(head, ref, {at(1'000)});
  (void)file_chunks(head);
  head.set_last_day(ref, Day{3});
  EXPECT_EQ(head.release(kEnd, kBegin), (std::vector{ref}));
  EXPECT_EQ(head.stats().series, 0U);
  EXPECT_EQ(head.stats().quiet, 1U);
  EXPECT_EQ(head.label(ref, "tenant"), "clinic-a");
  EXPECT_EQ(head.last_day(ref), Day{3});
  const auto reader = head.reader();
  EXPECT_EQ(reader->find(kUpMatcher, from_ms(0), kEnd)->size(), 1U);
  EXPECT_EQ(reader->find(kUpMatcher, from_ms(3 * kDayMs), kEnd)->size(), 1U);
  EXPECT_TRUE(reader->find(kUpMatcher, from_ms(4 * kDayMs), kEnd)->empty()) << "nothing of it is as new";
  EXPECT_EQ(append(head, ref, {at(9'000)}).unknown_series, 1U) << "whoever sends it is told, to count it again";
  EXPECT_TRUE(head.forget([](const std::string& tenant, std::optional<Day> day) {
                    EXPECT_EQ(tenant, "clinic-a");
                    return day < Day{3};
                  })
                  .empty());
  EXPECT_EQ(head.get_or_create(kUp.with("tenant", "clinic-a")), ref);
  EXPECT_EQ(append(head, ref, {at(9'000)}).appended, 1U);
  EXPECT_EQ(head.last_day(ref), Day{3});
  (void)file_chunks(head);
  EXPECT_EQ(head.release(kEnd, kBegin), (std::vector{ref}));
  EXPECT_EQ(head.forget([](const std::string&, std::optional<Day>) { return true; }), (std::vector{ref}));
  EXPECT_FALSE(head.knows(ref));
}

TEST(Head, SparesANewSeriesOnce) {
  Head head;
  const auto ref = head.get_or_create(kUp);
  EXPECT_TRUE(drop_before(head, kEnd).empty());
  EXPECT_EQ(drop_before(head, kEnd), (std::vector{ref}));
}

}  // namespace
}  // namespace ward::collector
