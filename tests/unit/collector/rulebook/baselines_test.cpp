#include "collector/rulebook/baselines.hpp"

#include <gmock/gmock.h>

#include "collector/alerting/promql_expression.hpp"
#include "collector/rulebook/rulebook.hpp"
#include "collector/tsdb/head.hpp"
#include "tests/support/manual_clock.hpp"

namespace ward::collector {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

RulebookLoad load(const std::string& text) {
  static test::ManualClock clock{from_ms(0)};
  static const promql::Engine engine(clock);
  static const Head nothing;
  static const PromqlCompiler compiler(engine, nothing);
  const RuleText file{"rules/queue.yaml", text};
  return parse_rulebook({&file, 1}, compiler, RulebookOptions{}, [](const std::string& path) -> Result<std::string> {
    return fail(Errc::not_found, path, "Write it.");
  });
}
std::string document(const std::string& spec, const std::string& name = "jobs") {
  return "kind: Baseline\napiVersion: ward/v1\nmetadata: {name: " + name + "}\nspec: " + spec + "\n";
}

TEST(Baseline, BecomesAGroupOfRecordingRules) {
  const auto book =
      load(document("{expr: 'sum by (tenant) (queue) # all of them', quantiles: [0.5, 0.999], band: 4, tz: Europe/Paris, "
                    "weeks: 6, monthEnd: 3, months: 4, "
                    "interval: 30s, labels: {site: north}}"));
  for (const auto& error : book.errors) ADD_FAILURE() << to_string(error);
  ASSERT_TRUE(book.book);
  ASSERT_EQ(book.book->rules->groups.size(), 1U);
  const auto& group = book.book->rules->groups[0];
  EXPECT_EQ(group.name, "baseline:jobs");
  EXPECT_EQ(group.file, "rules/queue.yaml");
  EXPECT_EQ(group.interval, 30s);
  std::vector<std::string> rules;
  for (const auto& rule : group.rules) {
    rules.push_back(rule.name + " = " + rule.expr);
    EXPECT_EQ(rule.kind, Rule::Kind::record);
    EXPECT_EQ(rule.interval, 30s);
    ASSERT_EQ(rule.labels.size(), 1U);
    EXPECT_NE(rule.expression, nullptr);
  }
  const std::string options = R"(, "weeks=6", "month_end=3", "months=4", "tz=Europe/Paris")";
  const std::string v = "sum by (tenant) (queue)";
  EXPECT_THAT(rules, ElementsAre("ward_baseline:jobs:p50 = ward_baseline(" + v + ", 0.5" + options + ")",
                                 "ward_baseline:jobs:p99_9 = ward_baseline(" + v + ", 0.999" + options + ")",
                                 "ward_baseline:jobs:upper = ward_baseline(" + v + ", 0.5" + options +
                                     ") + 5.9304 * ward_baseline_mad(" + v + options + ")",
                                 "ward_baseline:jobs:lower = ward_baseline(" + v + ", 0.5" + options +
                                     ") - 5.9304 * ward_baseline_mad(" + v + options + ")"));
}

TEST(Baseline, HasUsualQuantilesAndNoBandUnlessAsked) {
  const auto book = load(document("{expr: queue}"));
  ASSERT_TRUE(book.book);
  const auto& group = book.book->rules->groups[0];
  ASSERT_EQ(group.rules.size(), 2U);
  EXPECT_EQ(group.rules[1].expr, "ward_baseline(queue, 0.95)");
  EXPECT_EQ(group.interval, 1min);
}

TEST(Baseline, StandsBesideTheRulesThatCompareWithIt) {
  const auto book = load(
      "groups: [{name: g, rules: [{alert: Much, expr: queue > 2 * ward_baseline:jobs:p95, labels: {class: "
      "actionable}}]}]\n---\n" +
      document("{expr: queue}"));
  ASSERT_TRUE(book.book);
  EXPECT_EQ(book.book->rules->groups.size(), 2U);
}

TEST(Baseline, NamesWhatIsWrong) {
  struct Bad {
    std::string text;
    const char* why;
  };
  for (const auto& [text, why] : std::initializer_list<Bad>{
           {document("{}"), "'expr'"},
           {document("{expr: 'sum('}"), "could not parse expression: 1:5"},
           {document("{expr: 'queue[5m]'}"), "the expression yields a range vector"},
           {document("{expr: '1'}"), "the expression yields a scalar"},
           {document("{expr: queue, quantiles: [95]}"), "'95' is no quantile"},
           {document("{expr: queue, quantiles: [0.5, 0.50]}"), "recorded twice"},
           {document("{expr: queue, band: 0}"), "wider than nothing"},
           {document("{expr: queue, weeks: 2}"), "weeks"},
           {document("{expr: queue, monthEnd: 9}"), "monthEnd"},
           {document("{expr: queue, tz: Mars/Base}"), "Mars/Base"},
           {document("{expr: queue, interval: 5m}"), "out of sight"},
           {document("{expr: queue, labels: {__name__: x}}"), "no label name"},
           {document("{expr: queue, labels: {a-b: x}}"), "no label name"},
           {document("{expr: queue, week: 8}"), "unknown key 'week'"},
           {document("{expr: queue}", "odoo-jobs"), "part of a metric's name"},
           {document("{expr: queue}") + "---\n" + document("{expr: other}"), "another Baseline of this name"}}) {
    const auto book = load(text);
    ASSERT_FALSE(book.errors.empty()) << text;
    EXPECT_EQ(book.errors[0].code, "W037 bad-baseline") << text;
    EXPECT_THAT(book.errors[0].text, testing::AllOf(HasSubstr("rules/queue.yaml:"), HasSubstr(why))) << text;
    EXPECT_EQ(book.book, nullptr);
  }
}

}  // namespace
}  // namespace ward::collector
