#include "collector/rehearsal/test_run.hpp"

#include <gmock/gmock.h>

#include "tests/support/temp_dir.hpp"

namespace ward::collector {
namespace {

using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Test files beside one rule file, `rules.yaml`.
class TestRun : public testing::Test {
 protected:
  void rules(const std::string& text) { folder_.write("rules.yaml", text); }
  FileResult run(const std::string& tests, TestRunOptions options = {}) {
    return run_test_file("rule_files: [rules.yaml]\n" + tests, (folder_ / "t.yaml").string(), options);
  }
  /// The one failure there must be.
  TestFailure failure(const std::string& tests) {
    const auto result = run(tests);
    EXPECT_THAT(result.errors, IsEmpty());
    EXPECT_EQ(result.tests.size(), 1U);
    if (result.tests.size() != 1 || result.tests[0].failures.size() != 1) {
      ADD_FAILURE() << "there is not exactly one failure";
      return {};
    }
    return result.tests[0].failures[0];
  }
  test::TempDir folder_{"test-run"};
};

constexpr const char* kDown = R"(
groups:
- name: g
  rules:
  - alert: Down
    expr: up == 0
    for: 2m
    keep_firing_for: 1m
    labels: {class: actionable, where: '{{ $externalLabels.cluster }}'}
    annotations: {summary: '{{ $labels.job }} is down, value {{ $value }}', link: '{{ $externalURL }}'}
)";

TEST_F(TestRun, AlertsAreComparedWithLabelsAndAnnotationsAtTheirTime) {
  rules(kDown);
  EXPECT_TRUE(run(R"(
tests:
- interval: 1m
  external_labels: {cluster: east}
  external_url: http://ward
  input_series: [{series: 'up{job="pg"}', values: 1 0x4 1x9}]
  alert_rule_test:
  - {eval_time: 2m, alertname: Down}
  - eval_time: 3m30s
    alertname: Down
    exp_alerts:
    - exp_labels: {job: pg, class: actionable, where: east}
      exp_annotations: {summary: 'pg is down, value 0', link: http://ward}
  - {eval_time: 6m, alertname: Down, exp_alerts: [{exp_labels: {job: pg, class: actionable, where: east}, exp_annotations: {summary: 'pg is down, value 0', link: http://ward}}]}
  - {eval_time: 7m, alertname: Down}
  - {eval_time: 7m, alertname: Unknown}
)")
                  .passed());
}

TEST_F(TestRun, ADifferentAlertFailsWithBothSidesAndItsPlace) {
  rules(kDown);
  const auto f = failure(R"(tests:
- name: pg
  interval: 1m
  input_series: [{series: 'up{job="pg"}', values: 0x9}]
  alert_rule_test:
  - {eval_time: 5m, alertname: Down}
)");
  EXPECT_EQ(f.kind, TestFailure::Kind::alert);
  EXPECT_EQ(f.subject, "Down");
  EXPECT_EQ(f.time, minutes{5});
  EXPECT_EQ(f.at.line, 7);
  EXPECT_EQ(f.expected, "[]");
  EXPECT_EQ(f.got,
            "[\n0:\n  Labels:{alertname=\"Down\", class=\"actionable\", job=\"pg\"}\n"
            "  Annotations:{summary=\"pg is down, value 0\"}\n]");
}

TEST_F(TestRun, AMissingAnnotationFails) {
  rules(kDown);
  const auto f = failure(R"(tests:
- interval: 1m
  input_series: [{series: 'up{job="pg"}', values: 0x9}]
  alert_rule_test: [{eval_time: 5m, alertname: Down, exp_alerts: [{exp_labels: {class: actionable, job: pg}}]}]
)");
  EXPECT_THAT(f.expected, HasSubstr("Annotations:{}"));
}

TEST_F(TestRun, QueriesSeeWhatRulesRecordAndAlertsSeries) {
  rules(R"(
groups:
- name: g
  rules:
  - {record: 'job:up:sum', expr: sum by (job) (up), labels: {by: rule}}
  - {alert: Low, expr: 'job:up:sum < 2'}
)");
  EXPECT_TRUE(run(R"(
tests:
- interval: 1m
  input_series:
  - {series: 'up{job="pg",i="1"}', values: 1x9}
  - {series: 'up{job="pg",i="2"}', values: 1x2 stale}
  promql_expr_test:
  - {expr: 'job:up:sum', eval_time: 2m, exp_samples: [{labels: 'job:up:sum{job="pg",by="rule"}', value: 2}]}
  - {expr: 'job:up:sum', eval_time: 3m, exp_samples: [{labels: 'job:up:sum{job="pg",by="rule"}', value: 1}]}
  - {expr: ALERTS, eval_time: 2m}
  - {expr: ALERTS, eval_time: 3m, exp_samples: [{labels: 'ALERTS{alertname="Low",alertstate="firing",by="rule",job="pg"}', value: 1}]}
  - {expr: '1 + 1', eval_time: 3m, exp_samples: [{value: 2}]}
  - {expr: 'vector(0) / 0', eval_time: 3m, exp_samples: [{labels: '{}', value: .nan}]}
)")
                  .passed());
}

TEST_F(TestRun, ADifferentValueFailsInPromtoolsWords) {
  rules("groups: []");
  const auto f = failure(R"(tests:
- interval: 1m
  input_series: [{series: 'up{job="pg"}', values: 0.5x9}]
  promql_expr_test: [{expr: up, eval_time: 1m, exp_samples: [{labels: 'up{job="pg"}', value: 100}]}]
)");
  EXPECT_EQ(f.expected, "{__name__=\"up\", job=\"pg\"} 1E+02");
  EXPECT_EQ(f.got, "{__name__=\"up\", job=\"pg\"} 5E-01");
}

TEST_F(TestRun, NothingIsNotTheSameAsASample) {
  rules("groups: []");
  const auto f = failure("tests: [{promql_expr_test: [{expr: up, exp_samples: [{labels: up, value: 1}]}]}]");
  EXPECT_EQ(f.got, "nil");
}

TEST_F(TestRun, AQueryThatDoesNotParseFailsAlone) {
  rules("groups: []");
  const auto f =
      failure("tests: [{promql_expr_test: [{expr: 'sum(', eval_time: 1m}, {expr: '1', exp_samples: [{value: 1}]}]}]");
  EXPECT_EQ(f.kind, TestFailure::Kind::query);
  EXPECT_THAT(f.error, HasSubstr("parse error"));
}

TEST_F(TestRun, TheLastBitCountsUnlessCompareIsFuzzy) {
  rules("groups: []");
  const std::string tests = "tests: [{promql_expr_test: [{expr: '0.1 + 0.2', exp_samples: [{value: 0.3}]}]}]";
  EXPECT_FALSE(run(tests).passed());
  EXPECT_TRUE(run("fuzzy_compare: true\n" + tests).passed());
  EXPECT_FALSE(
      run("fuzzy_compare: true\ntests: [{promql_expr_test: [{expr: '0.3001', exp_samples: [{value: 0.3}]}]}]").passed());
}

TEST_F(TestRun, GroupsAreEvaluatedInTheOrderThatIsAskedFor) {
  rules(R"(
groups:
- {name: reads, rules: [{record: 'b', expr: a}]}
- {name: writes, rules: [{record: 'a', expr: vector(time())}]}
)");
  const std::string tests = R"(
tests: [{interval: 1m, promql_expr_test: [{expr: b, eval_time: 3m, exp_samples: [{labels: b, value: 180}]}]}]
)";
  EXPECT_FALSE(run(tests).passed());
  EXPECT_TRUE(run("group_eval_order: [writes, reads]" + tests).passed());
}

TEST_F(TestRun, TimeBeginsAtTheStartOfTheTest) {
  rules("groups: [{name: g, rules: [{record: now, expr: vector(time())}]}]");
  EXPECT_TRUE(run(R"(
tests:
- interval: 1m
  start_timestamp: 1609459200
  input_series: [{series: up, values: 7x5}]
  promql_expr_test:
  - {expr: now, eval_time: 2m, exp_samples: [{labels: now, value: 1609459320}]}
  - {expr: timestamp(up), eval_time: 2m, exp_samples: [{value: 1609459320}]}
)")
                  .passed());
}

TEST_F(TestRun, NoRuleSeesWhatHasNotHappenedYet) {
  rules("groups: [{name: g, rules: [{record: ahead, expr: up offset -4m}]}]");
  EXPECT_TRUE(run(R"(
tests:
- interval: 1m
  input_series: [{series: up, values: 1 2 3 4 5 6 7 8 9}]
  promql_expr_test: [{expr: ahead, eval_time: 3m, exp_samples: [{labels: ahead, value: 4}]}]
)")
                  .passed());
}

TEST_F(TestRun, SubqueriesStepAtTheEvaluationInterval) {
  rules("groups: []");
  EXPECT_TRUE(run(R"(
evaluation_interval: 30s
tests:
- interval: 15s
  input_series: [{series: up, values: 1x40}]
  promql_expr_test: [{expr: 'count_over_time(up[2m:])', eval_time: 5m, exp_samples: [{value: 4}]}]
)")
                  .passed());
}

TEST_F(TestRun, ARuleThatFailsEndsItsTestAndNamesItself) {
  rules("groups: [{name: g, rules: [{record: two, expr: 'a + on () b'}]}]");
  const auto f = failure(R"(tests:
- interval: 1m
  input_series: [{series: 'a{x="1"}', values: 1x9}, {series: 'a{x="2"}', values: 1x9}, {series: b, values: _ _ 1x9}]
  promql_expr_test: [{expr: two, eval_time: 9m}]
)");
  EXPECT_EQ(f.kind, TestFailure::Kind::evaluation);
  EXPECT_EQ(f.subject, "two");
  EXPECT_EQ(f.time, minutes{2});
  EXPECT_THAT(f.error, HasSubstr("multiple matches"));
}

TEST_F(TestRun, ATestStartsWithoutTheSamplesAndAlertsOfTheOneBefore) {
  rules(kDown);
  EXPECT_TRUE(run(R"(
tests:
- {interval: 1m, input_series: [{series: 'up{job="pg"}', values: 0x9}], promql_expr_test: [{expr: 'count(ALERTS)', eval_time: 5m, exp_samples: [{value: 1}]}]}
- {interval: 1m, promql_expr_test: [{expr: ALERTS, eval_time: 0s}, {expr: up, eval_time: 5m}], alert_rule_test: [{eval_time: 5m, alertname: Down}]}
)")
                  .passed());
}

TEST_F(TestRun, RulesThatDoNotLoadAreToldAndNothingIsTested) {
  rules("groups: [{name: g, rules: [{alert: A, expr: 'sum('}]}]");
  const auto result = run("tests: [{}]");
  EXPECT_FALSE(result.passed());
  EXPECT_THAT(result.errors, ElementsAre(HasSubstr("rules.yaml:1:")));
  EXPECT_THAT(result.tests, IsEmpty());
}

TEST_F(TestRun, AGlobThatMatchesNothingWarns) {
  const auto result = run_test_file("rule_files: [none-*.yaml]\ntests: [{}]", (folder_ / "t.yaml").string(), {});
  EXPECT_TRUE(result.passed());
  EXPECT_THAT(result.warnings, ElementsAre(HasSubstr("none-*.yaml")));
}

TEST_F(TestRun, AFileThatIsNotThereIsAnError) {
  const auto result = run_test_file("rule_files: [none.yaml]\ntests: [{}]", (folder_ / "t.yaml").string(), {});
  EXPECT_THAT(result.errors, ElementsAre(HasSubstr("none.yaml")));
}

TEST_F(TestRun, NamesThatNothingHasAreWarnedOf) {
  rules(kDown);
  const auto result = run(R"(
group_eval_order: [g, other]
tests: [{alert_rule_test: [{alertname: Dwon}, {alertname: Down}]}]
)");
  EXPECT_TRUE(result.passed());
  EXPECT_THAT(result.warnings, ElementsAre(HasSubstr("group_eval_order names 'other', which no rule file has"),
                                           HasSubstr("t.yaml:4:28: no alert rule is named 'Dwon'")));
}

TEST_F(TestRun, OnlyWantedTestsRun) {
  rules("groups: []");
  const auto result =
      run("tests: [{name: a}, {name: b}]", {.wanted = [](const auto& name) { return name == "b"; }, .base = {}});
  ASSERT_EQ(result.tests.size(), 1U);
  EXPECT_EQ(result.tests[0].name, "b");
}

TEST_F(TestRun, CoverageTellsRulesOfOneNameApart) {
  rules(R"(
groups:
- name: g
  rules:
  - {alert: Lag, expr: lag > 10, labels: {class: actionable}}
  - {alert: Lag, expr: lag > 100, labels: {class: informational}}
  - {alert: Other, expr: other == 1}
  - {record: r, expr: lag}
)");
  const std::vector<FileResult> results{
      run("tests: [{input_series: [{series: lag, values: 50x5}], promql_expr_test: [{expr: r, eval_time: 5m, exp_samples: "
          "[{labels: r, value: 50}]}]}]"),
      run("tests: [{input_series: [{series: other, values: 1x5}], alert_rule_test: [{alertname: Other, exp_alerts: "
          "[{}]}]}]")};
  EXPECT_TRUE(results[0].passed() && results[1].passed());
  const auto file = (folder_ / "rules.yaml").string();
  EXPECT_THAT(coverage_of(results), ElementsAre(CoveredRule{file, "g", "Lag", AlertClass::actionable, true},
                                                CoveredRule{file, "g", "Lag", AlertClass::informational, false},
                                                CoveredRule{file, "g", "Other", AlertClass::informational, true}));
}

TEST_F(TestRun, APendingAlertCoversNothing) {
  rules("groups: [{name: g, rules: [{alert: A, expr: a == 1, for: 10m}]}]");
  const std::vector<FileResult> results{
      run("tests: [{input_series: [{series: a, values: 1x5}], alert_rule_test: [{alertname: A, eval_time: 5m}]}]")};
  EXPECT_FALSE(coverage_of(results).at(0).fired);
}

TEST_F(TestRun, BaselinesAreRecordedFromThePastThatATestGives) {
  rules(R"(
groups:
- name: g
  rules:
  - {alert: Much, expr: 'jobs > 2 * ward_baseline:jobs:p95', labels: {class: actionable}}
---
kind: Baseline
apiVersion: ward/v1
metadata: {name: jobs}
spec: {expr: jobs, tz: Europe/Paris}
)");
  const auto result = run(R"(
evaluation_interval: 1h
tests:
- interval: 5m
  input_series: [{series: 'jobs{tenant="a"}', values: 10x8063 50x24}]
  promql_expr_test:
  - {expr: 'ward_baseline:jobs:p50', eval_time: 4w, exp_samples: [{labels: 'ward_baseline:jobs:p50{tenant="a"}', value: 10}]}
  - {expr: 'ward_baseline:jobs:p50', eval_time: 2w}
  alert_rule_test:
  - {eval_time: 27d, alertname: Much}
  - {eval_time: 673h, alertname: Much, exp_alerts: [{exp_labels: {tenant: a, class: actionable}}]}
)");
  EXPECT_THAT(result.errors, IsEmpty());
  EXPECT_TRUE(result.passed()) << result.tests.at(0).failures.at(0).subject << ": " << result.tests.at(0).failures.at(0).got;
}

TEST_F(TestRun, ATestKnowsNothingOfThePastOfAnother) {
  rules("groups: [{name: g, rules: [{record: usual, expr: 'ward_baseline(jobs, 0.5)'}]}]\n");
  const auto result = run(R"(
evaluation_interval: 1h
tests:
- {interval: 5m, input_series: [{series: jobs, values: 10x8063}], promql_expr_test: [{expr: usual, eval_time: 27d, exp_samples: [{labels: usual, value: 10}]}]}
- {interval: 5m, input_series: [{series: jobs, values: 20x8063}], promql_expr_test: [{expr: usual, eval_time: 27d, exp_samples: [{labels: usual, value: 20}]}]}
)");
  EXPECT_THAT(result.errors, IsEmpty());
  EXPECT_TRUE(result.passed());
}

}  // namespace
}  // namespace ward::collector
