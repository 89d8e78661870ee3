#include "collector/promql/series_description.hpp"

#include <gtest/gtest.h>
#include <limits>

#include "common/model/sample.hpp"

namespace ward::promql {
namespace {

TEST(SeriesDescription, ReadsEveryNotation) {
  const auto got = parse_series_description(R"(m{a="x y}", b='z'} 1 -2.5 1+2x2 5-1x1 7x1 _ _x2 stale Inf -Inf 1e2+1e1x1)");
  ASSERT_TRUE(got) << got.error().what;
  const double inf = std::numeric_limits<double>::infinity();
  const SeriesDescription expected{
      {{"__name__", "m"}, {"a", "x y}"}, {"b", "z"}},
      {1, -2.5, 1, 3, 5, 5, 4, 7, 7, std::nullopt, std::nullopt, std::nullopt, stale_marker(), inf, -inf, 100, 110}};
  EXPECT_EQ(*got, expected);
}

TEST(SeriesDescription, TakesNegativeSteps) {
  const auto got = parse_series_description("m -3-1x2 -3+1x2");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->values, (std::vector<std::optional<double>>{-3, -4, -5, -3, -2, -1}));
}

TEST(SeriesDescription, ReadsBareMetrics) {
  EXPECT_EQ(parse_series_description("up 1")->labels, (Labels{{"__name__", "up"}}));
  EXPECT_EQ(parse_series_description("{} 1")->labels, Labels{});
  EXPECT_EQ(parse_series_description(R"({a="b"} 1)")->labels, (Labels{{"a", "b"}}));
  EXPECT_TRUE(parse_series_description("up")->values.empty());
}

TEST(SeriesDescription, RefusesWhatItCannotRead) {
  for (const std::string bad : {"m 1x", "m 1+x2", "m 1+2", "m a", "m _y", "m _x", "m 1xx2", "m 1+2x-1", "m 1x99999999",
                                "m{a!=\"b\"} 1", "m{a 1", "", "m{", "m + 1", "m 1+2x3x4", "m -", "m +"})
    EXPECT_FALSE(parse_series_description(bad)) << bad;
}

}  // namespace
}  // namespace ward::promql
