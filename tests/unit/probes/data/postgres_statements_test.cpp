#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "probes/data/postgres_readers.hpp"
#include "tests/support/fake_host.hpp"

namespace ward::probes::data {
namespace {

using test::value_of;

Json row(const char* id, double calls, double ms) { return Json::array({"odoo", "web", id, calls, ms, calls, 0, 0}); }
Json answer(std::initializer_list<Json> rows) { return {{"dealloc", 0}, {"rows", Json(rows)}}; }

Readings emitted(const StatementTotals& totals) {
  DropCounts drops;
  ReadingSet set(drops);
  totals.emit(set);
  return set.take();
}

const Labels kWeb{{"datname", "odoo"}, {"user", "web"}};

TEST(StatementTotals, BeginsAtZeroAndAddsWhatIsNew) {
  StatementTotals totals;
  totals.read(answer({row("1", 1000, 5000)}));
  EXPECT_EQ(value_of(emitted(totals), "pg_stat_statements_calls_total", kWeb), std::nullopt);
  totals.read(answer({row("1", 1010, 5020), row("2", 2, 3000)}));
  const auto readings = emitted(totals);
  EXPECT_EQ(value_of(readings, "pg_stat_statements_calls_total", kWeb), 12);
  EXPECT_DOUBLE_EQ(value_of(readings, "pg_stat_statements_seconds_total", kWeb).value_or(0), 3.02);
}

TEST(StatementTotals, StaysMonotoneWhenTheServerForgets) {
  StatementTotals totals;
  totals.read(answer({row("1", 1000, 5000)}));
  totals.read(answer({row("1", 1010, 5010)}));
  totals.read(answer({row("1", 4, 4)}));
  totals.read(answer({}));
  EXPECT_EQ(value_of(emitted(totals), "pg_stat_statements_calls_total", kWeb), 14);
}

TEST(StatementTotals, PutsCallsIntoTheBucketOfTheirMeanTime) {
  StatementTotals totals;
  totals.read(answer({row("1", 1, 1), row("2", 1, 1)}));
  totals.read(answer({row("1", 11, 41), row("2", 3, 40'001)}));  // ten calls of 4 ms, two of 20 s
  const auto readings = emitted(totals);
  const auto bucket = [&](const char* le) {
    return value_of(readings, "ward_pg_query_seconds_bucket", {{"datname", "odoo"}, {"le", le}});
  };
  EXPECT_EQ(bucket("0.001"), 0);
  EXPECT_EQ(bucket("0.005"), 10);
  EXPECT_EQ(bucket("10"), 10);
  EXPECT_EQ(bucket("+Inf"), 12);
  EXPECT_EQ(value_of(readings, "ward_pg_query_seconds_count", {{"datname", "odoo"}}), 12);
}

TEST(StatementTotals, SkipsRowsOfAnotherShape) {
  StatementTotals totals;
  totals.read(answer({}));
  totals.read(answer({Json::array({"odoo"}), Json(nullptr), Json::array({1, 2, 3, 4, 5, 6, 7, 8}), row("1", 1, 1)}));
  EXPECT_EQ(value_of(emitted(totals), "pg_stat_statements_calls_total", kWeb), 1);
}

}  // namespace
}  // namespace ward::probes::data
