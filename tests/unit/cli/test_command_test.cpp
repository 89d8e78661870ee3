#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/cli/cli_run.hpp"

namespace ward::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kRules = R"(groups:
- name: g
  rules:
  - {alert: Down, expr: up == 0, labels: {class: actionable}}
  - {alert: Gone, expr: absent(up), labels: {class: urgent, owner: platform}, annotations: {runbook_url: run.md}}
)";

struct TestCommand : testing::Test {
  TestCommand() {
    folder.write("rules.yaml", kRules);
    folder.write("run.md", "# Run\n");
    good = folder.write("good.yaml", R"(rule_files: [rules.yaml]
tests:
- name: it stands
  interval: 1m
  input_series: [{series: up, values: 0x5}]
  alert_rule_test: [{eval_time: 1m, alertname: Down, exp_alerts: [{exp_labels: {class: actionable}}]}]
)");
    bad = folder.write("bad.yaml", R"(rule_files: [rules.yaml]
tests:
- name: it falls
  interval: 1m
  input_series: [{series: up, values: 0x5}]
  alert_rule_test: [{eval_time: 1m, alertname: Down}]
- interval: 1m
  input_series: [{series: up, values: 1x5}]
  promql_expr_test: [{expr: 'up{a!="\n"}', eval_time: 1m, exp_samples: [{labels: up, value: 2}]}]
)");
  }
  int test(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "test");
    return cli(std::move(arguments));
  }
  const test::TempDir folder{"wardctl-test"};
  std::string good, bad;
  CliRun cli;
};

TEST_F(TestCommand, SuccessLooksAsInPromtool) {
  EXPECT_EQ(test({good}), 0) << cli.err;
  EXPECT_EQ(cli.out, "Unit Testing:  " + good + "\n  SUCCESS\n\n");
}

TEST_F(TestCommand, FailuresLookAsInPromtoolWithTheirPlace) {
  EXPECT_EQ(test({bad}), 1);
  EXPECT_THAT(cli.err, IsEmpty());
  EXPECT_EQ(cli.out, "Unit Testing:  " + bad + "\n  FAILED:\n" +
                         "    name: it falls,\n"
                         "    alertname: Down, time: 1m, \n"
                         "        exp:[], \n"
                         "        got:[\n"
                         "            0:\n"
                         "              Labels:{alertname=\"Down\", class=\"actionable\"}\n"
                         "              Annotations:{}\n"
                         "            ]\n"
                         "        see: " +
                         bad +
                         ":6:21\n\n"
                         "    expr: \"up{a!=\\\"\\\\n\\\"}\", time: 1m,\n"
                         "        exp: {__name__=\"up\"} 2E+00\n"
                         "        got: {__name__=\"up\"} 1E+00\n"
                         "        see: " +
                         bad + ":9:22\n\n");
}

TEST_F(TestCommand, EveryFileIsTestedAfterAFailure) {
  EXPECT_EQ(test({bad, good}), 1);
  EXPECT_THAT(cli.out, AllOf(HasSubstr(bad + "\n  FAILED"), HasSubstr(good + "\n  SUCCESS")));
}

TEST_F(TestCommand, AFileThatCannotBeReadFails) {
  EXPECT_EQ(test({(folder / "none.yaml").string()}), 1);
  EXPECT_THAT(cli.out, HasSubstr("none.yaml: cannot be read."));
  EXPECT_EQ(test({folder.string()}), 1);
  EXPECT_THAT(cli.out, HasSubstr(folder.string() + ": cannot be read."));
}

TEST_F(TestCommand, AFolderAmongTheRuleFilesIsAnError) {
  const auto odd = folder.write("odd.yaml", "rule_files: [.]\ntests: [{}]\n");
  EXPECT_EQ(test({odd}), 1);
  EXPECT_THAT(cli.out, HasSubstr("cannot be read"));
}

TEST_F(TestCommand, RunPicksTestsByName) {
  EXPECT_EQ(test({bad, "--run", "stands|nothing"}), 2);
  EXPECT_THAT(cli.err, HasSubstr("no test has a name that --run matches"));
  EXPECT_EQ(test({good, bad, "--run", "stan"}), 0) << cli.out;
  EXPECT_EQ(test({good, bad, "--run", "falls"}), 1);
  EXPECT_EQ(test({"--run", "stands", "--run", "flies", good}), 0) << cli.err;
  EXPECT_EQ(test({good, "--run", "("}), 2);
  EXPECT_THAT(cli.err, HasSubstr("--run is '(', which is no regular expression"));
}

TEST_F(TestCommand, CoverageNamesRulesWithoutATestTheGravestFirst) {
  EXPECT_EQ(test({good, "--coverage"}), 0);
  EXPECT_THAT(cli.out, HasSubstr("Coverage: 1 of 2 alert rules and SLOs fire in a test, 0 of 1 urgent and executive ones\n"
                                 "  no test fires urgent Gone (" +
                                 (folder / "rules.yaml").string() + ": group \"g\")\n"));
}

TEST_F(TestCommand, RequiredCoverageFailsForAnUntestedUrgentRule) {
  EXPECT_EQ(test({good, "--require-coverage"}), 1);
  EXPECT_THAT(cli.err,
              HasSubstr("1 urgent or executive alert rules or SLOs have no test that makes them fire. Add one each"));
  const auto more = folder.write("more.yaml", R"(rule_files: [rules.yaml]
tests: [{alert_rule_test: [{alertname: Gone, exp_alerts: [{exp_labels: {class: urgent, owner: platform}, exp_annotations: {runbook_url: run.md}}]}]}]
)");
  EXPECT_EQ(test({good, more, "--require-coverage"}), 0) << cli.out;
}

TEST_F(TestCommand, JsonTellsTheSame) {
  EXPECT_EQ(test({bad, good, "--json"}), 1);
  const auto out = nlohmann::json::parse(cli.out);
  EXPECT_EQ(out["passed"], false);
  ASSERT_EQ(out["files"].size(), 2U);
  const auto& failed = out["files"][0];
  EXPECT_EQ(failed["file"], bad);
  EXPECT_EQ(failed["tests"][0]["name"], "it falls");
  const auto& failure = failed["tests"][0]["failures"][0];
  EXPECT_EQ(failure["kind"], "alert");
  EXPECT_EQ(failure["subject"], "Down");
  EXPECT_EQ(failure["time"], "1m");
  EXPECT_EQ(failure["place"], bad + ":6:21");
  EXPECT_EQ(failure["expected"], "[]");
  EXPECT_EQ(out["files"][1]["passed"], true);
  EXPECT_EQ(out["coverage"][0]["rule"], "Gone");
  EXPECT_EQ(out["coverage"][0]["fired"], false);
}

TEST_F(TestCommand, ABadConfigurationIsRefusedBeforeAnyTest) {
  EXPECT_EQ(test({good, "--config", (folder / "none.yaml").string()}), 2);
  EXPECT_THAT(cli.out, Not(HasSubstr("Unit Testing")));
}

TEST_F(TestCommand, HelpShowsExamples) {
  EXPECT_EQ(test({"--help"}), 0);
  EXPECT_THAT(cli.out, HasSubstr("wardctl test --coverage rules/tests/*.test.yaml"));
}

}  // namespace
}  // namespace ward::cli
