#include "collector/rulebook/rulebook.hpp"

#include <gmock/gmock.h>

#include "tests/unit/collector/alerting/fake_expressions.hpp"

namespace ward::collector {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Files of a folder `rules/`; the runbook pg.md and the test file pg.test.yaml stand beside them.
class RulebookTest : public testing::Test {
 protected:
  RulebookLoad load(std::vector<std::string> texts, const RulebookOptions& options = {}) {
    std::vector<RuleText> files;
    for (auto& text : texts) files.push_back({"rules/" + std::to_string(files.size() + 1) + ".yaml", std::move(text)});
    return parse_rulebook(files, queries_, options, [](const std::string& path) -> Result<std::string> {
      if (path == "rules/pg.md") return "# Primary is down\n## Failover\n";
      if (path == "rules/pg.test.yaml")
        return "rule_files: [1.yaml]\ntests: [{alert_rule_test: [{eval_time: 1m, alertname: Down, exp_alerts: [{}]}]}]\n";
      return fail(Errc::not_found, path, "Write it.");
    });
  }

  static std::vector<std::string> lines(const std::vector<RuleProblem>& problems) {
    std::vector<std::string> out;
    for (const auto& p : problems) out.push_back(to_string(p));
    return out;
  }

  test::FakeQueries queries_;
};

constexpr const char* kDown = R"(groups:
- name: g
  rules:
  - alert: Down
    expr: up == 0
    labels: {class: urgent, service: pg-main}
    annotations: {runbook_url: pg.md#failover, decision_tree: pg-down}
  - alert: Slow
    expr: latency > 5
    labels: {class: actionable, service: pg-main}
)";
constexpr const char* kMap = R"(
kind: ServiceMap
apiVersion: ward/v1
spec:
  services: {odoo: {owner: application, dependsOn: [{to: pg-main}]}, pg-main: {owner: database}}
  workflows: {admission: {criticality: patient-safety, path: [odoo]}, billing: {criticality: high, path: [odoo]}}
  tenants: {clinic-a: {workflows: [admission]}, clinic-b: {workflows: [billing]}}
)";
constexpr const char* kOperations = R"(
kind: Operations
apiVersion: ward/v1
spec:
  decisionTrees: {pg-down: {only: {do: 'pg.md#failover'}}}
)";

std::string joined(std::initializer_list<const char*> documents) {
  std::string out;
  for (const auto* d : documents) out += (out.empty() ? "" : "---\n") + std::string(d);
  return out;
}
std::string with_overrides(const std::string& overrides) {
  return joined({kDown, kMap, kOperations}) + "  tenantOverrides: [" + overrides + "]\n";
}

TEST_F(RulebookTest, JoinsTheDocumentsOfAllFiles) {
  const auto book = load({kDown, kMap, kOperations});
  ASSERT_THAT(lines(book.errors), IsEmpty());
  EXPECT_EQ(book.book->rules->groups.size(), 1U);
  EXPECT_EQ(book.book->services.find("pg-main")->owner, "database");
  EXPECT_TRUE(book.book->trees.contains("pg-down"));
}

TEST_F(RulebookTest, AnEdgeMayLeadIntoAnotherFile) {
  const auto book = load({"kind: ServiceMap\napiVersion: ward/v1\nspec: {services: {a: {owner: x, dependsOn: [{to: b}]}}}",
                          "kind: ServiceMap\napiVersion: ward/v1\nspec: {services: {b: {owner: x}}}"});
  EXPECT_THAT(lines(book.errors), IsEmpty());
}

TEST_F(RulebookTest, WhatTheSiteSaysOfAServiceCountsBeforeAPack) {
  RulebookOptions options;
  options.services.services.push_back({.name = "pg-main", .owner = "platform", .depends_on = {}, .scope = {}});
  options.services.places["pg-main"] = {};
  const auto book = load({kDown, kMap, kOperations}, options);
  ASSERT_THAT(lines(book.errors), IsEmpty());
  EXPECT_EQ(book.book->services.find("pg-main")->owner, "platform");
}

TEST_F(RulebookTest, WhatTheSiteNamesMustBeSomewhere) {
  RulebookOptions options;
  options.services.services.push_back(
      {.name = "odoo", .owner = "application", .depends_on = {{.to = "pg", .on = {}}}, .scope = {}});
  options.services.places["odoo"] = {"collector.yaml", 10, 9};
  EXPECT_THAT(lines(load({}, options).errors),
              ElementsAre("collector.yaml:10:9: 'odoo' names the service 'pg', which is not in the map. Add 'pg' under "
                          "services, or use one of: odoo. [W031 bad-service-map]"));
}

TEST_F(RulebookTest, TwoDocumentsMayNotDefineTheSame) {
  const auto book = load({kMap, kMap, kOperations, kOperations});
  EXPECT_THAT(lines(book.errors),
              testing::Contains(HasSubstr("rules/2.yaml:5:20: service 'odoo' is defined at rules/1.yaml:5:20 too")));
  EXPECT_THAT(lines(book.errors), testing::Contains(HasSubstr("decision tree 'pg-down' is defined at rules/3.yaml")));
}

TEST_F(RulebookTest, SaysWhatIsWrongWithADocumentAtItsPlaceAndWithItsCode) {
  const std::pair<const char*, const char*> bad[] = {
      {"kind: ServiceMapp\nspec: {}",
       "rules/1.yaml:1:7: documents of kind \"ServiceMapp\" are not known. Use ServiceMap, "
       "Operations, BurnPolicy, Baseline, Pack or Test (apiVersion ward/v1), or OpenSLO's (openslo/v1). [W030 "
       "unknown-kind]"},
      {"kind: ServiceMap\napiVersion: ward/v2\nspec: {services: {a: {owner: x}}}", "rules/2.yaml:2:13"},
      {"kind: Operations\napiVersion: ward/v1\nspec: {decisiontrees: {}}", "did you mean 'decisionTrees'?"},
      {"kind: Operations\napiVersion: ward/v1\nspec: {correlation: {reparent: soon}}", "[W032 bad-operations]"},
      {"kind: Pack\napiVersion: ward/v1\nmetadata: {name: p}\nspec: {tests: [gone.yaml]}",
       "test file 'gone.yaml' cannot be read"},
  };
  for (const auto& [text, message] : bad) {
    const auto book = load({text, text});
    EXPECT_EQ(book.book, nullptr);
    EXPECT_THAT(lines(book.errors), testing::Contains(HasSubstr(message))) << text;
  }
}

TEST_F(RulebookTest, AnUrgentRuleMustNameWhatExists) {
  const auto missing = load({R"(groups:
- name: g
  rules:
  - {alert: A, expr: up, labels: {class: urgent}, annotations: {runbook_url: pg.md#failover}}
  - {alert: B, expr: up, labels: {class: executive, service: pg-mian}, annotations: {runbook_url: pg.md, decision_tree: pg-dwon}}
)",
                             kMap, kOperations});
  EXPECT_THAT(
      lines(missing.errors),
      ElementsAre(
          "rules/1.yaml:4:5: group \"g\", rule 1, \"A\": class urgent needs label \"owner\", or a service whose owner "
          "the service map names [W017 missing-owner]",
          "rules/1.yaml:4:5: group \"g\", rule 1, \"A\": class urgent needs annotation \"decision_tree\" [W044 "
          "missing-decision-tree]",
          "rules/1.yaml:5:5: group \"g\", rule 2, \"B\": label \"service\": \"pg-mian\" is not in the service map; "
          "did you mean \"pg-main\"? [W040 unknown-service]",
          "rules/1.yaml:5:5: group \"g\", rule 2, \"B\": class executive needs label \"owner\", or a service whose "
          "owner the service map names [W017 missing-owner]",
          "rules/1.yaml:5:5: group \"g\", rule 2, \"B\": annotation \"decision_tree\": no Operations document has a "
          "tree \"pg-dwon\"; did you mean \"pg-down\"? [W045 unknown-decision-tree]"));
}

TEST_F(RulebookTest, SomebodyMustHearOfAPageThatNobodyAcknowledges) {
  RulebookOptions options;
  options.routing.owners["database"] = {.receiver = "pd-db", .fallback = ""};
  const auto rule = std::string(kDown);
  EXPECT_THAT(
      lines(load({rule, kMap, kOperations}, options).errors),
      ElementsAre("rules/1.yaml:4:5: group \"g\", rule 1, \"Down\": class urgent needs annotation \"escalation\", or a "
                  "fallback of its owner \"database\", so that somebody hears when nobody answers [W042 "
                  "missing-escalation]"));
  options.routing.owners["platform"] = {.receiver = "pd-platform", .fallback = ""};
  options.routing.owners["database"].fallback = "platform";
  EXPECT_THAT(lines(load({rule, kMap, kOperations}, options).errors), IsEmpty());
}

TEST_F(RulebookTest, OperationsSayWhoIsTold) {
  RulebookOptions options;
  options.receivers = {"pd-db", "pd-2"};
  const auto escalations =
      std::string(kOperations) +
      "  owners: {database: {receiver: pd-db}}\n  escalations: {db-247: [{after: 0m, to: pd-db}, {after: "
      "10m, unless: acked, to: pd-2}]}\n";
  auto rule = std::string(kDown);
  rule.replace(rule.find("decision_tree"), 0, "escalation: db-247, ");
  const auto book = load({rule, kMap, escalations}, options);
  ASSERT_THAT(lines(book.errors), IsEmpty());
  EXPECT_EQ(book.book->routing.owners.at("database").receiver, "pd-db");
  EXPECT_TRUE(book.book->routing.escalations.contains("db-247"));
  options.receivers = {"pd-2"};
  EXPECT_THAT(lines(load({rule, kMap, escalations}, options).errors), testing::Contains(HasSubstr("pd-db")));
  rule.replace(rule.find("db-247"), 6, "db-742");
  EXPECT_THAT(lines(load({rule, kMap, escalations}, options).errors),
              testing::Contains(HasSubstr("[W043 unknown-escalation]")));
}

TEST_F(RulebookTest, ALesserRuleIsOnlyWarnedOf) {
  const auto book =
      load({"groups: [{name: g, rules: [{alert: A, expr: up, labels: {class: actionable, service: gone}}]}]", kMap});
  EXPECT_NE(book.book, nullptr);
  EXPECT_THAT(lines(book.warnings), ElementsAre(HasSubstr("\"gone\" is not in the service map [W040 unknown-service]")));
}

TEST_F(RulebookTest, APlainPrometheusFileLoadsUnchanged) {
  const auto book = load({"groups: [{name: g, rules: [{alert: A, expr: up, labels: {service: gone, severity: page}}]}]"});
  EXPECT_NE(book.book, nullptr);
  EXPECT_THAT(lines(book.warnings), IsEmpty());
}

TEST_F(RulebookTest, APackNeedsATestOfEachUrgentAlert) {
  const std::string untested = joined({kDown, kMap, kOperations, "kind: Pack\napiVersion: ward/v1\nmetadata: {name: pg}\n"});
  EXPECT_THAT(
      lines(load({untested}).errors),
      ElementsAre("rules/1.yaml:4:5: group \"g\", rule 1, \"Down\": no test of pack \"pg\" expects it to fire; add one "
                  "to a Test document [W049 untested-urgent]"));
  EXPECT_THAT(lines(load({untested + "spec: {tests: [pg.test.yaml]}\n"}).errors), IsEmpty());
  EXPECT_THAT(
      lines(load({untested + "---\nkind: Test\nspec: {tests: [{notification_test: [{exp: [{root: Down}]}]}]}"}).errors),
      IsEmpty());
  EXPECT_THAT(
      lines(load({untested + "---\nkind: Test\nspec: {tests: [{promql_expr_test: [{expr: 'count by (alertname) "
                             "(ALERTS{alertstate=\"firing\"})', exp_samples: [{labels: '{alertname=\"Down\"}'}]}]}]}"})
                .errors),
      IsEmpty());
  EXPECT_THAT(lines(load({untested + "---\nkind: Test\nspec: {tests: [{alert_rule_test: [{alertname: Down}]}]}"}).errors),
              testing::SizeIs(1))
      << "a test that expects no alert is no test that it fires";
}

TEST_F(RulebookTest, GivesATenantItsOwnLimitHoldAndClass) {
  const auto book = load({with_overrides(
      "{tenant: clinic-b, alert: {Slow: {threshold: 9, for: 2m, class: informational}, Down: {for: 10s}}}")});
  ASSERT_THAT(lines(book.errors), IsEmpty());
  const auto& rules = book.book->rules->groups.front().rules;
  ASSERT_EQ(rules[0].exceptions.size(), 1U);
  EXPECT_EQ(rules[0].exceptions.front().hold, seconds{10});
  EXPECT_EQ(rules[0].exceptions.front().expression, nullptr);
  ASSERT_EQ(rules[1].exceptions.size(), 1U);
  EXPECT_EQ(rules[1].exceptions.front().hold, minutes{2});
  EXPECT_EQ(rules[1].exceptions.front().cls, AlertClass::informational);
  Vector above{{Labels{{"tenant", "clinic-b"}}, 10}};
  queries_.set("latency > 9", above);
  EXPECT_EQ(*rules[1].exceptions.front().expression->evaluate(Time{}), above);
}

TEST_F(RulebookTest, ReadsWhoHearsOfATenantsIncidents) {
  RulebookOptions options;
  options.receivers = std::set<std::string>{"clinic", "mail"};
  options.routing.owners["database"] = {.receiver = "mail", .fallback = ""};
  options.routing.fallback_receiver = "mail";
  const auto book =
      load({with_overrides("{tenant: clinic-a, receivers: {database: clinic}, alert: {Slow: {receiver: mail}}}")}, options);
  ASSERT_THAT(lines(book.errors), IsEmpty());
  const auto& routes = book.book->routing.tenants.at("clinic-a");
  EXPECT_EQ(routes.owners.at("database"), "clinic");
  EXPECT_EQ(routes.alerts.at("Slow").receiver, "mail");
}

TEST_F(RulebookTest, RefusesOverridesThatCannotBe) {
  const std::pair<const char*, const char*> bad[] = {
      {"{tenant: clinic-c, alert: {Down: {for: 1m}}}", "tenant 'clinic-c' is not in the service map"},
      {"{tenant: clinic-a, alert: {Dwon: {for: 1m}}}", "overrides the alert 'Dwon', which does not exist"},
      {"{tenant: clinic-a, alert: {Down: {for: 1m}}}, {tenant: clinic-a, alert: {Down: {for: 2m}}}", "overrides Down twice"},
      {"{tenant: clinic-a, alert: {Down: {fro: 1m}}}", "did you mean 'for'?"},
      {"{tenant: clinic-a, alert: {Down: {class: high}}}", "'class' is 'high'"},
      {"{tenant: clinic-a, alert: {Down: {class: actionable}}}",
       "tenant 'clinic-a' would watch the patient-safety workflow 'admission' less: Down is of a lower class here"},
      {"{tenant: clinic-a, alert: {Slow: {enabled: false}}}",
       "would watch the patient-safety workflow 'admission' less: Slow is disabled here"},
  };
  for (const auto& [overrides, message] : bad)
    EXPECT_THAT(lines(load({with_overrides(overrides)}).errors), testing::Contains(HasSubstr(message))) << overrides;
}

TEST_F(RulebookTest, WhatNoPatientDependsOnMayBeDisabled) {
  EXPECT_THAT(lines(load({with_overrides("{tenant: clinic-b, alert: {Down: {enabled: false}}}")}).errors), IsEmpty());
}

TEST_F(RulebookTest, TellsWhenARuleHasNoThreshold) {
  const std::string rule = "groups: [{name: g, rules: [{alert: A, expr: absent(up)}]}]\n---\n";
  const auto book = load({rule + "kind: Operations\napiVersion: ward/v1\nspec: {tenantOverrides: [{tenant: t, alert: {A: "
                                 "{threshold: 1}}}]}"});
  EXPECT_THAT(lines(book.errors), ElementsAre(HasSubstr("A has no threshold to override")));
}

TEST_F(RulebookTest, ReadsWhatRecoveryRestsOn) {
  const auto with = [&](const std::string& readiness) {
    return load({joined({kDown, kMap, kOperations}) + "  readiness: " + readiness + "\n"});
  };
  const auto book = with("{pg-main: {a standby follows: min(lag) < 30}}");
  ASSERT_THAT(lines(book.errors), IsEmpty());
  EXPECT_EQ(book.book->readiness.at("pg-main"), (Readiness{{"a standby follows", "min(lag) < 30"}}));
  queries_.reject("min(lag", "it is never closed");
  EXPECT_THAT(lines(with("{pg-main: {it follows: min(lag}}").errors),
              ElementsAre(HasSubstr("readiness of 'pg-main', 'it follows': could not parse expression")));
  EXPECT_THAT(lines(with("{pg: {it follows: lag}}").errors),
              ElementsAre(HasSubstr("readiness is of the service 'pg', which no ServiceMap has")));
  EXPECT_THAT(lines(with("{pg-main: {}}").errors), ElementsAre(HasSubstr("readiness of 'pg-main' asks for nothing")));
}

constexpr const char* kSlo = R"(
apiVersion: openslo/v1
kind: SLO
metadata: {name: admission-ok, annotations: {ward.io/workflow: admission, ward.io/group-by: tenant}}
spec:
  service: odoo
  indicator: {metadata: {name: admission}, spec: {ratioMetric: {counter: true,
    bad: {metricSource: {type: Prometheus, spec: {query: 'rpc_total{code=~"5.."}'}}},
    total: {metricSource: {type: Prometheus, spec: {query: 'rpc_total'}}}}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.999}]
  alertPolicies: [{alertPolicyRef: sre-30d}]
---
kind: BurnPolicy
apiVersion: ward/v1
metadata: {name: sre-30d}
spec: {windows: [{budget: 2%, long: 1h, short: 5m, class: urgent}]}
)";

TEST_F(RulebookTest, SlosStandBesideTheRules) {
  const auto book = load({joined({kDown, kMap, kOperations}), kSlo});
  ASSERT_THAT(lines(book.errors), IsEmpty());
  ASSERT_EQ(book.book->slos.slos.size(), 1U);
  const auto& spec = book.book->slos.slos.front();
  EXPECT_EQ(spec.target, 0.999);
  EXPECT_EQ(spec.alert_labels.get("owner"), "application") << "its service's";
}

TEST_F(RulebookTest, ATenantMayHaveAStricterTarget) {
  const auto with = [&](const std::string& target) {
    return load({joined({kDown, kMap, kOperations}) +
                     "  tenantOverrides: [{tenant: clinic-a, slo: {admission-ok: {target: " + target + "}}}]\n",
                 kSlo});
  };
  const auto stricter = with("0.9995");
  ASSERT_THAT(lines(stricter.errors), IsEmpty());
  EXPECT_EQ(stricter.book->slos.slos.front().tenant_targets.at("clinic-a"), 0.9995);
  EXPECT_THAT(
      lines(with("0.99").errors),
      ElementsAre(HasSubstr("would ask less of the patient-safety workflow 'admission': the target of 'admission-ok' "
                            "is lower here. Set a target at least as high as the SLO's own. [W047 bad-override]")));
  EXPECT_THAT(lines(with("99.95").errors), ElementsAre(HasSubstr("is not between 0 and 1")));
}

/// kSlo with more annotations.
std::string slo_with(const std::string& annotations) {
  auto text = std::string(kSlo);
  const std::string after = "ward.io/group-by: tenant";
  return text.replace(text.find(after), after.size(), after + ", " + annotations);
}

TEST_F(RulebookTest, AnSloThatMayPageIsWarnedOfWhatItLacks) {
  const auto book = load({joined({kDown, kMap, kOperations}), kSlo});
  EXPECT_THAT(lines(book.warnings),
              ElementsAre(HasSubstr("SLO \"admission-ok\": class urgent needs ward.io/runbook [W012 missing-runbook]"),
                          HasSubstr("class urgent needs ward.io/decision-tree [W044 missing-decision-tree]")));
  const auto whole = load(
      {joined({kDown, kMap, kOperations}), slo_with("ward.io/runbook: pg.md#failover, ward.io/decision-tree: pg-down")});
  EXPECT_THAT(lines(whole.warnings), IsEmpty());
}

TEST_F(RulebookTest, AnSloThatMayPageIsRefusedForANameThatLeadsNowhere) {
  auto bad = slo_with("ward.io/runbook: pg.md#fail, ward.io/decision-tree: pg-dwn, ward.io/escalation: nobody");
  bad.replace(bad.find("ward.io/workflow: admission"), 27, "ward.io/workflow: admissions");
  bad.replace(bad.find("service: odoo"), 13, "service: odo");
  EXPECT_THAT(lines(load({joined({kDown, kMap, kOperations}), bad}).errors),
              testing::UnorderedElementsAre(
                  HasSubstr("service: \"odo\" is not in the service map; did you mean \"odoo\"? [W040 unknown-service]"),
                  HasSubstr("ward.io/workflow: \"admissions\" is not in the service map [W041 unknown-workflow]"),
                  HasSubstr("ward.io/runbook \"pg.md#fail\""),
                  HasSubstr("ward.io/decision-tree: no Operations document has a tree \"pg-dwn\""),
                  HasSubstr("ward.io/escalation: no Operations document has an escalation \"nobody\"")));
  auto ticket = bad;
  ticket.replace(ticket.find("class: urgent"), 13, "class: actionable");
  EXPECT_THAT(lines(load({joined({kDown, kMap, kOperations}), ticket}).errors), IsEmpty());
}

TEST_F(RulebookTest, AnSloThatCannotBeIsToldAtItsPlace) {
  auto bad = std::string(kSlo);
  bad.replace(bad.find("0.999"), 5, "99.9");
  EXPECT_THAT(lines(load({bad}).errors), testing::Contains(HasSubstr("[W033 bad-slo]")));
}

}  // namespace
}  // namespace ward::collector
