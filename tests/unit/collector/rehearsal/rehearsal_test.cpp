#include "collector/rehearsal/rehearsal.hpp"

#include <array>
#include <gmock/gmock.h>

#include "collector/alerting/rule_file.hpp"

namespace ward::collector {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

Time at(milliseconds after) { return from_ms(1'790'000'000'000) + after; }

Result<std::string> no_file(const std::string&) { return fail(Errc::not_found, "", ""); }

class RehearsalTest : public testing::Test {
 protected:
  std::shared_ptr<const RuleSet> rules(const std::string& text) {
    const std::array<RuleText, 1> files{{{"r.yaml", text}}};
    auto load = parse_rules(files, sandbox_.compiler(), {}, no_file);
    EXPECT_NE(load.rules, nullptr) << load.to_error().what;
    return load.rules;
  }
  static std::shared_ptr<const Rulebook> book() {
    auto out = std::make_shared<Rulebook>();
    out->services =
        ServiceMap::make({{.name = "odoo", .owner = "application", .depends_on = {{.to = "pg", .on = {}}}, .scope = {}},
                          {.name = "pg", .owner = "database", .depends_on = {}, .scope = {}}})
            .value();
    out->correlation.settle.actionable = 30s;
    out->correlation.settle_resolve = 0s;
    RoutingTable routing;
    routing.owners["database"] = {.receiver = "db", .fallback = ""};
    routing.fallback_receiver = "all";
    out->routing = routing;
    return out;
  }
  static AlertEvent alert(const char* name, const char* service, Time since) {
    return {.labels = {{"alertname", name}, {"service", service}, {"class", "actionable"}, {"owner", "database"}},
            .annotations = {},
            .phase = AlertPhase::firing,
            .active_at = since,
            .fired_at = since,
            .resolved_at = {},
            .generator = "r"};
  }
  Sandbox sandbox_;
};

TEST_F(RehearsalTest, RulesSeeSamplesAndWhatRulesBeforeThemRecorded) {
  Rehearsal r(sandbox_,
              {.rules = rules("groups: [{name: g, rules: [{record: twice, expr: up * 2}, {alert: A, expr: twice > 3}]}]"),
               .external_labels = {},
               .external_url = "",
               .book = nullptr},
              at(0s));
  const std::array<Sample, 2> samples{{{at(0s), 1}, {at(10s), 2}}};
  sandbox_.store().put(Labels{{"__name__", "up"}}, samples);
  const std::array<std::size_t, 1> groups{0};
  EXPECT_THAT(r.step(at(5s), groups), IsEmpty());
  EXPECT_THAT(r.alerts(), IsEmpty());
  EXPECT_THAT(r.step(at(10s), groups), IsEmpty());
  ASSERT_EQ(r.alerts().size(), 1U);
  EXPECT_EQ(r.alerts()[0].phase, AlertPhase::firing);
  EXPECT_THAT(r.fired(), ElementsAre(Pair(0U, 1U)));
}

TEST_F(RehearsalTest, ARuleThatFailsIsNamedAndTheOthersGoOn) {
  Rehearsal r(sandbox_,
              {.rules = rules(
                   "groups: [{name: g, rules: [{record: bad, expr: 'label_replace(vector(1), \"a\", \"x\", \"\", \"(\")'}, "
                   "{alert: A, expr: vector(1)}]}]"),
               .external_labels = {},
               .external_url = "",
               .book = nullptr},
              at(0s));
  const std::array<std::size_t, 1> groups{0};
  const auto failures = r.step(at(0s), groups);
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_EQ(failures[0].rule, "bad");
  EXPECT_EQ(r.alerts().size(), 1U);
}

TEST_F(RehearsalTest, AHoldEndsAtItsOwnTimeBetweenTwoSteps) {
  Rehearsal r(sandbox_, {.rules = rules("groups: []"), .external_labels = {}, .external_url = "", .book = book()}, at(0s));
  const std::array<AlertEvent, 1> told{alert("Down", "pg", at(0s))};
  r.step(at(0s), {}, told);
  EXPECT_THAT(r.sent(), IsEmpty());
  r.step(at(10min), {});
  ASSERT_EQ(r.sent().size(), 1U);
  EXPECT_EQ(r.sent()[0].at, at(30s));
  EXPECT_EQ(r.sent()[0].receiver, "db");
}

TEST_F(RehearsalTest, WhatIsToldAgainIsSentOnce) {
  Rehearsal r(sandbox_, {.rules = rules("groups: []"), .external_labels = {}, .external_url = "", .book = book()}, at(0s));
  const std::array<AlertEvent, 1> told{alert("Down", "pg", at(0s))};
  for (int minute = 0; minute < 10; ++minute) r.step(at(std::chrono::minutes{minute}), {}, told);
  EXPECT_EQ(r.sent().size(), 1U);
  EXPECT_EQ(r.incidents().size(), 1U);
}

TEST_F(RehearsalTest, TheSameInputGivesTheSamePages) {
  const auto play = [&] {
    Rehearsal r(sandbox_, {.rules = rules("groups: []"), .external_labels = {}, .external_url = "", .book = book()}, at(0s));
    const std::array<AlertEvent, 2> told{alert("Slow", "odoo", at(0s)), alert("Down", "pg", at(5s))};
    r.step(at(5s), {}, told);
    r.step(at(10min), {});
    return r.sent();
  };
  const auto once = play();
  ASSERT_EQ(once.size(), 1U);
  EXPECT_EQ(once[0].notice.incident.root_alert, "Down");
  EXPECT_EQ(once, play());
}

TEST_F(RehearsalTest, GroupsAreDueAsInTheCollector) {
  Rehearsal r(sandbox_,
              {.rules = rules("groups: [{name: g, interval: 10s, rules: [{alert: A, expr: vector(1), for: 14s}]}]"),
               .external_labels = {},
               .external_url = "",
               .book = nullptr},
              at(0s));
  std::vector<milliseconds> evaluated;
  for (Time now = r.next_wake(at(0s)); now < at(60s); now = std::max(r.next_wake(now), now + 1ms)) {
    const auto groups = r.due(now);
    if (groups.empty()) continue;
    r.step(now, groups);
    evaluated.push_back(now - at(0s));
  }
  // Every 10 s, and once more when the hold of 14 s ends: between the second and the third tick.
  ASSERT_EQ(evaluated.size(), 7U);
  EXPECT_EQ(evaluated[1] - evaluated[0], 10s);
  EXPECT_EQ(evaluated[2] - evaluated[0], 14s);
  EXPECT_EQ(evaluated[3] - evaluated[0], 20s);
}

}  // namespace
}  // namespace ward::collector
