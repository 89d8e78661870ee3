#include "collector/rehearsal/test_file.hpp"

#include <gmock/gmock.h>

namespace ward::collector {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TestFile parsed(const std::string& text, const std::string& path = "rules/tests/a.yaml") {
  auto file = parse_test_file(text, path);
  EXPECT_TRUE(file.has_value()) << file.error().what;
  return file.value_or(TestFile{});
}

TEST(TestFile, ReadsEveryKeyOfPromtool) {
  const auto file = parsed(R"(
rule_files: [../pg.yaml, /etc/ward/*.yaml]
evaluation_interval: 30s
group_eval_order: [first, second]
fuzzy_compare: true
tests:
- name: one
  interval: 15s
  start_timestamp: 2026-11-23T10:00:00Z
  input_series:
  - {series: 'up{job="pg"}', values: '1 _ 2+1x2 stale'}
  alert_rule_test:
  - eval_time: 2m
    alertname: Down
    exp_alerts:
    - {exp_labels: {job: pg}, exp_annotations: {summary: gone}}
  promql_expr_test:
  - {expr: up, eval_time: 3m, exp_samples: [{labels: 'up{job="pg"}', value: .inf}]}
  external_labels: {cluster: a}
  external_url: https://ward.example
)");
  ASSERT_EQ(file.plans.size(), 1U);
  const auto& plan = file.plans[0];
  EXPECT_THAT(plan.rule_files, ElementsAre("rules/pg.yaml", "/etc/ward/*.yaml"));
  EXPECT_EQ(plan.evaluation_interval, seconds{30});
  EXPECT_THAT(plan.group_order, ElementsAre("first", "second"));
  EXPECT_TRUE(plan.fuzzy);
  ASSERT_EQ(plan.groups.size(), 1U);
  const auto& group = plan.groups[0];
  EXPECT_EQ(group.name, "one");
  EXPECT_EQ(group.interval, seconds{15});
  EXPECT_EQ(group.start, from_ms(1'795'428'000'000));
  ASSERT_EQ(group.series.size(), 1U);
  EXPECT_EQ(group.series[0].labels, (Labels{{"__name__", "up"}, {"job", "pg"}}));
  EXPECT_EQ(group.series[0].values.size(), 6U);
  ASSERT_EQ(group.alert_cases.size(), 1U);
  EXPECT_EQ(group.alert_cases[0].eval_time, minutes{2});
  EXPECT_THAT(group.alert_cases[0].expected,
              ElementsAre(ExpectedAlert{{{"alertname", "Down"}, {"job", "pg"}}, {{"summary", "gone"}}}));
  ASSERT_EQ(group.query_cases.size(), 1U);
  EXPECT_EQ(group.query_cases[0].expected.at(0).value, std::numeric_limits<double>::infinity());
  EXPECT_EQ(group.external_labels, (Labels{{"cluster", "a"}}));
  EXPECT_EQ(group.external_url, "https://ward.example");
}

TEST(TestFile, WithoutAnIntervalATestTakesThatOfTheEvaluation) {
  const auto file =
      parsed("evaluation_interval: 20s\ntests: [{input_series: [{series: up, values: 1x3}]}, {interval: 5s}]\n");
  EXPECT_EQ(file.plans[0].groups[0].interval, seconds{20});
  EXPECT_EQ(file.plans[0].groups[1].interval, seconds{5});
}

TEST(TestFile, SecondsSince1970AreAStart) {
  EXPECT_EQ(parsed("tests: [{start_timestamp: 1609459200}]").plans[0].groups[0].start, from_ms(1'609'459'200'000));
}

TEST(TestFile, ASeriesThatStandsTwiceKeepsItsLastValuesAndSaysSo) {
  const auto file = parsed(R"(tests:
- input_series:
  - {series: up, values: 1x3}
  - {series: up, values: 0x9}
)");
  ASSERT_EQ(file.plans[0].groups[0].series.size(), 1U);
  EXPECT_EQ(file.plans[0].groups[0].series[0].values.size(), 10U);
  EXPECT_THAT(file.warnings, ElementsAre(HasSubstr("rules/tests/a.yaml:4:14: up stands in line 3 already")));
}

TEST(TestFile, TestDocumentsOfARuleFileTestThatFile) {
  const auto file = parsed(R"(
groups: []
---
kind: ServiceMap
spec: {}
---
kind: Test
apiVersion: ward/v1
metadata: {name: failover}
spec:
  tests: [{name: a}]
---
kind: Test
apiVersion: ward/v1
spec: {rule_files: [other.yaml], tests: [{name: b}]}
)",
                           "rules/pg.yaml");
  ASSERT_EQ(file.plans.size(), 2U);
  EXPECT_EQ(file.plans[0].name, "failover");
  EXPECT_THAT(file.plans[0].rule_files, ElementsAre("rules/pg.yaml"));
  EXPECT_THAT(file.plans[1].rule_files, ElementsAre("rules/other.yaml"));
}

TEST(TestFile, AlertsFromElsewhereHaveRounds) {
  const auto file = parsed(R"(tests:
- input_alerts:
  - {alertname: Down, labels: {service: pg}, pending: 0s, firing: 1m, resolved: 5m, again: [{firing: 6m}]}
  notification_test: [{at: 9m, total: 1}]
)");
  using Change = TestAlert::Change;
  const auto& alert = file.plans[0].groups[0].alerts.at(0);
  EXPECT_EQ(alert.labels, (Labels{{"alertname", "Down"}, {"service", "pg"}}));
  EXPECT_THAT(alert.changes, ElementsAre(Change{minutes{0}, AlertPhase::pending}, Change{minutes{1}, AlertPhase::firing},
                                         Change{minutes{5}, AlertPhase::resolved}, Change{minutes{6}, AlertPhase::firing}));
}

struct Bad {
  const char* name;
  const char* text;
  const char* says;  ///< after the file's name
};

class BadTestFile : public testing::TestWithParam<Bad> {};

TEST_P(BadTestFile, IsRefusedAtItsPlace) {
  const auto file = parse_test_file(GetParam().text, "t.yaml");
  ASSERT_FALSE(file.has_value());
  EXPECT_THAT(file.error().what, HasSubstr(std::string("t.yaml:") + GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadTestFile,
    testing::Values(
        Bad{"Empty", "", "1:1: there is no test in this file"},
        Bad{"NoTests", "rule_files: [a.yaml]", "1:1: there are no 'tests'"}, Bad{"NotYaml", "tests: [", "1:"},
        Bad{"UnknownKey", "test: []\ntests: []", "1:1: unknown key 'test'; did you mean 'tests'?"},
        Bad{"UnknownKeyOfATest", "tests:\n- {alert_rule_tests: []}", "2:4: unknown key 'alert_rule_tests'"},
        Bad{"UnknownKeyOfAnAlert", "tests:\n- alert_rule_test: [{alertname: A, exp_alerts: [{exp_label: {}}]}]",
            "2:50: unknown key 'exp_label'"},
        Bad{"UnknownKeyOfASample", "tests:\n- promql_expr_test: [{expr: a, exp_samples: [{val: 1}]}]",
            "2:47: unknown key 'val'"},
        Bad{"BadDuration", "evaluation_interval: 5 minutes\ntests: []", "1:22: 'evaluation_interval' must be a duration"},
        Bad{"BadEvalTime", "tests:\n- alert_rule_test: [{eval_time: soon, alertname: A}]", "2:33: 'eval_time' must be a"},
        Bad{"NoAlertname", "tests:\n- {name: x, alert_rule_test: [{eval_time: 5m}]}",
            "2:31: an item under alert_rule_test misses required attribute alertname at eval_time 5m (in TestGroup x)"},
        Bad{"NoExpr", "tests:\n- promql_expr_test: [{eval_time: 5m}]", "2:22: the key 'expr' is missing"},
        Bad{"BadSeries", "tests:\n- input_series: [{series: 'up{', values: 1}]", "2:27: 'up{' is no series"},
        Bad{"BadValues", "tests:\n- input_series: [{series: up, values: 1x}]", "2:39: '1x' is not a series value"},
        Bad{"TooManyValues", "tests:\n- input_series: [{series: a, values: 1x999998 1x999998 1}]",
            "2:38: a series has more than 1000000"},
        Bad{"NativeHistogramInput", "tests:\n- input_series: [{series: up, values: '{{schema:1}}'}]",
            "2:39: these values hold a native histogram, which Ward does not store"},
        Bad{"NativeHistogramExpected", "tests:\n- promql_expr_test: [{expr: a, exp_samples: [{histogram: '{{}}'}]}]",
            "2:58: a native histogram is expected here, which Ward does not store"},
        Bad{"BadSampleLabels", "tests:\n- promql_expr_test: [{expr: a, exp_samples: [{labels: 'a{b=~\"c\"}'}]}]",
            "2:55: labels 'a{b=~\"c\"}'"},
        Bad{"BadSampleValue", "tests:\n- promql_expr_test: [{expr: a, exp_samples: [{value: many}]}]",
            "2:54: 'value' is 'many', which is no number"},
        Bad{"GroupOrderedTwice", "group_eval_order: [a, a]\ntests: []", "1:19: group name repeated in evaluation order: a"},
        Bad{"BadStart", "tests: [{start_timestamp: noon}]", "1:27: 'start_timestamp' is 'noon', which is no time"},
        Bad{"NoTestDocument", "groups: []", " no document of this rule file is a Test"},
        Bad{"AlertThatDoesNothing", "tests:\n- {input_alerts: [{alertname: A}], notification_test: [{at: 1m, total: 0}]}",
            "2:19: this alert never does anything"},
        Bad{"AlertBackInTime",
            "tests:\n- {input_alerts: [{alertname: A, firing: 5m, resolved: 1m}], notification_test: [{at: 1m, total: 0}]}",
            "2:56: 'resolved' is 1m, before what happens to it earlier (5m)"},
        Bad{"AlertsThatNobodyLooksAt", "tests:\n- input_alerts: [{alertname: A, firing: 5m}]",
            "2:3: these input_alerts are seen by no notification_test"},
        Bad{"NotificationWithoutATime", "tests:\n- notification_test: [{total: 1}]",
            "2:23: a notification_test needs the key"},
        Bad{"NotificationThatExpectsNothing", "tests:\n- notification_test: [{at: 1m}]", "2:23: this notification_test exp"},
        Bad{"NotificationToNobody", "tests:\n- notification_test: [{at: 1m, exp: [{root: A}]}]",
            "2:38: the key 'to' is missing"},
        Bad{"NotificationOfNoClass", "tests:\n- notification_test: [{at: 1m, exp: [{to: a, class: loud}]}]",
            "2:53: 'class' is 'loud'"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(TestFile, AFileHoldsABoundedNumberOfValues) {
  std::string text = "tests:\n- input_series:\n";
  for (int i = 0; i < 7; ++i) text += "  - {series: 's" + std::to_string(i) + "', values: 1x999990}\n";
  const auto file = parse_test_file(text, "t.yaml");
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().what, "t.yaml:8:28: with these the file has more than 5000000 values. Split the file.");
}

TEST(TestFile, EveryProblemIsToldAtOnce) {
  const auto file = parse_test_file("tests:\n- {intervall: 5s}\n- {interval: x}\n", "t.yaml");
  ASSERT_FALSE(file.has_value());
  EXPECT_THAT(file.error().what, HasSubstr("t.yaml:2:4: unknown key 'intervall'"));
  EXPECT_THAT(file.error().what, HasSubstr("t.yaml:3:14: 'interval' must be a duration"));
}

}  // namespace
}  // namespace ward::collector
