#include "collector/store/sqlite/ledger_store.hpp"

#include <fstream>
#include <gtest/gtest.h>

#include "collector/slo/engine.hpp"
#include "tests/support/temp_dir.hpp"

namespace ward::collector {
namespace {

using slo::LedgerKey;
using slo::StoredLedger;

struct Bed {
  test::TempDir folder{"ledgers"};
  [[nodiscard]] sqlite::OpenOptions options() const {
    sqlite::OpenOptions out;
    out.path = folder / "slo.db";
    return out;
  }
  [[nodiscard]] std::unique_ptr<SqliteLedgerStore> open() const {
    auto store = SqliteLedgerStore::open(options());
    EXPECT_TRUE(store) << describe(store.error());
    return std::move(*store);
  }
};

wire::Buffer block_with(std::size_t minute, slo::Amount total) {
  slo::BlockCells cells;
  cells[minute].total = total;
  return slo::encode_block(cells);
}
const LedgerKey kA{"id1", Labels{{"tenant", "a"}}};
const LedgerKey kAll{"id1", Labels{}};
const LedgerKey kOther{"id2", Labels{{"tenant", "a"}}};

slo::LedgerChange change(std::vector<StoredLedger> ledgers) {
  slo::LedgerChange out;
  out.ledgers = std::move(ledgers);
  out.seeded = {"id1"};
  out.counted_through = from_ms(1'795'000'000'123);
  return out;
}

TEST(SqliteLedgerStore, ReadsBackWhatWasSaved) {
  Bed bed;
  const std::vector<StoredLedger> ledgers{{kA, {{7, block_with(3, 5)}, {8, block_with(4, 6)}}},
                                          {kAll, {{8, block_with(5, 7)}}}};
  ASSERT_TRUE(bed.open()->save(change(ledgers)));
  const auto loaded = bed.open()->load({"id1"});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->ledgers, ledgers);
  EXPECT_EQ(loaded->seeded, std::vector<std::string>{"id1"});
  EXPECT_EQ(loaded->counted_through, from_ms(1'795'000'000'123));
}

TEST(SqliteLedgerStore, LoadsOnlyWhatIsAskedFor) {
  Bed bed;
  const auto store = bed.open();
  ASSERT_TRUE(store->save(change({{kA, {{7, block_with(3, 5)}}}, {kOther, {{7, block_with(3, 6)}}}})));
  const auto loaded = store->load({"id2", "id3"});
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->ledgers.size(), 1U);
  EXPECT_EQ(loaded->ledgers[0].key, kOther);
  EXPECT_TRUE(loaded->seeded.empty());
}

TEST(SqliteLedgerStore, ReplacesABlockAndForgetsAnEmptyOne) {
  Bed bed;
  const auto store = bed.open();
  ASSERT_TRUE(store->save(change({{kA, {{7, block_with(3, 5)}, {8, block_with(3, 5)}}}})));
  ASSERT_TRUE(store->save(change({{kA, {{7, block_with(9, 9)}, {8, {}}}}})));
  EXPECT_EQ(store->block(kA, 7).value(), block_with(9, 9));
  EXPECT_TRUE(store->block(kA, 8).value().empty());
  EXPECT_TRUE(store->block(kOther, 7).value().empty());
  EXPECT_EQ(store->load({"id1"})->ledgers.at(0).blocks.size(), 1U);
}

TEST(SqliteLedgerStore, KeepsAlerts) {
  Bed bed;
  const auto store = bed.open();
  auto saved = change({});
  AlertEvent event;
  event.labels = {{"alertname", "x"}, {"class", "urgent"}};
  event.phase = AlertPhase::firing;
  event.active_at = from_ms(1'795'000'000'000);
  event.value = 31;
  saved.alerts = {{"x", event}};
  ASSERT_TRUE(store->save(saved));
  EXPECT_EQ(store->load({})->alerts, saved.alerts);
  ASSERT_TRUE(store->save(change({})));
  EXPECT_TRUE(store->load({})->alerts.empty());
}

TEST(SqliteLedgerStore, DeletesWhatIsOlderThanItsRetention) {
  Bed bed;
  const auto store = bed.open();
  ASSERT_TRUE(
      store->save(change({{kA, {{7, block_with(3, 5)}, {8, block_with(3, 5)}}}, {kOther, {{7, block_with(3, 5)}}}})));
  ASSERT_TRUE(store->prune(Time{std::chrono::minutes{8 * slo::kBlockMinutes}}));
  EXPECT_TRUE(store->load({"id2"})->ledgers.empty());
  EXPECT_EQ(store->load({"id1"})->ledgers.at(0).blocks.size(), 1U);
  // A ledger that was forgotten may come back.
  ASSERT_TRUE(store->save(change({{kOther, {{9, block_with(3, 5)}}}})));
  EXPECT_EQ(store->load({"id2"})->ledgers.size(), 1U);
}

TEST(SqliteLedgerStore, RefusesAFileThatIsNoDatabase) {
  Bed bed;
  std::ofstream(bed.folder / "slo.db") << std::string(10'000, 'x');
  const auto store = SqliteLedgerStore::open(bed.options());
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Errc::corrupt);
}

TEST(SqliteLedgerStore, ServesALedgerWhoseOldMinutesAreOnlyThere) {
  Bed bed;
  constexpr std::int64_t kStart = 29'900'160;
  constexpr std::int64_t kMonth = 30 * 1'440;
  const auto store = bed.open();
  const auto read = [&](slo::BlockNumber n) { return store->block(kA, n); };
  slo::Ledger ledger({}, 2, kMonth, read);
  for (std::int64_t m = kStart; m < kStart + 4'000; ++m) {
    ledger.add(m, m % 3 == 0 ? slo::kOne : 0, 2 * slo::kOne);
    if (m % 500 != 0) continue;
    ASSERT_TRUE(store->save(change({{kA, ledger.take_changed()}})));
    ledger.saved();
  }
  const auto now = kStart + 4'000;
  for (const std::int64_t w : {100, 1'000, 2'500, 3'999})
    EXPECT_EQ((ledger.before(0, now) - ledger.before(1, now - w)).known, w);
}

}  // namespace
}  // namespace ward::collector
