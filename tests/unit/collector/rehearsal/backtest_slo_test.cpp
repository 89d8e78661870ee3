// SLOs in a backtest: counted from stored samples, told as the collector would have told them.
#include <array>
#include <gmock/gmock.h>

#include "collector/alerting/rule_file.hpp"
#include "tests/unit/collector/rehearsal/fake_source.hpp"

namespace ward::collector {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

constexpr Time kDay = from_ms(1'795'392'000'000);  // 2026-11-23
Time at(milliseconds after) { return kDay + after; }

constexpr const char* kEstate = R"(
---
kind: ServiceMap
apiVersion: ward/v1
spec: {services: {odoo: {owner: application}}}
---
kind: Operations
apiVersion: ward/v1
spec: {owners: {application: {receiver: app}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: up-ok, annotations: {ward.io/group-by: tenant}}
spec:
  service: odoo
  indicator: {metadata: {name: up}, spec: {thresholdMetric: {metricSource: {type: Prometheus, spec: {query: odoo_up}}}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99, op: gte, value: 1}]
  alertPolicies: [{alertPolicyRef: pages}]
---
kind: BurnPolicy
apiVersion: ward/v1
metadata: {name: pages}
spec: {windows: [{budget: 2%, long: 1h, short: 5m, class: urgent}]}
)";
constexpr const char* kNoGroups = "groups: []";

class BacktestSloTest : public testing::Test {
 protected:
  BacktestSloTest() {
    source_.add(up_, at(0h), at(99h), 15s, 1);
    source_.add(up_, at(99h), at(99h + 30min), 15s, 0);
    source_.add(up_, at(99h + 30min), at(120h), 15s, 1);
  }
  BacktestResult play(const std::string& groups, Time since, Time until, milliseconds step = 0s) {
    const std::array<RuleText, 1> files{{{"r.yaml", groups + kEstate}}};
    const auto load = parse_rulebook(files, sandbox_.compiler(), {}, [](const std::string&) -> Result<std::string> {
      return fail(Errc::not_found, "", "");
    });
    EXPECT_NE(load.book, nullptr) << load.to_error().what;
    auto result = backtest(
        sandbox_,
        {.rules = load.book->rules, .external_labels = {}, .external_url = "", .book = load.book, .slos = load.book->slos},
        source_, {.since = since, .until = until, .step = step});
    EXPECT_TRUE(result.has_value());
    return std::move(*result);
  }
  const Labels up_{{"__name__", "odoo_up"}, {"tenant", "a"}, {"instance", "o1"}};
  Sandbox sandbox_;
  test::FakeSource source_;
};

TEST_F(BacktestSloTest, ABurningBudgetPagesAndItsEndIsKnown) {
  const auto result = play(kNoGroups, at(96h), at(119h));
  ASSERT_EQ(result.incidents.size(), 1U);
  const auto& one = result.incidents[0];
  EXPECT_EQ(one.incident.root_alert, "up-ok");
  EXPECT_EQ(one.incident.cls, AlertClass::urgent);
  EXPECT_THAT(one.receivers, ElementsAre("app"));
  // An hour of which more than 14.4% are bad: nine minutes.
  EXPECT_GE(one.incident.opened_at, at(99h + 8min));
  EXPECT_LE(one.incident.opened_at, at(99h + 10min));
  EXPECT_LT(one.incident.resolved_at, at(99h + 45min));
}

TEST_F(BacktestSloTest, EachSloIsToldOverTheTimeThatWasAskedFor) {
  const auto result = play(kNoGroups, at(96h), at(116h));
  ASSERT_EQ(result.levels.size(), 1U);
  const auto& level = result.levels[0];
  EXPECT_EQ(level.over.slo, "up-ok");
  EXPECT_EQ(level.over.group, (Labels{{"tenant", "a"}}));
  ASSERT_TRUE(level.over.sli.has_value());
  EXPECT_NEAR(*level.over.sli, 1 - 0.5 / 20, 1e-4);
  EXPECT_NEAR(*level.over.budget_remaining, 1 - 0.5 / 20 / 0.01, 1e-2);
  EXPECT_NEAR(level.over.coverage, 1, 1e-3);
  // Its own period has also the four days before.
  ASSERT_TRUE(level.budget_left.has_value());
  EXPECT_NEAR(*level.budget_left, 1 - 0.5 / 116 / 0.01, 1e-2);
  EXPECT_EQ(level.incidents, 1U);
  EXPECT_EQ(level.pages, 1U);
}

TEST_F(BacktestSloTest, EventsWherePiecesMeetAreCountedOnce) {
  const Labels total{{"__name__", "odoo_up"}, {"tenant", "b"}};
  source_.add(total, at(90h), at(120h), 15s, 1, 0);
  const auto result = play(kNoGroups, at(96h), at(116h));
  ASSERT_EQ(result.levels.size(), 2U);
  // Four samples a minute, each one event: none is lost or doubled where pieces, hours and the warm-up meet.
  for (const auto& level : result.levels) EXPECT_NEAR(level.over.events, 20 * 240, 5) << to_string(level.over.group);
}

TEST_F(BacktestSloTest, WhatBurnedBeforeTheTimeIsNotTold) {
  const auto result = play(kNoGroups, at(99h + 20min), at(110h));
  EXPECT_THAT(result.incidents, IsEmpty());
}

TEST_F(BacktestSloTest, StepsOfAMinuteSeeTheSameBudget) {
  const auto fine = play(kNoGroups, at(96h), at(116h));
  const auto coarse = play(kNoGroups, at(96h), at(116h), 10min);
  ASSERT_EQ(coarse.levels.size(), 1U);
  EXPECT_EQ(coarse.levels[0].over, fine.levels[0].over);
  EXPECT_EQ(coarse.incidents.size(), 1U);
}

TEST_F(BacktestSloTest, SamplesThatOnlySlosCountAreNotStored) {
  const auto result = play(kNoGroups, at(96h), at(116h));
  EXPECT_GT(result.samples, 20U * 240);
  EXPECT_EQ(result.series, 1U);
  EXPECT_EQ(sandbox_.store().head().stats().samples, 0U);
}

TEST_F(BacktestSloTest, RulesReadWhatSlosWriteNowAndNotWhatWasStored) {
  source_.add({{"__name__", "ward_slo_burn_rate"}, {"slo", "up-ok"}, {"window", "1h"}}, at(0h), at(120h), 15s, 99);
  source_.add({{"__name__", "ward_slo_burn_rate"}, {"slo", "of-another-file"}, {"window", "1h"}}, at(0h), at(120h), 15s, 1);
  const auto result = play(
      "groups: [{name: g, interval: 15s, rules: [{alert: Burns, expr: 'max by (tenant) (ward_slo_burn_rate{slo=\"up-ok\","
      "window=\"1h\"}) > 2', labels: {class: actionable, owner: application, service: odoo}}, {record: other, expr: "
      "'ward_slo_burn_rate{slo=\"of-another-file\"}'}]}]",
      at(98h), at(104h));
  ASSERT_EQ(result.incidents.size(), 1U);
  std::vector<std::string> alerts;
  for (const auto& alert : result.incidents[0].incident.alerts) alerts.emplace_back(alert.labels.get("alertname"));
  EXPECT_THAT(alerts, AllOf(Contains("up-ok"), Contains("Burns")));
  EXPECT_THAT(source_.taken, Contains("ward_slo_burn_rate"));
  EXPECT_EQ(result.series, 2U);  // odoo_up and the other file's burn rate
}

}  // namespace
}  // namespace ward::collector
