#include "collector/exchange/ratio_query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ward::collector::exchange {
namespace {

using Kind = RatioIndicator::Kind;

struct Row {
  const char* errors;
  const char* total;
  Kind kind;
  const char* part;
};

TEST(RatioQuery, FindsSelectorsWhereTheyMeanTheSame) {
  for (const auto& [errors, total, kind, part] :
       std::initializer_list<Row>{{"sum(rate(e[5m]))", "sum(rate(t[5m]))", Kind::bad, "e"},
                                  {"(sum(increase(e{a=\"b\"}[5m])))", "sum((increase(t[5m])))", Kind::bad, "e{a=\"b\"}"},
                                  {"sum(rate(e[5m])) or vector(0)", "sum(rate(t[5m]))", Kind::bad, "e"},
                                  {"sum(rate(e[5m])) OR on() vector(0)", "sum(rate(t[5m]))", Kind::bad, "e"},
                                  {"sum by (x) (rate(e[5m]))", "sum by (x) (rate(t[5m]))", Kind::bad, "e"},
                                  {"sum(rate(t[5m])) - sum(rate(g[5m]))", "sum(rate(t[5m]))", Kind::good, "g"}}) {
    const auto found = events_indicator(errors, total, "5m");
    ASSERT_TRUE(found) << errors;
    EXPECT_EQ(found->kind, kind) << errors;
    EXPECT_EQ(found->part, part) << errors;
    EXPECT_EQ(found->total, "t") << errors;
  }
}

TEST(RatioQuery, AsksTheRatioWhereTheyDoNot) {
  for (const auto& [errors, total] : std::initializer_list<std::pair<const char*, const char*>>{
           {"sum(rate(e[10m]))", "sum(rate(t[5m]))"},           // another window
           {"sum(rate(e[5m] offset 1h))", "sum(rate(t[5m]))"},  // another time
           {"sum(increase(e[5m]))", "sum(rate(t[5m]))"},        // off by the window
           {"rate(e[5m])", "rate(t[5m])"},                      // no sum
           {"sum without (x) (rate(e[5m]))", "sum(rate(t[5m]))"},
           {"sum by (x) (rate(e[5m]))", "sum(rate(t[5m]))"},  // another grouping
           {"sum(rate(t[5m]))", "sum(rate(t[5m]))"},          // everything bad
           {"sum(irate(e[5m]))", "sum(irate(t[5m]))"},
           {"sum(rate(other[5m])) - sum(rate(g[5m]))", "sum(rate(t[5m]))"},
           {"sum(rate(e[5m])) or vector(1)", "sum(rate(t[5m]))"},
           {"sum(rate(e[5m])) * 2", "sum(rate(t[5m]))"}}) {
    const auto found = events_indicator(errors, total, "5m");
    ASSERT_TRUE(found) << errors;
    EXPECT_EQ(found->kind, Kind::raw) << errors;
  }
}

TEST(RatioQuery, RefusesWhatIsNoQueryOfValues) {
  EXPECT_FALSE(events_indicator("sum(", "t", "5m"));
  EXPECT_FALSE(events_indicator("e", "t[5m]", "5m"));
  EXPECT_FALSE(raw_indicator("\"text\""));
  EXPECT_FALSE(selector_text("rate(a[5m])"));
  EXPECT_FALSE(selector_text("a offset 5m"));
  EXPECT_EQ(selector_text("a{b='c'}").value(), "a{b=\"c\"}");
}

}  // namespace
}  // namespace ward::collector::exchange
