#include "collector/slo/series_table.hpp"

#include <gtest/gtest.h>
#include <map>

namespace ward::collector::slo {
namespace {

using Values = std::map<std::string, double>;

Values told(SeriesTable& table) {
  Values out;
  for (const auto& [series, value] : table.end()) out[to_string(series)] = is_stale(value) ? -1 : value;
  return out;
}
Labels named(const char* name) { return Labels{{"__name__", name}}; }

TEST(SeriesTable, TellsWhatIsSet) {
  SeriesTable table;
  const auto a = table.add(named("a"));
  table.add(named("b"));
  table.begin();
  table.set(a, 1);
  EXPECT_EQ(told(table), (Values{{"a", 1}}));
}

TEST(SeriesTable, EndsASeriesWithOneStaleMarker) {
  SeriesTable table;
  const auto a = table.add(named("a"));
  const auto b = table.add(named("b"));
  for (const bool both : {true, false}) {
    table.begin();
    table.set(a, 1);
    if (both) table.set(b, 2);
    EXPECT_EQ(told(table), (Values{{"a", 1}, {"b", both ? 2.0 : -1.0}}));
  }
  table.begin();
  table.set(a, 3);
  EXPECT_EQ(told(table), (Values{{"a", 3}}));
  table.begin();
  table.set(b, 4);
  EXPECT_EQ(told(table), (Values{{"a", -1}, {"b", 4}}));
}

TEST(SeriesTable, GivesTheRowOfARemovedSeriesToAnother) {
  SeriesTable table;
  const auto a = table.add(named("a"));
  table.begin();
  table.set(a, 1);
  told(table);
  table.remove(a);
  table.begin();
  EXPECT_EQ(told(table), (Values{{"a", -1}}));
  table.begin();
  EXPECT_TRUE(told(table).empty());
  EXPECT_EQ(table.add(named("b")), a);
  table.begin();
  table.set(a, 2);
  EXPECT_EQ(told(table), (Values{{"b", 2}}));
}

TEST(SeriesTable, DoesNotEndASeriesThatIsRemovedAndAddedAtOnce) {
  SeriesTable table;
  const auto a = table.add(named("a"));
  table.begin();
  table.set(a, 1);
  told(table);
  table.remove(a);
  const auto again = table.add(named("a"));
  table.begin();
  table.set(again, 2);
  EXPECT_EQ(told(table), (Values{{"a", 2}}));
}

}  // namespace
}  // namespace ward::collector::slo
