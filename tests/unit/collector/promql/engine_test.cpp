#include "collector/promql/engine.hpp"

#include <algorithm>
#include <atomic>
#include <gtest/gtest.h>
#include <limits>

#include "collector/promql/function/function.hpp"
#include "collector/tsdb/head.hpp"
#include "tests/support/manual_clock.hpp"

namespace ward::promql {
namespace {

/// A store whose every select takes `cost` on the clock.
class SlowStore final : public collector::Queryable {
 public:
  SlowStore(const collector::Queryable& inner, ward::test::ManualClock& clock, milliseconds cost)
      : inner_(inner), clock_(clock), cost_(cost) {}
  [[nodiscard]] Result<std::vector<collector::SeriesData>> select(std::span<const Matcher> matchers, Time from,
                                                                  Time to) const override {
    clock_.advance(cost_);
    return inner_.select(matchers, from, to);
  }

 private:
  const collector::Queryable& inner_;
  ward::test::ManualClock& clock_;
  milliseconds cost_;
};

class BrokenStore final : public collector::Queryable {
 public:
  [[nodiscard]] Result<std::vector<collector::SeriesData>> select(std::span<const Matcher>, Time, Time) const override {
    return fail(Errc::unavailable, "the store is closed", "Wait.");
  }
};

/// Counts selects, and cancels the query at the first one when asked to.
class CountingStore final : public collector::Queryable {
 public:
  explicit CountingStore(const collector::Queryable& inner, std::atomic<bool>* cancels = nullptr)
      : inner_(inner), cancels_(cancels) {}
  [[nodiscard]] Result<std::vector<collector::SeriesData>> select(std::span<const Matcher> matchers, Time from,
                                                                  Time to) const override {
    ++selects;
    if (cancels_ != nullptr) *cancels_ = true;
    earliest = std::min(earliest, from);
    latest = std::max(latest, to);
    return inner_.select(matchers, from, to);
  }
  mutable int selects = 0;
  mutable Time earliest = from_ms(std::numeric_limits<std::int64_t>::max());
  mutable Time latest = from_ms(std::numeric_limits<std::int64_t>::min());

 private:
  const collector::Queryable& inner_;
  std::atomic<bool>* cancels_;
};

class EngineTest : public testing::Test {
 protected:
  EngineTest() {
    for (int n = 0; n < 10; ++n) {
      const auto ref = head.get_or_create({{"__name__", "m"}, {"n", std::to_string(n)}});
      std::vector<collector::RefSample> samples;
      for (int i = 0; i < 100; ++i) samples.push_back({ref, {from_ms(i * 1000), static_cast<double>(i)}});
      head.append(samples);
    }
  }
  ward::test::ManualClock clock;
  collector::Head head{{milliseconds{0}}};
};

TEST_F(EngineTest, StopsAtTheSampleLimit) {
  const Engine engine{clock, {.limits = {.max_samples = 500}}};
  const auto refused = engine.instant(*parse("sum_over_time(m[2m])"), head, from_ms(99'000));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::overloaded);
  EXPECT_EQ(refused.error().what, "query processing would load too many samples into memory in query execution");
  EXPECT_TRUE(engine.instant(*parse("sum_over_time(m[20s])"), head, from_ms(99'000)));
  EXPECT_FALSE(engine.instant(*parse("count_over_time(vector(1)[1y:1ms])"), head, from_ms(99'000)));
  EXPECT_FALSE(engine.range(*parse("1"), head, {from_ms(0), from_ms(1'000'000), milliseconds{1}}));
}

TEST_F(EngineTest, StopsAtTheTimeLimit) {
  const Engine engine{clock, {.limits = {.timeout = milliseconds{1000}}}};
  const SlowStore store{head, clock, milliseconds{600}};
  EXPECT_TRUE(engine.instant(*parse("m"), store, from_ms(0)));
  const auto late = engine.instant(*parse("m + m"), store, from_ms(0));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::timed_out);
}

TEST_F(EngineTest, StopsAtTheMemoryLimit) {
  const Engine small{clock, {.limits = {.max_bytes = 10'000}}};
  const auto refused = small.range(*parse("m + m"), head, {from_ms(0), from_ms(1'000'000), milliseconds{1000}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::overloaded);
  EXPECT_NE(refused.error().what.find("MiB of memory"), std::string::npos);
  EXPECT_TRUE(small.instant(*parse("m + m"), head, from_ms(1000)));
}

TEST_F(EngineTest, GivesTheMemoryOfItsWorkBackAndLeavesThatOfTheResult) {
  const Engine engine{clock};
  const auto all = std::make_shared<SharedMemory>(1 << 20);
  MemoryLease lease{all};
  const auto result =
      engine.range(*parse("m + m"), head, {from_ms(0), from_ms(1'000'000), milliseconds{1000}}, {.memory = &lease});
  ASSERT_TRUE(result);
  std::size_t points = 0;
  for (const auto& series : *result) points += series.samples.size();
  ASSERT_GT(points, 0U);
  EXPECT_GE(lease.held(), points * sizeof(Sample));
  EXPECT_LT(lease.held(), points * sizeof(Sample) + result->size() * 1000);
  EXPECT_EQ(all->used(), lease.held());
}

TEST_F(EngineTest, StopsWhenAllQueriesTogetherHoldTooMuch) {
  const Engine engine{clock};
  const auto all = std::make_shared<SharedMemory>(10'000);
  MemoryLease other{all};
  other.take(9'000);
  MemoryLease lease{all};
  const auto refused =
      engine.range(*parse("m + m"), head, {from_ms(0), from_ms(1'000'000), milliseconds{1000}}, {.memory = &lease});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  lease.settle(0);
  EXPECT_EQ(all->used(), 9'000U);
  EXPECT_TRUE(engine.instant(*parse("1"), head, from_ms(1000), {.memory = &lease}));
}

TEST_F(EngineTest, StopsWhenNobodyWaitsAnyMore) {
  const Engine engine{clock};
  std::atomic<bool> gone{true};
  const auto stopped = engine.instant(*parse("m"), head, from_ms(0), {.cancelled = &gone});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Errc::cancelled);
  gone = false;
  EXPECT_TRUE(engine.instant(*parse("m"), head, from_ms(0), {.cancelled = &gone}));
  const CountingStore store{head, &gone};
  EXPECT_EQ(engine.instant(*parse("m + m + m"), store, from_ms(0), {.cancelled = &gone}).error().code, Errc::cancelled);
  EXPECT_EQ(store.selects, 1) << "nothing more is read once the query is cancelled";
}

TEST_F(EngineTest, StopsAllQueriesWhenTheProcessEnds) {
  std::atomic<bool> stopping{false};
  const std::atomic<bool> wanted{false};
  EngineOptions options;
  options.stopping = &stopping;
  const Engine engine{clock, options};
  EXPECT_TRUE(engine.instant(*parse("m"), head, from_ms(0), {.cancelled = &wanted}));
  stopping = true;
  EXPECT_EQ(engine.instant(*parse("m"), head, from_ms(0), {.cancelled = &wanted}).error().code, Errc::cancelled);
}

TEST_F(EngineTest, AsksTheStoreForTheTimesItNeeds) {
  const Engine engine{clock};
  const auto read = [&](const std::string& query) {
    const CountingStore store{head};
    EXPECT_TRUE(engine.range(*parse(query), store, {from_ms(60'000), from_ms(90'000), milliseconds{10'000}}));
    return std::pair{to_ms(store.earliest), to_ms(store.latest)};
  };
  EXPECT_EQ(read("m"), std::pair(60'000L - 299'999L, 90'000L));
  EXPECT_EQ(read("rate(m[20s])"), std::pair(40'001L, 90'000L));
  EXPECT_EQ(read("rate(m[20s] offset 10s)"), std::pair(30'001L, 80'000L));
  EXPECT_EQ(read("rate(m[20s] @ 50)"), std::pair(30'001L, 50'000L));
  EXPECT_EQ(read("max_over_time(rate(m[20s])[10s:5s])"), std::pair(35'001L, 90'000L));
}

TEST_F(EngineTest, GivesAnnotationsWithTheResult) {
  const Engine engine{clock};
  Annotations notes;
  ASSERT_TRUE(engine.instant(*parse("sum(rate(m[1m]))\n + quantile(2,\n m)"), head, from_ms(99'000), {.notes = &notes}));
  EXPECT_EQ(notes.warnings,
            std::vector<std::string>{"PromQL warning: quantile value should be between 0 and 1, got 2 (2:13)"});
  EXPECT_EQ(notes.infos, std::vector<std::string>{"PromQL info: metric might not be a counter, name does not end in "
                                                  "_total/_sum/_count/_bucket: \"m\" (1:10)"});
  ASSERT_TRUE(engine.instant(*parse("sum(m)"), head, from_ms(99'000), {.notes = &notes}));
  EXPECT_EQ(notes, Annotations{});
}

TEST_F(EngineTest, ShowsAtMostTenAnnotationsOfAKind) {
  for (int n = 0; n < 15; ++n) {
    const auto ref = head.get_or_create({{"__name__", "gauge" + std::to_string(n)}, {"n", std::to_string(n)}});
    const std::vector<collector::RefSample> samples{{ref, {from_ms(0), 1}}, {ref, {from_ms(1000), 2}}};
    head.append(samples);
  }
  Annotations notes;
  ASSERT_TRUE(Engine{clock}.instant(*parse("rate({__name__=~'gauge.*'}[1m])"), head, from_ms(1000), {.notes = &notes}));
  ASSERT_EQ(notes.infos.size(), 11U);
  EXPECT_EQ(notes.infos.back(), "5 more info annotations omitted");
}

TEST_F(EngineTest, GivesElementsInTheOrderOfTheirLabels) {
  const Engine engine{clock};
  const auto value = engine.instant(*parse("m * 2"), head, from_ms(1000));
  const auto& vector = std::get<Vector>(*value);
  ASSERT_EQ(vector.size(), 10U);
  for (std::size_t i = 1; i < vector.size(); ++i) EXPECT_LT(vector[i - 1].labels, vector[i].labels);
}

TEST_F(EngineTest, HandsOnTheStoresError) {
  const Engine engine{clock};
  EXPECT_EQ(engine.instant(*parse("sum(rate(m[5m]))"), BrokenStore{}, from_ms(0)).error().code, Errc::unavailable);
}

TEST_F(EngineTest, YieldsEveryTypeOfValue) {
  const Engine engine{clock};
  EXPECT_EQ(std::get<double>(*engine.instant(*parse("1 + 1"), head, from_ms(0))), 2);
  EXPECT_EQ(std::get<std::string>(*engine.instant(*parse("'text'"), head, from_ms(0))), "text");
  EXPECT_EQ(std::get<Vector>(*engine.instant(*parse("m{n='3'}"), head, from_ms(5000))),
            (Vector{{{{"__name__", "m"}, {"n", "3"}}, 5}}));
  const Matrix expected{{{{"__name__", "m"}, {"n", "3"}}, {{from_ms(4000), 4}, {from_ms(5000), 5}}}};
  EXPECT_EQ(std::get<Matrix>(*engine.instant(*parse("(m{n='3'}[2s])"), head, from_ms(5000))), expected);
  EXPECT_EQ(std::get<Matrix>(*engine.instant(*parse("m{n='3'}[2s:1s]"), head, from_ms(5000))), expected);
}

TEST_F(EngineTest, RefusesBadRanges) {
  const Engine engine{clock};
  EXPECT_FALSE(engine.range(*parse("m"), head, {from_ms(0), from_ms(10), milliseconds{0}}));
  EXPECT_FALSE(engine.range(*parse("m"), head, {from_ms(10), from_ms(0), milliseconds{1}}));
  const auto matrix = engine.range(*parse("m[5m]"), head, {from_ms(0), from_ms(10), milliseconds{1}});
  ASSERT_FALSE(matrix);
  EXPECT_EQ(matrix.error().what,
            "invalid expression type \"range vector\" for range query, must be Scalar or instant Vector");
}

TEST_F(EngineTest, SortsRangeResultsByLabels) {
  const Engine engine{clock};
  const auto matrix = engine.range(*parse("sort_desc(m)"), head, {from_ms(0), from_ms(1000), milliseconds{1000}});
  ASSERT_TRUE(matrix);
  ASSERT_EQ(matrix->size(), 10U);
  EXPECT_EQ(matrix->front().labels.get("n"), "0");
}

TEST_F(EngineTest, SurvivesTheEndsOfTime) {
  const Engine engine{clock};
  for (const auto t : {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()})
    for (const std::string query :
         {"m", "rate(m[5m])", "sum_over_time(m[5m:1m])", "m offset 1y", "m offset -1y", "m @ 9e15", "m[1h:1m] @ -9e15"})
      (void)engine.instant(*parse(query), head, from_ms(t));
  EXPECT_TRUE(engine.instant(*parse("m"), head, from_ms(0)));
}

TEST(Functions, AreSortedSoThatTheyAreFound) {
  for (const auto& f : functions()) EXPECT_EQ(find_function(f.name), &f);
  EXPECT_EQ(find_function("nope"), nullptr);
  EXPECT_EQ(find_function(""), nullptr);
}

}  // namespace
}  // namespace ward::promql
