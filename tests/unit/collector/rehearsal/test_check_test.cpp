// Tests of rules read, but not run: what is wrong with them, and what they do not expect.
#include "collector/rehearsal/test_check.hpp"

#include <array>
#include <gmock/gmock.h>

#include "collector/rehearsal/sandbox.hpp"

namespace ward::collector {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kRules = R"(groups:
- name: g
  rules:
  - {alert: PgDown, expr: pg_up == 0, labels: {class: urgent, owner: database, service: pg}, annotations: {runbook_url: 'http://x/y', decision_tree: t}}
  - {alert: PgSlow, expr: pg_slow == 1, labels: {class: actionable, owner: database, service: pg}}
---
kind: ServiceMap
apiVersion: ward/v1
spec: {services: {pg: {owner: database}}}
---
kind: Operations
apiVersion: ward/v1
spec: {decisionTrees: {t: {do-it: {do: 'http://x/y#z'}}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: pg-ok}
spec:
  service: pg
  indicator: {metadata: {name: up}, spec: {thresholdMetric: {metricSource: {type: Prometheus, spec: {query: pg_up}}}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99, op: gte, value: 1}]
  alertPolicies: [{alertPolicyRef: pages}]
---
kind: BurnPolicy
apiVersion: ward/v1
metadata: {name: pages}
spec: {windows: [{budget: 2%, long: 1h, short: 5m, class: urgent}]}
---
)";

std::string test_document(const std::string& tests) { return "kind: Test\napiVersion: ward/v1\nspec:\n  tests:\n" + tests; }

class TestCheckTest : public testing::Test {
 protected:
  TestCheck check(const std::string& text) {
    files_["r.yaml"] = text;
    const std::array<RuleText, 1> texts{{{"r.yaml", text}}};
    const auto load = parse_rulebook(texts, sandbox_.compiler(), {}, read());
    loaded_ = load.book ? "" : load.to_error().what;
    const std::array<std::string, 1> names{"r.yaml"};
    return check_tests(names, load.book.get(), sandbox_.compiler(), read());
  }
  ReadFile read() {
    return [this](const std::string& file) -> Result<std::string> {
      const auto at = files_.find(file);
      if (at == files_.end()) return fail(Errc::not_found, "no such file", "");
      return at->second;
    };
  }
  static std::vector<std::string> texts(const std::vector<RuleProblem>& problems) {
    std::vector<std::string> out;
    for (const auto& problem : problems) out.push_back(to_string(problem));
    return out;
  }
  std::vector<std::string> unexpected(const TestCheck& check) {
    std::vector<std::string> out;
    for (const auto& rule : check.urgent)
      if (!rule.fired) out.push_back(rule.rule);
    return out;
  }
  std::map<std::string, std::string> files_;
  std::string loaded_;
  Sandbox sandbox_;
};

TEST_F(TestCheckTest, TellsEachMistakeWithItsPlaceAndCode) {
  struct Row {
    const char* test;
    const char* says;
  };
  const Row rows[] = {
      {"  - {interval: 1m, inputs: []}\n", "unknown key 'inputs'"},
      {"  - {interval: soon}\n", "interval"},
      {"  - {input_series: [{series: 'pg_up{', values: 1}]}\n", "is no series"},
      {"  - {input_series: [{series: pg_up, values: 1 and 2}]}\n", "r.yaml:"},
      {"  - {promql_expr_test: [{expr: 'sum(', eval_time: 1m}]}\n", "expr 'sum('"},
      {"  - {notification_test: [{total: 1}]}\n", "needs the key 'at'"},
      {"  - {notification_test: [{at: 1m, exp: [{to: db, class: grave}]}]}\n", "class"},
  };
  for (const auto& row : rows) {
    const auto result = check(kRules + test_document(row.test));
    ASSERT_FALSE(result.errors.empty()) << row.test;
    const auto text = to_string(result.errors.front());
    EXPECT_THAT(text, HasSubstr(row.says)) << row.test;
    EXPECT_THAT(text, HasSubstr("r.yaml:")) << row.test;
    EXPECT_THAT(text, HasSubstr("[W035 bad-test]")) << row.test;
  }
}

TEST_F(TestCheckTest, WarnsOfAlertsThatNothingMakes) {
  const auto result =
      check(kRules + test_document(
                         "  - input_alerts: [{alertname: Elsewhere, labels: {service: pg}, firing: 1m}]\n"
                         "    notification_test: [{at: 5m, exp: [{to: db, root: PgDonw, absorbs: [Elsewhere, pg-ok]}]}]\n"));
  EXPECT_EQ(loaded_, "");
  EXPECT_THAT(result.errors, IsEmpty());
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_THAT(to_string(result.warnings[0]),
              testing::AllOf(HasSubstr("root is 'PgDonw'"), HasSubstr("did you mean 'PgDown'?"), HasSubstr("W036")));
}

TEST_F(TestCheckTest, TellsWhichGraveAlertsNoTestExpects) {
  EXPECT_THAT(unexpected(check(kRules + test_document("  - {interval: 1m}\n"))), ElementsAre("PgDown", "pg-ok"));
  EXPECT_THAT(unexpected(check(kRules + test_document("  - alert_rule_test: [{eval_time: 1m, alertname: PgDown, exp_alerts: "
                                                      "[{exp_labels: {}}]}]\n"))),
              ElementsAre("pg-ok"));
  const auto both =
      check(kRules + test_document("  - notification_test: [{at: 1m, exp: [{to: db, root: PgDown, absorbs: [pg-ok]}]}]\n"));
  EXPECT_THAT(unexpected(both), IsEmpty());
  EXPECT_EQ(both.tests, 1U);
}

TEST_F(TestCheckTest, ReadsTheTestFilesOfAPack) {
  const auto pack = std::string(kRules) + "kind: Pack\napiVersion: ward/v1\nmetadata: {name: p}\nspec: {tests: [t.yaml]}\n";
  files_["t.yaml"] =
      "rule_files: [r.yaml]\ntests: [{promql_expr_test: [{expr: 'ALERTS{alertstate=\"firing\"}', eval_time: 1m, "
      "exp_samples: [{labels: '{alertname=\"PgDown\"}', value: 1}]}]}]\n";
  const auto result = check(pack);
  EXPECT_THAT(result.errors, IsEmpty());
  EXPECT_THAT(unexpected(result), IsEmpty()) << "no book: W049 says what is missing";
  EXPECT_THAT(loaded_, testing::AllOf(HasSubstr("r.yaml:15:1: SLO \"pg-ok\": no test of pack \"p\" expects it to fire"),
                                      HasSubstr("W049"), testing::Not(HasSubstr("PgDown"))));
  files_["t.yaml"] = "groups: []\n---\n" + test_document(
                                               "  - notification_test: [{at: 1m, exp: [{to: db, root: PgDown}, "
                                               "{to: db, root: pg-ok}]}]\n");
  EXPECT_THAT(unexpected(check(pack)), IsEmpty());
  EXPECT_EQ(loaded_, "");
  files_["t.yaml"] = "tests: [{inputs: []}]\n";
  EXPECT_THAT(texts(check(pack).errors), testing::Contains(HasSubstr("t.yaml:1:")));
}

}  // namespace
}  // namespace ward::collector
