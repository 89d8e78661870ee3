#include "collector/alerting/rule_file.hpp"

#include <gmock/gmock.h>

#include "tests/support/processes.hpp"
#include "tests/unit/collector/alerting/fake_expressions.hpp"

namespace ward::collector {
namespace {

using test::FakeQueries;
using test::load_text;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> texts(const std::vector<RuleProblem>& problems) {
  std::vector<std::string> out;
  for (const auto& p : problems) out.push_back(p.text);
  return out;
}

std::vector<std::string> codes(const std::vector<RuleProblem>& problems) {
  std::vector<std::string> out;
  for (const auto& p : problems) out.push_back(p.code);
  return out;
}

constexpr const char* kGood = R"(groups:
- name: g
  interval: 5s
  query_offset: 10s
  limit: 7
  labels: {site: north, owner: platform}
  rules:
  - alert: Down
    expr: up == 0
    for: 1m
    keep_firing_for: 3m
    labels: {class: actionable, owner: database}
    annotations: {summary: "{{ $labels.job }} is down"}
  - record: job:up:sum
    expr: sum by (job) (up)
)";

TEST(RuleFile, ReadsEveryFieldOfAPrometheusFile) {
  FakeQueries queries;
  const auto load = load_text(kGood, queries);
  ASSERT_THAT(texts(load.errors), IsEmpty());
  ASSERT_EQ(load.rules->groups.size(), 1U);
  const auto& group = load.rules->groups[0];
  EXPECT_EQ(group.key(), "pack.yaml;g");
  EXPECT_EQ(group.interval, std::chrono::seconds(5));
  EXPECT_EQ(group.query_offset, std::chrono::seconds(10));
  EXPECT_EQ(group.limit, 7U);
  ASSERT_EQ(group.rules.size(), 2U);
  EXPECT_EQ(group.rules[0].hold, std::chrono::minutes(1));
  EXPECT_EQ(group.rules[0].keep_firing, std::chrono::minutes(3));
  EXPECT_EQ(group.rules[0].cls, AlertClass::actionable);
  EXPECT_EQ(group.rules[0].generator, "pack.yaml: group \"g\", rule \"Down\"");
  EXPECT_EQ(group.rules[1].kind, Rule::Kind::record);
  EXPECT_EQ(group.rules[1].name, "job:up:sum");
}

TEST(RuleFile, LetsARulesOwnLabelWinOverItsGroups) {
  FakeQueries queries;
  const auto load = load_text(kGood, queries);
  std::vector<std::string> labels;
  for (const auto& [name, text] : load.rules->groups[0].rules[0].labels) labels.push_back(name + "=" + text.text());
  EXPECT_THAT(labels, ElementsAre("class=actionable", "owner=database", "site=north"));
}

TEST(RuleFile, KeepsDocumentsOfOtherKinds) {
  FakeQueries queries;
  const auto load = load_text(std::string(kGood) + "---\nkind: ServiceMap\nspec: {}\n---\nkind: SLO\n", queries);
  ASSERT_THAT(texts(load.errors), IsEmpty());
  ASSERT_EQ(load.rules->others.size(), 2U);
  EXPECT_EQ(load.rules->others[0].kind, "ServiceMap");
  EXPECT_EQ(load.rules->others[1].kind, "SLO");
}

TEST(RuleFile, AcceptsAnEmptyFileAndOneOfOtherKindsOnly) {
  FakeQueries queries;
  EXPECT_NE(load_text("", queries).rules, nullptr);
  EXPECT_NE(load_text("kind: SLO\n", queries).rules, nullptr);
}

TEST(RuleFile, GivesARuleTheSameIdentityAcrossReloadsUnlessItsMeaningChanges) {
  FakeQueries queries;
  const auto identity = [&](const std::string& rule) {
    return load_text("groups: [{name: g, rules: [" + rule + "]}]", queries).rules->groups[0].rules[0].identity;
  };
  const auto base = identity("{alert: A, expr: up == 0, for: 1m}");
  EXPECT_EQ(identity("{alert: A, expr: up == 0, for: 5m, annotations: {a: b}}"), base);
  EXPECT_NE(identity("{alert: A, expr: up == 1, for: 1m}"), base);
  EXPECT_NE(identity("{alert: A, expr: up == 0, labels: {a: b}}"), base);
  EXPECT_NE(identity("{alert: B, expr: up == 0}"), base);
}

TEST(RuleFile, WarnsOfARuleThatStandsTwice) {
  FakeQueries queries;
  const auto load = load_text("groups: [{name: g, rules: [{alert: A, expr: up}, {alert: A, expr: up}]}]", queries);
  ASSERT_NE(load.rules, nullptr);
  EXPECT_THAT(codes(load.warnings), ElementsAre("W018 duplicate-rule"));
  EXPECT_NE(load.rules->groups[0].rules[0].identity, load.rules->groups[0].rules[1].identity);
}

TEST(RuleFile, ReportsEveryProblemAtOnceWithItsPlace) {
  FakeQueries queries;
  queries.reject("up ==", "1:6: parse error: unexpected end of input");
  queries.reject("sum(", "1:5: parse error: unclosed left parenthesis");
  const auto load = load_text(R"(groups:
- name: g
  interval: 15s
  rules:
  - record: x
    alert: y
    expr: up
  - expr: up
  - record: z
    expr: up
    for: 5m
  - alert: E
  - record: a-b
    expr: up
    annotations: {a: b}
  - alert: F
    expr: up ==
    labels: {a-b: c, __name__: x, ok: '{{ $lab }}'}
    annotations: {c-d: x, e: '{{ nope }}'}
  - record: rr
    expr: sum(
    labels: {a-b: c, fine: x}
- name: g
  rules: []
- name: ""
  rules: []
)",
                              queries);
  EXPECT_EQ(load.rules, nullptr);
  EXPECT_THAT(
      texts(load.errors),
      testing::UnorderedElementsAre(
          R"(pack.yaml:6:12: group "g", rule 1, "y": only one of 'record' and 'alert' must be set)",
          R"(pack.yaml:8:5: group "g", rule 2, "": one of 'record' or 'alert' must be set)",
          R"(pack.yaml:9:13: group "g", rule 3, "z": invalid field 'for' in recording rule)",
          R"(pack.yaml:12:5: group "g", rule 4, "E": field 'expr' must be set in rule)",
          R"(pack.yaml:13:13: group "g", rule 5, "a-b": invalid field 'annotations' in recording rule)",
          R"(pack.yaml:13:13: group "g", rule 5, "a-b": invalid recording rule name: a-b)",
          R"(pack.yaml:17:11: group "g", rule 6, "F": could not parse expression: 1:6: parse error: unexpected end of input)",
          R"(pack.yaml:18:19: group "g", rule 6, "F": invalid label name: a-b)",
          R"(pack.yaml:18:32: group "g", rule 6, "F": invalid label name: __name__)",
          R"(pack.yaml:18:39: group "g", rule 6, "F": label "ok": template: __alert_F:1: undefined variable "$lab")",
          R"(pack.yaml:19:24: group "g", rule 6, "F": invalid annotation name: c-d)",
          R"(pack.yaml:19:30: group "g", rule 6, "F": annotation "e": template: __alert_F:1: function "nope" not defined)",
          R"(pack.yaml:21:11: group "g", rule 7, "rr": could not parse expression: 1:5: parse error: unclosed left parenthesis)",
          R"(pack.yaml:22:19: group "g", rule 7, "rr": invalid label name: a-b)",
          R"(pack.yaml:23:3: groupname: "g" is repeated in the same file)",
          R"(pack.yaml:25:3: Groupname must not be empty)"));
}

struct Bad {
  std::string yaml;
  std::string code;
  std::string text;
};

TEST(RuleFile, RefusesWhatPrometheusRefuses) {
  FakeQueries queries;
  const std::vector<Bad> rows{
      {"groups: 5", "W002 unknown-field", "pack.yaml:1:9: a list of groups must stand here, not \"5\""},
      {"- 5", "W002 unknown-field", "pack.yaml:1:1: groups of rules (`groups: [...]`) must stand here, not a list"},
      {"groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up\n    annotation: {a: b}", "W002 unknown-field",
       "pack.yaml:6:5: unknown key \"annotation\" in a rule; did you mean \"annotations\"?"},
      {"groups:\n- name: g\n  intervall: 5s", "W002 unknown-field",
       "pack.yaml:3:3: unknown key \"intervall\" in a group; did you mean \"interval\"?"},
      {"group: []", "W002 unknown-field", "pack.yaml:1:1: unknown key \"group\" in a rule file; did you mean \"groups\"?"},
      {"groups: [{name: g, interval: 15x}]", "W019 bad-duration",
       "pack.yaml:1:30: group \"g\": not a valid duration string: \"15x\""},
      {"groups: [{name: g, rules: [{alert: A, expr: up, for: 5}]}]", "W019 bad-duration",
       "pack.yaml:1:54: group \"g\", rule 1, \"A\": not a valid duration string: \"5\""},
      {"groups: [{name: g, rules: [{record: a, expr: up, keep_firing_for: 5m}]}]", "W009 not-for-recording",
       "pack.yaml:1:37: group \"g\", rule 1, \"a\": invalid field 'keep_firing_for' in recording rule"},
      {"groups: [{name: g, limit: many}]", "W021 bad-limit",
       "pack.yaml:1:27: group \"g\": limit must be a whole number: \"many\""},
      {"kind: SLO\n---\ngroups: []", "W020 late-groups",
       "pack.yaml:3:1: groups stand in document 2; Prometheus reads only the first document of a file"},
      {"groups: [{rules: []}]", "W003 missing-group-name", "pack.yaml:1:10: Groupname must not be empty"},
  };
  for (const auto& row : rows) {
    const auto load = load_text(row.yaml, queries);
    EXPECT_EQ(load.rules, nullptr) << row.yaml;
    EXPECT_THAT(texts(load.errors), ElementsAre(row.text)) << row.yaml;
    EXPECT_THAT(codes(load.errors), ElementsAre(row.code)) << row.yaml;
  }
}

TEST(RuleFile, RefusesBrokenYamlWithItsPlace) {
  FakeQueries queries;
  const auto load = load_text("groups:\n- name: [", queries);
  ASSERT_EQ(load.errors.size(), 1U);
  EXPECT_EQ(load.errors[0].code, "W001 bad-yaml");
  EXPECT_THAT(load.errors[0].text, testing::HasSubstr("pack.yaml:2"));
}

/// Loads one alert rule of rules/pack.yaml beside which runbooks/pg.md exists.
RuleLoad load_alert(const std::string& labels, const std::string& annotations) {
  FakeQueries queries;
  const std::vector<RuleText> files{{"rules/pack.yaml", "groups: [{name: g, rules: [{alert: A, expr: up, labels: {" +
                                                            labels + "}, annotations: {" + annotations + "}}]}]"}};
  return parse_rules(files, queries, {}, [](const std::string& path) -> Result<std::string> {
    if (path == "rules/runbooks/pg.md") return "# PostgreSQL\n\n## Primary is down\n";
    return fail(Errc::not_found, path, "Write it.");
  });
}

TEST(RuleFile, DemandsAnOwnerAndALiveRunbookFromUrgentOn) {
  struct Row {
    std::string labels;
    std::string annotations;
    std::string code;
    std::string problem;
  };
  const std::vector<Row> rows{
      {"class: pageme", "", "W014 unknown-class",
       "label \"class\": \"pageme\" does not exist; use informational, actionable, urgent or executive"},
      {"layer: network", "", "W015 unknown-layer",
       "label \"layer\": \"network\" does not exist; use user_experience, application, data, platform or governance"},
      {"owner: dba", "", "W016 unknown-owner",
       "label \"owner\": \"dba\" does not exist; use application, database, platform, security or backup"},
      {"class: executive, owner: database", "", "W012 missing-runbook", "class executive needs annotation \"runbook_url\""},
      {"class: urgent, owner: database", "runbook_url: runbooks/gone.md", "W013 dead-runbook",
       "runbook_url \"runbooks/gone.md\": file \"runbooks/gone.md\" does not exist"},
      {"class: urgent, owner: database", "runbook_url: runbooks/pg.md#failover", "W013 dead-runbook",
       "runbook_url \"runbooks/pg.md#failover\": no heading in \"runbooks/pg.md\" has the anchor \"failover\""},
      {"class: urgent, owner: database", "runbook_url: '{{ $labels.x }}'", "W013 dead-runbook",
       "runbook_url may not be a template"},
  };
  for (const auto& row : rows) {
    const auto load = load_alert(row.labels, row.annotations);
    EXPECT_THAT(texts(load.errors), ElementsAre("rules/pack.yaml:1:28: group \"g\", rule 1, \"A\": " + row.problem));
    EXPECT_THAT(codes(load.errors), ElementsAre(row.code));
  }
}

TEST(RuleFile, TakesAnUrgentRuleWhoseRunbookIsThere) {
  EXPECT_THAT(texts(load_alert("class: urgent, owner: database", "runbook_url: runbooks/pg.md#primary-is-down").errors),
              IsEmpty());
  EXPECT_THAT(texts(load_alert("class: urgent, owner: database", "runbook_url: 'https://wiki.example/pg'").errors),
              IsEmpty());
}

TEST(RuleFile, TakesRulesWithoutAnyMetadataOfWard) {
  EXPECT_THAT(texts(load_alert("severity: critical", "").errors), IsEmpty());
}

TEST(RuleFile, PrintsTheCodeBehindTheText) {
  EXPECT_EQ(to_string(RuleProblem{"W012 missing-runbook", "a.yml: text"}), "a.yml: text [W012 missing-runbook]");
}

TEST(RuleFile, SaysWhichFileIsMissing) {
  FakeQueries queries;
  const std::vector<std::string> patterns{"/nonexistent/rules.yaml", "/nonexistent/*.yaml"};
  const auto load = load_rules(patterns, queries, {});
  EXPECT_EQ(load.rules, nullptr);
  EXPECT_THAT(texts(load.errors), ElementsAre("/nonexistent/rules.yaml: no such file; check the path and its permissions"));
  EXPECT_THAT(texts(load.warnings),
              ElementsAre("/nonexistent/*.yaml: no file matches this pattern, so no rule of it is in force; put rule files "
                          "there, or mend or remove the pattern"));
}

TEST(RuleFile, RulesArePartialWhereAPatternHasNoFileOrNoFileHasAGroup) {
  FakeQueries queries;
  const test::TempDir folder("rules");
  folder.write("good.yaml", "groups: [{name: g, rules: [{record: a, expr: up}]}]\n");
  folder.write("empty.yml", "groups: []\n");
  const auto coverage = [&](std::vector<std::string> patterns) {
    for (auto& pattern : patterns) pattern = (folder / pattern).string();
    const auto load = load_rules(patterns, queries, {});
    EXPECT_NE(load.rules, nullptr);
    return load.coverage;
  };
  EXPECT_EQ(coverage({}), RuleCoverage::whole) << "no rules is what the configuration says";
  EXPECT_EQ(coverage({"*.yaml"}), RuleCoverage::whole);
  EXPECT_EQ(coverage({"*.yaml", "*.yml"}), RuleCoverage::whole);
  EXPECT_EQ(coverage({"*.yml"}), RuleCoverage::partial);
  EXPECT_EQ(coverage({"*.yaml", "late/*.yaml"}), RuleCoverage::partial);
}

}  // namespace
}  // namespace ward::collector
