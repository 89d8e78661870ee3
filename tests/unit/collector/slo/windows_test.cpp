#include "collector/slo/windows.hpp"

#include <gtest/gtest.h>

namespace ward::collector::slo {
namespace {

Sums sums(double bad, double total, int known, int excluded = 0, int down = 0) {
  return {to_amount(bad), to_amount(total), known, excluded, down};
}

TEST(Judge, IsTheShareOfBadEvents) {
  const auto state = judge(sums(1, 100, 60), 60, NoData::unknown, {});
  EXPECT_DOUBLE_EQ(*state.bad_ratio, 0.01);
  EXPECT_DOUBLE_EQ(state.coverage, 1);
}

TEST(Judge, KnowsNothingWithoutEvents) {
  const auto state = judge(sums(0, 0, 0), 60, NoData::unknown, {});
  EXPECT_FALSE(state.bad_ratio);
  EXPECT_DOUBLE_EQ(state.coverage, 0);
  EXPECT_FALSE(judge(sums(0, 0, 0, 60), 60, NoData::bad, {}).bad_ratio) << "all excluded";
  EXPECT_FALSE(judge(sums(0, 0, 0), 0, NoData::bad, {}).bad_ratio);
}

TEST(Judge, LeavesUnknownMinutesOut) {
  const auto state = judge(sums(5, 50, 30), 60, NoData::unknown, {});
  EXPECT_DOUBLE_EQ(*state.bad_ratio, 0.1);
  EXPECT_DOUBLE_EQ(state.coverage, 0.5);
}

TEST(Judge, CountsUnknownMinutesAsThePolicySays) {
  EXPECT_DOUBLE_EQ(*judge(sums(5, 50, 30), 60, NoData::bad, {}).bad_ratio, 0.55);
  EXPECT_DOUBLE_EQ(*judge(sums(5, 50, 30), 60, NoData::good, {}).bad_ratio, 0.05);
  EXPECT_DOUBLE_EQ(*judge(sums(0, 0, 0), 60, NoData::bad, {}).bad_ratio, 1);
}

TEST(Judge, DoesNotBlameMinutesBeforeTheBeginningOrOnTheirWay) {
  EXPECT_DOUBLE_EQ(*judge(sums(0, 20, 10), 60, NoData::bad, {.unborn = 48, .grace = 2}).bad_ratio, 0);
}

TEST(Judge, CountsADeadTargetAsBadWhateverThePolicy) {
  EXPECT_DOUBLE_EQ(*judge(sums(0, 30, 30, 0, 30), 60, NoData::unknown, {}).bad_ratio, 0.5);
  EXPECT_DOUBLE_EQ(*judge(sums(0, 0, 0, 0, 5), 60, NoData::good, {.unborn = 55, .grace = 0}).bad_ratio, 1);
}

TEST(Judge, LeavesExcludedMinutesOutOfTheCoverage) {
  EXPECT_DOUBLE_EQ(judge(sums(0, 30, 30, 30), 60, NoData::unknown, {}).coverage, 1);
}

TEST(Judge, StaysBetweenNoneAndAll) {
  EXPECT_DOUBLE_EQ(*judge(sums(-5, 10, 1), 1, NoData::unknown, {}).bad_ratio, 0);
  EXPECT_DOUBLE_EQ(*judge(sums(50, 10, 1), 1, NoData::unknown, {}).bad_ratio, 1);
}

WindowState part(double bad) {
  WindowState state;
  state.bad_ratio = bad;
  state.coverage = 1;
  return state;
}

TEST(Combine, TakesAPathForBrokenWhenAPartIs) {
  EXPECT_DOUBLE_EQ(*combine({{part(0.1), 1}, {part(0.2), 1}}, Composition::all).bad_ratio, 1 - 0.9 * 0.8);
  EXPECT_DOUBLE_EQ(*combine({{part(1), 1}, {part(0), 1}}, Composition::all).bad_ratio, 1);
}

TEST(Combine, WeighsParts) {
  EXPECT_DOUBLE_EQ(*combine({{part(0.1), 3}, {part(0.5), 1}}, Composition::weighted).bad_ratio, 0.2);
}

TEST(Combine, LeavesOutPartsThatKnowNothing) {
  const auto state = combine({{part(0.1), 1}, {WindowState{}, 1}}, Composition::all);
  EXPECT_DOUBLE_EQ(*state.bad_ratio, 0.1);
  EXPECT_DOUBLE_EQ(state.coverage, 0);
  EXPECT_FALSE(combine({{WindowState{}, 1}}, Composition::all).bad_ratio);
}

TEST(Counting, CountsASliceAsAWhole) {
  std::vector<Cell> slice(5);
  for (auto& cell : slice) cell.total = 10 * kOne;
  slice[2].bad = 4 * kOne;  // 8% of the slice
  const Counting strict{Budgeting::timeslices, 5, 0.95};
  EXPECT_EQ(strict.count(slice), (Sums{5 * kOne, 5 * kOne, 5, 0, 0}));
  const Counting lax{Budgeting::timeslices, 5, 0.9};
  EXPECT_EQ(lax.count(slice), (Sums{0, 5 * kOne, 5, 0, 0}));
  const Counting ratio{Budgeting::ratio_timeslices, 5, 1};
  EXPECT_EQ(ratio.count(slice), (Sums{400, 5 * kOne, 5, 0, 0}));
}

TEST(Counting, LeavesExcludedMinutesOutOfASlice) {
  std::vector<Cell> slice(5, Cell{.bad = kOne, .total = kOne});
  for (const std::size_t i : {0U, 1U}) slice[i].flags = Cell::kExcluded;
  for (const std::size_t i : {2U, 3U, 4U}) slice[i].bad = 0;
  EXPECT_EQ((Counting{Budgeting::timeslices, 5, 1}.count(slice)), (Sums{0, 3 * kOne, 3, 2, 0}));
}

TEST(Counting, DoesNotTakeAnIdleGroupForDeadWhileOneOfItsTargetsIsUp) {
  const std::vector<Cell> idle{{.flags = Cell::kDown | Cell::kUp}};
  const std::vector<Cell> dead{{.flags = Cell::kDown}};
  EXPECT_EQ(Counting{}.count(idle), Sums{});
  EXPECT_EQ(Counting{}.count(dead), (Sums{0, 0, 0, 0, 1}));
}

}  // namespace
}  // namespace ward::collector::slo
