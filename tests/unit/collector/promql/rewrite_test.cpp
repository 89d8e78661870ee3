#include "collector/promql/rewrite.hpp"

#include <gtest/gtest.h>

#include "collector/promql/parser.hpp"

namespace ward::promql {
namespace {

std::string narrow(const std::string& query) {
  const std::vector<Matcher> matchers{*Matcher::make(Matcher::Op::equal, "tenant", "clinic-a")};
  return to_string(narrowed(*parse(query), matchers));
}

struct Case {
  std::string name;
  std::string query;
  std::string expected;
};

class Narrowed : public testing::TestWithParam<Case> {};

TEST_P(Narrowed, GivesEverySelectorTheMatcher) { EXPECT_EQ(narrow(GetParam().query), GetParam().expected); }

INSTANTIATE_TEST_SUITE_P(
    Shapes, Narrowed,
    testing::Values(Case{"Plain", "up", R"(up{tenant="clinic-a"})"},
                    Case{"KeepsItsOwn", R"(up{tenant="b"} or up{tenant=~"b|c"})", R"(up{tenant="b"} or up{tenant=~"b|c"})"},
                    Case{"Range", "rate(x_total[5m] offset 1h)", R"(rate(x_total{tenant="clinic-a"}[5m] offset 1h))"},
                    Case{"Subquery", "max_over_time(rate(x[1m])[1h:5m])",
                         R"(max_over_time(rate(x{tenant="clinic-a"}[1m])[1h:5m]))"},
                    Case{"BothSides", "sum by (a) (x) / on (a) group_left () (y)",
                         R"(sum by (a) (x{tenant="clinic-a"}) / on (a) group_left () (y{tenant="clinic-a"}))"},
                    Case{"Parameter", "topk(scalar(n), x)", R"(topk(scalar(n{tenant="clinic-a"}), x{tenant="clinic-a"}))"},
                    Case{"NoSelector", "-1 + time()", "-1 + time()"},
                    Case{"PatternName", R"({__name__=~"a|b"})", R"({__name__=~"a|b",tenant="clinic-a"})"}),
    [](const auto& one) { return one.param.name; });

TEST(Narrowed, LeavesTheGivenExpressionAlone) {
  const auto expr = *parse("sum(x)");
  (void)narrowed(expr, std::vector<Matcher>{*Matcher::make(Matcher::Op::equal, "a", "b")});
  EXPECT_EQ(to_string(expr), "sum(x)");
}

class Limit : public testing::TestWithParam<Case> {};

TEST_P(Limit, IsTheNumberTheResultIsComparedWith) {
  const auto changed = with_limit(*parse(GetParam().query), 7.5);
  ASSERT_TRUE(changed) << changed.error().what;
  EXPECT_EQ(to_string(*changed), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Limit,
                         testing::Values(Case{"Plain", "a / b > 0.9", "a / b > 7.5"}, Case{"Negative", "x < -3", "x < 7.5"},
                                         Case{"NumberFirst", "0.9 < x", "7.5 < x"},
                                         Case{"InParentheses", "(x > 2)", "(x > 7.5)"},
                                         Case{"BeforeAnd", "x > 2 and on (a) y > 3", "x > 7.5 and on (a) y > 3"},
                                         Case{"BeforeUnless", "(x == 0) unless y", "(x == 7.5) unless y"},
                                         Case{"Duration", "age > 5m", "age > 7.5"}),
                         [](const auto& one) { return one.param.name; });

TEST(AsQuestion, TellsNoFromNoData) {
  EXPECT_EQ(to_string(*as_question(*parse("min(lag) < 30"))), "min(lag) < bool 30");
  EXPECT_EQ(to_string(*as_question(*parse("(a == b)"))), "(a == bool b)");
  EXPECT_FALSE(as_question(*parse("absent(up)")));
  EXPECT_FALSE(as_question(*parse("a > 1 and b > 2")));
}

TEST(Limit, IsNotGuessed) {
  for (const auto* query : {"x", "x > y", "a > 1 or b > 2", "sum(x > 1)", "x > bool y", "1"})
    EXPECT_FALSE(with_limit(*parse(query), 1)) << query;
}

}  // namespace
}  // namespace ward::promql
