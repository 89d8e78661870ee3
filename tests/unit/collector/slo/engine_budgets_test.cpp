// What people and reports ask of the engine: budgets and minutes.
#include "tests/unit/collector/slo/engine_bed.hpp"

namespace ward::collector::slo {
namespace {

TEST(Budgets, TellWhatIsPromisedBeforeAnythingIsCounted) {
  test::Bed bed;
  bed.start();
  const auto budgets = bed.engine->budgets();
  ASSERT_EQ(budgets.size(), 1U);
  EXPECT_FALSE(budgets[0].counted);
  EXPECT_EQ(budgets[0].slo, "admission-ok");
  EXPECT_EQ(budgets[0].target, 0.999);
  EXPECT_EQ(budgets[0].length, "30d");
  EXPECT_EQ(budgets[0].budget_remaining, std::nullopt);
}

TEST(Budgets, TellEachWindowAndTheAlertThatBurns) {
  test::Bed bed;
  bed.start();
  bed.run(90, 50, 50);
  const auto budgets = bed.engine->budgets();
  ASSERT_EQ(budgets.size(), 1U);
  const auto& one = budgets[0];
  EXPECT_TRUE(one.counted);
  ASSERT_FALSE(one.windows.empty());
  EXPECT_EQ(one.windows.front().length, minutes{5});
  EXPECT_NEAR(*one.windows.front().bad_ratio, 0.5, 1e-9);
  EXPECT_NEAR(*one.windows.front().burn, 500, 1e-6);
  EXPECT_EQ(one.burn.size(), 4U);
  ASSERT_TRUE(one.alert);
  EXPECT_EQ(one.alert->phase, AlertPhase::firing);
  EXPECT_EQ(one.last_sample, bed.now);
}

TEST(Minutes, AreWhatWasCountedInMemoryAndInTheStoreAlike) {
  test::Bed bed;
  bed.start();
  bed.run(500, 99, 1);  // more than the two blocks that are open
  ASSERT_TRUE(bed.engine->save());
  const MinuteRange range{minute_of(test::kStart), minute_of(bed.now) + minutes{1}};
  double bad = 0;
  double total = 0;
  std::size_t ledgers = 0;
  bed.engine->visit_minutes(range, [&](const LedgerMinutes& ledger) {
    ++ledgers;
    EXPECT_EQ(ledger.slo, "admission-ok");
    EXPECT_EQ(ledger.group.get("tenant"), "a");
    ASSERT_EQ(ledger.cells.size(), static_cast<std::size_t>(range.length().count()));
    for (const auto& cell : ledger.cells) {
      bad += to_events(cell.bad);
      total += to_events(cell.total);
    }
  });
  EXPECT_EQ(ledgers, 1U);
  EXPECT_EQ(total, bed.engine->budgets()[0].events);
  EXPECT_EQ(bad, bed.engine->budgets()[0].bad_events);
}

}  // namespace
}  // namespace ward::collector::slo
