#include "collector/rehearsal/backtest.hpp"

#include <array>
#include <gmock/gmock.h>

#include "collector/alerting/rule_file.hpp"
#include "tests/unit/collector/rehearsal/fake_source.hpp"

namespace ward::collector {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Time kDay = from_ms(1'795'392'000'000);  // 2026-11-23
Time at(milliseconds after) { return kDay + after; }

Result<std::string> no_file(const std::string&) { return fail(Errc::not_found, "", ""); }

constexpr const char* kRules = R"(groups:
- name: g
  interval: 15s
  rules:
  - {record: 'up:min', expr: min(up)}
  - {alert: Down, expr: up:min == 0, for: 1m, labels: {class: actionable, owner: database, service: pg}}
)";

class BacktestTest : public testing::Test {
 protected:
  BacktestTest() {
    // Up for two days, but for ten minutes on the second.
    source_.add(up_, at(0h), at(30h), 15s, 1);
    source_.add(up_, at(30h), at(30h + 10min), 15s, 0);
    source_.add(up_, at(30h + 10min), at(48h), 15s, 1);
  }
  std::shared_ptr<const RuleSet> rules(const std::string& text) {
    const std::array<RuleText, 1> files{{{"r.yaml", text}}};
    auto load = parse_rules(files, sandbox_.compiler(), {}, no_file);
    EXPECT_NE(load.rules, nullptr) << load.to_error().what;
    return load.rules;
  }
  Result<BacktestResult> play(const std::string& text, Time since, Time until, milliseconds step = 0s) {
    auto book = std::make_shared<Rulebook>();
    RoutingTable routing;
    routing.owners["database"] = {.receiver = "db", .fallback = ""};
    routing.fallback_receiver = "all";
    book->routing = routing;
    return backtest(sandbox_, {.rules = rules(text), .external_labels = {}, .external_url = "", .book = book}, source_,
                    {.since = since, .until = until, .step = step});
  }
  const Labels up_{{"__name__", "up"}, {"job", "pg"}, {"tenant", "a"}};
  Sandbox sandbox_;
  test::FakeSource source_;
};

TEST_F(BacktestTest, FindsWhatWouldHavePagedAndItsEnd) {
  const auto result = play(kRules, at(1h), at(47h));
  ASSERT_TRUE(result.has_value()) << result.error().what;
  EXPECT_THAT(result->failing, IsEmpty());
  ASSERT_EQ(result->incidents.size(), 1U);
  const auto& one = result->incidents[0];
  EXPECT_EQ(one.incident.root_alert, "Down");
  EXPECT_GE(one.incident.opened_at, at(30h + 1min));
  EXPECT_LT(one.incident.opened_at, at(30h + 3min)) << "a ticket waits a minute for its cause";
  EXPECT_GE(one.incident.resolved_at, at(30h + 10min));
  EXPECT_LT(one.incident.resolved_at, at(30h + 12min));
  EXPECT_EQ(one.pages, 1U);
  EXPECT_THAT(one.receivers, ElementsAre("db"));
  EXPECT_EQ(result->series, 1U);
}

TEST_F(BacktestTest, RulesAreEvaluatedAsOftenAsTheCollectorDoes) {
  const auto result = play(kRules, at(1h), at(2h));
  // Four times a minute for an hour and the half hour before it.
  EXPECT_NEAR(static_cast<double>(result->evaluations), 360, 2);
}

TEST_F(BacktestTest, AStepIsFasterAndBlindToShortFaults) {
  const auto minutes = play(kRules, at(1h), at(47h), 1min);
  EXPECT_LT(minutes->evaluations, 2'900U);
  EXPECT_EQ(minutes->incidents.size(), 1U);
  EXPECT_THAT(play(kRules, at(1h), at(47h), 1h)->incidents, IsEmpty());
}

TEST_F(BacktestTest, MemoryHoldsWhatRulesStillLookAt) {
  const auto result = play(kRules, at(1h), at(47h));
  EXPECT_GT(result->samples, 11'000U);
  EXPECT_LT(sandbox_.store().head().stats().samples, 2'000U);
}

TEST_F(BacktestTest, WhatOpenedBeforeTheTimeIsNotTold) {
  EXPECT_THAT(play(kRules, at(30h + 5min), at(47h))->incidents, IsEmpty());
  EXPECT_EQ(play(kRules, at(30h + 30s), at(47h))->incidents.size(), 1U);
}

TEST_F(BacktestTest, AnIncidentThatStillRunsIsOpen) {
  const auto result = play(kRules, at(1h), at(30h + 5min));
  ASSERT_EQ(result->incidents.size(), 1U);
  EXPECT_EQ(result->incidents[0].incident.phase, IncidentPhase::open);
}

TEST_F(BacktestTest, OnlySeriesThatRulesReadAreLoaded) {
  source_.add({{"__name__", "other"}}, at(0h), at(48h), 1min, 1);
  source_.add({{"__name__", "up:min"}}, at(0h), at(48h), 1min, 0);  // as other rules once recorded it
  const auto result = play(kRules, at(1h), at(29h));
  EXPECT_THAT(result->incidents, IsEmpty());
  EXPECT_THAT(source_.taken, testing::Each("up"));
  EXPECT_FALSE(source_.taken.empty());
}

TEST_F(BacktestTest, RulesThatLookFarBackGetTheirSamples) {
  const auto result = play(
      "groups: [{name: g, interval: 5m, rules: [{alert: Full, expr: 'count_over_time(up[20h]) > 4790', labels: {class: "
      "actionable, owner: database, service: pg}}]}]",
      at(21h), at(22h));
  EXPECT_EQ(result->incidents.size(), 0U);  // it fires from before the time that was asked for
  const auto later = play(
      "groups: [{name: g, interval: 5m, rules: [{alert: Full, expr: 'count_over_time(up[20h]) > 4790', labels: {class: "
      "actionable, owner: database, service: pg}}]}]",
      at(19h + 50min), at(22h));
  EXPECT_EQ(later->incidents.size(), 1U);
}

TEST_F(BacktestTest, BaselinesSeeTheWeeksBefore) {
  const Labels jobs{{"__name__", "jobs"}, {"tenant", "a"}};
  source_.add(jobs, at(-29 * 24h), at(3h), 5min, 10);
  source_.add(jobs, at(3h), at(4h), 5min, 50);
  const auto result = play(
      "groups: [{name: g, interval: 1m, rules: [{alert: Much, expr: 'jobs > 2 * ward_baseline(jobs, 0.95, \"weeks=4\")', "
      "labels: "
      "{class: actionable, owner: database, service: pg}}]}]",
      at(1h), at(4h));
  ASSERT_TRUE(result.has_value()) << result.error().what;
  ASSERT_EQ(result->incidents.size(), 1U);
  EXPECT_GE(result->incidents[0].incident.opened_at, at(3h));
  EXPECT_LT(result->incidents[0].incident.opened_at, at(3h + 2min));
}

TEST_F(BacktestTest, ARuleThatFailsIsCounted) {
  source_.add({{"__name__", "up"}, {"job", "odoo"}, {"tenant", "a"}}, at(1h), at(2h), 15s, 1);
  const auto result =
      play("groups: [{name: g, interval: 1m, rules: [{record: r, expr: 'up / ignoring (job) up'}]}]", at(1h), at(2h));
  ASSERT_EQ(result->failing.count("r"), 1U);
  EXPECT_GT(result->failing.at("r").times, 50U);
  EXPECT_THAT(result->failing.at("r").why, testing::HasSubstr("many-to-many"));
}

TEST_F(BacktestTest, ADiskThatFailsEndsIt) {
  source_.break_at(at(20h));
  const auto result = play(kRules, at(1h), at(47h));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().what, "the disk is gone");
}

TEST_F(BacktestTest, RuleReadsTellsSelectorsByAllTheirMatchers) {
  const RuleReads reads(*rules(R"(groups:
- name: g
  query_offset: 2m
  rules:
  - {alert: A, expr: 'rate(a{x="1"}[10m]) > 1', for: 7m}
  - {alert: B, expr: '{__name__=~"b.+",y!=""} offset 1h > 1'}
  - {record: 'c', expr: d}
  - {alert: C, expr: c > 1, keep_firing_for: 9m}
)"));
  const auto wants = [&](Labels labels) { return reads.wants(labels); };
  EXPECT_TRUE(wants({{"__name__", "a"}, {"x", "1"}}));
  EXPECT_FALSE(wants({{"__name__", "a"}, {"x", "2"}}));
  EXPECT_TRUE(wants({{"__name__", "bcd"}, {"y", "1"}}));
  EXPECT_FALSE(wants({{"__name__", "bcd"}}));
  EXPECT_TRUE(wants({{"__name__", "d"}}));
  EXPECT_FALSE(wants({{"__name__", "c"}}));
  EXPECT_FALSE(wants({{"__name__", "ALERTS"}, {"y", "1"}}));
  EXPECT_GE(reads.lookback(), 65min);
  EXPECT_EQ(reads.hold(), 9min);
}

PagedIncident incident(const char* alert, Time opened, Time resolved, const char* owner = "database") {
  PagedIncident out;
  out.incident.id = std::string(alert) + std::to_string(to_ms(opened));
  out.incident.phase = resolved == Time::max() ? IncidentPhase::open : IncidentPhase::resolved;
  out.incident.root_alert = alert;
  out.incident.root_service = "pg";
  out.incident.owner = owner;
  out.incident.opened_at = opened;
  out.incident.resolved_at = resolved;
  AlertEvent member;
  member.labels = Labels{{"alertname", alert}, {"service", "pg"}};
  out.incident.alerts.push_back(member);
  return out;
}

std::vector<BacktestRow::Kind> kinds(std::span<const PagedIncident> now, std::span<const PagedIncident> before) {
  std::vector<BacktestRow::Kind> out;
  for (const auto& row : compare_incidents(now, before)) out.push_back(row.kind);
  return out;
}

using Kind = BacktestRow::Kind;

TEST(CompareIncidents, OneCauseAtOneTimeIsTheSame) {
  const std::array now{incident("A", at(1h), at(2h))};
  EXPECT_THAT(kinds(now, std::array{incident("A", at(1h + 10s), at(2h))}), ElementsAre(Kind::same));
  EXPECT_THAT(kinds(now, std::array{incident("A", at(3h), at(4h))}), ElementsAre(Kind::added, Kind::gone));
  EXPECT_THAT(kinds(now, std::array{incident("B", at(1h), at(2h))}), ElementsAre(Kind::gone, Kind::added));
}

TEST(CompareIncidents, AnotherOwnerClassOrCauseIsAChange) {
  const std::array now{incident("A", at(1h), at(2h))};
  EXPECT_THAT(kinds(now, std::array{incident("A", at(1h), at(2h), "platform")}), ElementsAre(Kind::changed));
  auto under = incident("Root", at(1h), at(2h));
  under.incident.alerts.push_back(now[0].incident.alerts[0]);
  EXPECT_THAT(kinds(now, std::array{under}), ElementsAre(Kind::changed));
}

TEST(CompareIncidents, TheNearestOfTwoIsTaken) {
  const std::array now{incident("A", at(1h), at(1h + 5min)), incident("A", at(1h + 8min), at(2h))};
  const auto rows = compare_incidents(now, std::array{incident("A", at(1h + 7min), at(2h))});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].kind, Kind::added);
  EXPECT_EQ(rows[1].kind, Kind::same);
}

TEST(CompareIncidents, AnOpenIncidentReachesToTheEnd) {
  EXPECT_THAT(kinds(std::array{incident("A", at(1h), Time::max())}, std::array{incident("A", at(9h), Time::max())}),
              ElementsAre(Kind::same));
}

TEST(PagedIncidents, PagesOfAMergedIncidentAreTheOthers) {
  auto old = incident("A", at(1h), at(2h)).incident;
  auto merged = incident("B", at(1h + 1min), at(2h)).incident;
  merged.merged_into = old.id;
  const std::array incidents{old, merged};
  const std::array<Page, 3> pages{{{old.id, "db"}, {merged.id, "app"}, {"from before", "db"}}};
  const auto out = paged_incidents(incidents, pages, at(0h), at(3h));
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].pages, 2U);
  EXPECT_THAT(out[0].receivers, ElementsAre("app", "db"));
  EXPECT_THAT(paged_incidents(incidents, pages, at(2h), at(3h)), IsEmpty());
}

}  // namespace
}  // namespace ward::collector
