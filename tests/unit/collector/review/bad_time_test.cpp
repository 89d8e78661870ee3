// Where a service level was worse than promised, and how much of its budget that was worth.
#include "collector/review/bad_time.hpp"

#include <gmock/gmock.h>

namespace ward::collector::review {
namespace {

using slo::Amount;
using slo::Cell;
using slo::kOne;
using slo::LedgerMinutes;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr slo::Minute kFrom{std::chrono::minutes{29'922'720}};

/// 1000 minutes of 100 events, all good; the budget of a target of 0.99 is ten minutes.
LedgerMinutes ledger() {
  LedgerMinutes out;
  out.slo = "s";
  out.target = 0.99;
  out.range = {kFrom, kFrom + std::chrono::minutes{1'000}};
  out.cells.assign(1'000, Cell{.bad = 0, .total = 100 * kOne});
  return out;
}
void spoil(LedgerMinutes& ledger, std::size_t from, std::size_t to, Amount events) {
  for (auto i = from; i < to; ++i) ledger.cells[i].bad = events * kOne;
}
std::vector<std::pair<int, int>> places(const SloTime& time) {
  std::vector<std::pair<int, int>> out;
  for (const auto& b : time.bad)
    out.emplace_back(static_cast<int>((b.from - kFrom).count()), static_cast<int>((b.to - kFrom).count()));
  return out;
}

TEST(BadTime, IsNoneWhileThePromiseIsKept) {
  auto l = ledger();
  spoil(l, 0, 1'000, 1);  // just what is promised
  EXPECT_THAT(bad_time(l).bad, IsEmpty());
}

TEST(BadTime, AddsUpToTheBudgetThatItCost) {
  auto l = ledger();
  spoil(l, 100, 105, 100);
  const auto time = bad_time(l);
  EXPECT_THAT(places(time), ElementsAre(std::pair(100, 105)));
  EXPECT_NEAR(time.bad[0].worth, 0.5, 1e-9);
}

TEST(BadTime, JoinsWhatIsNearAndNotWhatIsFar) {
  auto l = ledger();
  spoil(l, 100, 102, 100);
  spoil(l, 107, 108, 100);
  spoil(l, 114, 115, 100);
  EXPECT_THAT(places(bad_time(l)), ElementsAre(std::pair(100, 108), std::pair(114, 115)));
}

TEST(BadTime, WeighsEventsByHowManyThereWere) {
  auto l = ledger();
  for (std::size_t i = 0; i < 10; ++i) l.cells[i] = {.bad = kOne, .total = kOne};  // a quiet night, all of it bad
  const auto time = bad_time(l);
  ASSERT_THAT(time.bad, SizeIs(1));
  EXPECT_LT(time.bad[0].worth, 0.02) << "ten minutes, but ten events of a hundred thousand";
}

TEST(BadTime, TakesWhatIsNotKnownAsThePolicySays) {
  auto l = ledger();
  for (std::size_t i = 50; i < 60; ++i) l.cells[i] = {};
  EXPECT_THAT(bad_time(l).bad, IsEmpty());
  l.no_data = slo::NoData::bad;
  EXPECT_THAT(places(bad_time(l)), ElementsAre(std::pair(50, 60)));
  l.no_data = slo::NoData::good;
  EXPECT_THAT(bad_time(l).bad, IsEmpty());
}

TEST(BadTime, IsATargetThatIsKnownToBeDown) {
  auto l = ledger();
  for (std::size_t i = 50; i < 52; ++i) l.cells[i] = {.bad = 0, .total = 0, .flags = Cell::kDown};
  const auto time = bad_time(l);
  EXPECT_THAT(places(time), ElementsAre(std::pair(50, 52)));
  EXPECT_NEAR(time.bad[0].worth, 0.2, 1e-9);
}

TEST(BadTime, LeavesMaintenanceOutAndWhatWasBeforeTheSlo) {
  auto l = ledger();
  l.no_data = slo::NoData::bad;
  for (std::size_t i = 0; i < 300; ++i) l.cells[i] = {};  // not born
  spoil(l, 500, 600, 100);
  for (std::size_t i = 500; i < 600; ++i) l.cells[i].flags = Cell::kExcluded;
  EXPECT_THAT(bad_time(l).bad, IsEmpty());
}

TEST(BadTime, JudgesSlicesAsAWhole) {
  auto l = ledger();
  l.counting = {slo::Budgeting::timeslices, 5, 0.9};
  spoil(l, 102, 103, 100);  // 20 % of a slice of five minutes
  const auto time = bad_time(l);
  EXPECT_THAT(places(time), ElementsAre(std::pair(100, 105)));
  EXPECT_NEAR(time.bad[0].worth, 0.5, 1e-9);
}

TEST(BadTime, OfAnEmptyLedgerIsNone) {
  LedgerMinutes l;
  l.target = 0.99;
  EXPECT_THAT(bad_time(l).bad, IsEmpty());
  l = ledger();
  for (auto& cell : l.cells) cell = {};
  EXPECT_THAT(bad_time(l).bad, IsEmpty());
}

}  // namespace
}  // namespace ward::collector::review
