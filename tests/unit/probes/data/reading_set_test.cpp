#include "probes/data/reading_set.hpp"

#include <gtest/gtest.h>

#include "probes/data/label_guard.hpp"
#include "tests/support/fake_host.hpp"

namespace ward::probes::data {
namespace {

using test::count_of;
using test::value_of;
using Twice = ReadingSet::Twice;

TEST(ReadingSet, KeepsTheCapsAndCountsWhatItDrops) {
  DropCounts drops;
  ReadingSet set(drops, {.per_metric = 2, .per_target = 3});
  for (const std::string_view table : {"a", "b", "c"}) set.add("rows", {{"relname", std::string(table)}}, 1);
  for (const std::string_view table : {"a", "b"}) set.add("size", {{"relname", std::string(table)}}, 1);
  const auto readings = set.take();
  EXPECT_EQ(count_of(readings, "rows"), 2U);
  EXPECT_EQ(count_of(readings, "size"), 1U);
  EXPECT_EQ(value_of(readings, "ward_series_dropped_total", {{"reason", "metric_cap"}}), 1);
  EXPECT_EQ(value_of(readings, "ward_series_dropped_total", {{"reason", "target_cap"}}), 1);
}

TEST(ReadingSet, KeepsOneOfTwoEqualSeries) {
  DropCounts drops;
  ReadingSet set(drops);
  set.add("a", {}, 1);
  set.add("a", {}, 5);
  set.add("sum", {}, 1);
  set.add("sum", {}, 5, Twice::sum);
  set.add("max", {}, 7);
  set.add("max", {}, 5, Twice::max);
  const auto readings = set.take();
  EXPECT_EQ(value_of(readings, "a"), 1);
  EXPECT_EQ(value_of(readings, "sum"), 6);
  EXPECT_EQ(value_of(readings, "max"), 7);
  EXPECT_EQ(value_of(readings, "ward_series_dropped_total", {{"reason", "duplicate"}}), 1);
}

TEST(ReadingSet, FiltersLabelsExceptTheServersOwnNumbers) {
  DropCounts drops;
  ReadingSet set(drops);
  set.add("a", {{"relname", "copy_of_1234567"}, {"datid", "1234567"}}, 1);
  const auto readings = set.take();
  EXPECT_EQ(value_of(readings, "a", {{"relname", std::string(kRedacted)}, {"datid", "1234567"}}), 1);
  EXPECT_EQ(value_of(readings, "ward_label_values_redacted_total"), 1);
}

TEST(ReadingSet, CountsAcrossRuns) {
  DropCounts drops;
  for (int run = 1; run <= 2; ++run) {
    ReadingSet set(drops);
    set.count_drop("row_cap", 3);
    EXPECT_EQ(value_of(set.take(), "ward_series_dropped_total", {{"reason", "row_cap"}}), 3 * run);
  }
}

}  // namespace
}  // namespace ward::probes::data
