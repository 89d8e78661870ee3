#include "collector/alerting/engine.hpp"

#include <gmock/gmock.h>

#include "tests/support/manual_clock.hpp"
#include "tests/unit/collector/alerting/fake_expressions.hpp"

namespace ward::collector {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

const Vector kOne{{Labels{{"job", "pg"}}, 1}};

class Engine : public testing::Test {
 protected:
  std::shared_ptr<const RuleSet> load(const std::string& groups) {
    auto loaded = test::load_text("groups:\n" + groups, queries_);
    EXPECT_TRUE(loaded.errors.empty()) << loaded.to_error().what;
    return loaded.rules;
  }
  void start(const std::string& groups) { engine_.reload(load(groups), now()); }
  [[nodiscard]] Time now() const { return clock_.wall(); }
  std::vector<AlertEvent> evaluate(std::size_t group = 0) { return engine_.evaluate(group, now()); }

  test::ManualClock clock_;
  test::FakeQueries queries_;
  test::RecordedOutput output_;
  RuleContext context_;
  RuleEngine engine_{context_, clock_, output_};
};

TEST_F(Engine, TicksOnMultiplesOfTheIntervalShiftedByTheGroup) {
  RuleGroup a{.file = "p.yaml", .name = "a", .interval = seconds(15), .rules = {}};
  RuleGroup b{.file = "p.yaml", .name = "b", .interval = seconds(15), .rules = {}};
  const auto first = next_tick(a, now());
  EXPECT_GT(first, now());
  EXPECT_LE(first, now() + seconds(15));
  EXPECT_EQ(next_tick(a, first), first + seconds(15));
  EXPECT_EQ(next_tick(a, first - milliseconds(1)), first);
  EXPECT_NE((next_tick(b, now()) - next_tick(a, now())) % seconds(15), milliseconds(0)) << "groups spread over the interval";
}

TEST_F(Engine, IsDueOnEachTickAndNotBetween) {
  start("- {name: g, interval: 15s, rules: [{alert: A, expr: up}]}");
  EXPECT_THAT(engine_.due(now()), IsEmpty());
  const auto tick = engine_.next_wake(now());
  EXPECT_THAT(engine_.due(tick), ElementsAre(0U));
  engine_.evaluate(0, tick);
  EXPECT_THAT(engine_.due(tick), IsEmpty());
  EXPECT_EQ(engine_.next_wake(tick), tick + seconds(15));
}

TEST_F(Engine, WakesTheMomentAForIsOver) {
  start("- {name: g, interval: 15s, rules: [{alert: A, expr: up, for: 4s}]}");
  queries_.set("up", kOne);
  const auto tick = engine_.next_wake(now());
  engine_.evaluate(0, tick);
  EXPECT_EQ(engine_.next_wake(tick), tick + seconds(4));
  EXPECT_THAT(engine_.due(tick + seconds(4)), ElementsAre(0U));
  const auto events = engine_.evaluate(0, tick + seconds(4));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].phase, AlertPhase::firing);
  EXPECT_EQ(events[0].fired_at - events[0].active_at, seconds(4));
  EXPECT_EQ(engine_.next_wake(tick + seconds(4)), tick + seconds(15)) << "an early evaluation does not move the ticks";
}

TEST_F(Engine, WaitsForTheNextTickWhenTheEvaluationAtTheEndOfAHoldFails) {
  start("- {name: g, interval: 15s, rules: [{alert: A, expr: up, for: 4s}]}");
  queries_.set("up", kOne);
  const auto tick = engine_.next_wake(now());
  engine_.evaluate(0, tick);
  queries_.set_error("up", "query timed out");
  engine_.evaluate(0, tick + seconds(4));
  EXPECT_EQ(engine_.next_wake(tick + seconds(4)), tick + seconds(15));
}

TEST_F(Engine, IsDueAgainAfterTheClockSteppedBack) {
  start("- {name: g, interval: 15s, rules: [{alert: A, expr: up}]}");
  clock_.set_wall(now() - std::chrono::hours(1));
  EXPECT_LE(engine_.next_wake(now()), now() + seconds(15));
  EXPECT_THAT(engine_.due(now()), ElementsAre(0U));
  engine_.evaluate(0, now());
  EXPECT_THAT(engine_.due(now()), IsEmpty());
}

TEST_F(Engine, CountsTheTicksItMissed) {
  start("- {name: g, interval: 15s, rules: [{alert: A, expr: up}]}");
  engine_.evaluate(0, engine_.next_wake(now()) + seconds(46));
  EXPECT_THAT(engine_.snapshot().missed, ElementsAre(3U));
}

TEST_F(Engine, LeavesASnapshotAsItWasThroughAReload) {
  start("- {name: g, interval: 15s, rules: [{alert: A, expr: up}]}");
  engine_.evaluate(0, engine_.next_wake(now()) + seconds(46));
  const auto before = engine_.snapshot();
  start("- {name: other, interval: 15s, rules: [{alert: B, expr: up}, {alert: C, expr: up}]}");
  EXPECT_THAT(before.missed, ElementsAre(3U));
  EXPECT_EQ(before.rules->groups[0].rules.size(), 1U);
  EXPECT_THAT(engine_.snapshot().missed, ElementsAre(0U));
}

TEST_F(Engine, KeepsStateWhenAnEvaluationFails) {
  start("- {name: g, rules: [{alert: A, expr: up}]}");
  queries_.set("up", kOne);
  evaluate();
  queries_.set_error("up", "query timed out");
  clock_.advance(minutes(1));
  EXPECT_THAT(evaluate(), IsEmpty());
  EXPECT_EQ(engine_.current()[0].phase, AlertPhase::firing);
  EXPECT_EQ(engine_.health(0, 0).last_error, "query timed out");
  EXPECT_EQ(engine_.health(0, 0).failures, 1U);
  EXPECT_EQ(engine_.health(0, 0).evaluations, 2U);
  queries_.set("up", kOne);
  EXPECT_THAT(evaluate(), IsEmpty());
  EXPECT_EQ(engine_.health(0, 0).last_error, "");
}

TEST_F(Engine, GoesOnWithTheNextRuleWhenOneFails) {
  start("- {name: g, rules: [{alert: A, expr: broken}, {alert: B, expr: up}]}");
  queries_.set_error("broken", "no");
  queries_.set("up", kOne);
  EXPECT_EQ(evaluate().size(), 1U);
}

TEST_F(Engine, WritesRecordedSeriesBeforeTheNextRuleReads) {
  start("- {name: g, rules: [{record: a:b, expr: up, labels: {team: x}}, {alert: B, expr: a:b}]}");
  queries_.set("up", kOne);
  std::vector<std::string> seen;
  queries_.set_function("a:b", [&](Time) -> Result<Vector> {
    seen = output_.take();
    return Vector{};
  });
  evaluate();
  EXPECT_THAT(seen, ElementsAre("a:b{job=\"pg\", team=\"x\"} = 1"));
}

TEST_F(Engine, MarksSeriesStaleThatARuleNoLongerYields) {
  start("- {name: g, rules: [{record: a:b, expr: up}, {alert: B, expr: down, for: 1m}]}");
  queries_.set("up", kOne);
  queries_.set("down", kOne);
  evaluate();
  output_.take();
  queries_.set("up", {});
  clock_.advance(minutes(1));
  evaluate();
  EXPECT_THAT(output_.take(),
              ElementsAre("a:b{job=\"pg\"} = stale", "ALERTS{alertname=\"B\", alertstate=\"firing\", job=\"pg\"} = 1",
                          "ALERTS_FOR_STATE{alertname=\"B\", job=\"pg\"} = 1764000000",
                          "ALERTS{alertname=\"B\", alertstate=\"pending\", job=\"pg\"} = stale"));
}

TEST_F(Engine, ReadsTheStoreQueryOffsetEarlier) {
  start("- {name: g, query_offset: 10s, rules: [{record: a:b, expr: up}]}");
  Time asked;
  queries_.set_function("up", [&](Time at) -> Result<Vector> {
    asked = at;
    return kOne;
  });
  evaluate();
  EXPECT_EQ(asked, now() - seconds(10));
  EXPECT_EQ(output_.writes[0].at, now() - seconds(10));
}

TEST_F(Engine, FailsARecordingRuleWithOneLabelSetTwice) {
  start("- {name: g, rules: [{record: a:b, expr: up, labels: {job: same}}]}");
  queries_.set("up", {{Labels{{"job", "a"}}, 1}, {Labels{{"job", "b"}}, 2}});
  evaluate();
  EXPECT_EQ(engine_.health(0, 0).last_error, "vector contains metrics with the same labelset after applying rule labels");
  EXPECT_THAT(output_.take(), IsEmpty());
}

TEST_F(Engine, AppliesTheLimitToRecordedSeries) {
  start("- {name: g, limit: 1, rules: [{record: a:b, expr: up}]}");
  queries_.set("up", {{Labels{{"job", "a"}}, 1}, {Labels{{"job", "b"}}, 2}});
  evaluate();
  EXPECT_EQ(engine_.health(0, 0).last_error, "exceeded limit of 1 with 2 series");
}

TEST_F(Engine, NamesTheGroupsWorthEvaluatingOnArrival) {
  start(
      R"(- {name: a, rules: [{alert: A, expr: pg_up == 0, labels: {class: urgent, owner: database}, annotations: {runbook_url: "http://r"}}]}
- {name: b, rules: [{alert: B, expr: pg_up == 0, labels: {class: actionable}}]}
- {name: c, rules: [{alert: C, expr: redis_up == 0, labels: {class: executive, owner: platform}, annotations: {runbook_url: "http://r"}}]}
)");
  const std::vector<std::string> pg{"pg_up", "pg_other"};
  const std::vector<std::string> both{"redis_up", "pg_up"};
  const std::vector<std::string> other{"node_load1"};
  EXPECT_THAT(engine_.groups_reading(pg), ElementsAre(0U));
  EXPECT_THAT(engine_.groups_reading(both), ElementsAre(0U, 2U));
  EXPECT_THAT(engine_.groups_reading(other), IsEmpty());
}

TEST_F(Engine, KeepsStateAcrossAReloadOfTheSameRule) {
  start("- {name: g, rules: [{alert: A, expr: up}]}");
  queries_.set("up", kOne);
  evaluate();
  const auto events = engine_.reload(
      load("- {name: new, rules: []}\n- {name: g, rules: [{alert: A, expr: up, annotations: {a: b}}]}"), now());
  EXPECT_THAT(events, IsEmpty());
  EXPECT_THAT(evaluate(1), IsEmpty()) << "no second fire";
  ASSERT_EQ(engine_.current().size(), 1U);
  EXPECT_EQ(engine_.current()[0].annotations.get("a"), "b");
}

TEST_F(Engine, ResolvesTheAlertsOfARuleThatIsGone) {
  start("- {name: g, rules: [{alert: A, expr: up}]}");
  queries_.set("up", kOne);
  evaluate();
  output_.take();
  const auto events = engine_.reload(load("- {name: g, rules: [{alert: A, expr: up == 0}]}"), now());
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].phase, AlertPhase::resolved);
  EXPECT_THAT(output_.take(), testing::Each(testing::EndsWith("= stale")));
}

TEST_F(Engine, RestoresWhatItSavedAndCountsWhatHasNoRule) {
  const std::string groups = "- {name: g, rules: [{alert: A, expr: up}, {alert: B, expr: down, for: 10m}]}";
  start(groups);
  queries_.set("up", kOne);
  queries_.set("down", kOne);
  evaluate();
  auto saved = engine_.save();
  ASSERT_EQ(saved.size(), 2U);
  EXPECT_EQ(engine_.save(0), saved);

  RuleEngine again{context_, clock_, output_};
  again.reload(load(groups), now());
  auto orphan = saved[0];
  orphan.rule = "gone";
  orphan.labels.set("alertname", "Gone");
  saved.push_back(orphan);
  EXPECT_EQ(again.restore(saved, now()).size(), 1U);
  EXPECT_THAT(again.evaluate(0, now()), IsEmpty());
  EXPECT_EQ(again.current(), engine_.current());
}

/// An alert that fires, its rules edited as the row says, and where it is found then.
struct Edit {
  std::string what;
  std::string rules;
  std::vector<std::string> found;  ///< "group/rule number phase"
};

TEST_F(Engine, GivesAnAlertThatFiresToItsEditedRule) {
  const std::string before = "- {name: g, rules: [{alert: A, expr: up, for: 1m, labels: {class: actionable}}]}";
  const std::string edited = "{alert: A, expr: up > 0, for: 1m, labels: {class: actionable}}";
  const std::vector<Edit> edits{
      {"expression", "- {name: g, rules: [" + edited + "]}", {"g/0 firing"}},
      {"a longer for", "- {name: g, rules: [{alert: A, expr: up, for: 1h, labels: {class: actionable}}]}", {"g/0 firing"}},
      {"a label by template added",
       "- {name: g, rules: [{alert: A, expr: up, labels: {class: actionable, is: '{{ $labels.job }}'}}]}",
       {"g/0 firing"}},
      {"group renamed", "- {name: h, rules: [{alert: A, expr: up, labels: {class: actionable}}]}", {"h/0 firing"}},
      {"its own group first", "- {name: a, rules: [" + edited + "]}\n- {name: g, rules: [" + edited + "]}", {"g/0 firing"}},
      {"the one of two that bears its labels",
       "- {name: g, rules: [{alert: A, expr: up > 1, labels: {class: informational}}, " + edited + "]}",
       {"g/1 firing"}},
      {"rule renamed", "- {name: g, rules: [{alert: B, expr: up, labels: {class: actionable}}]}", {}},
      {"another class", "- {name: g, rules: [{alert: A, expr: up, labels: {class: informational}}]}", {}},
      {"made a recording rule", "- {name: g, rules: [{record: A, expr: up}]}", {}},
      {"rule removed", "- {name: g, rules: []}", {}},
  };
  start(before);
  queries_.set("up", kOne);
  evaluate();
  clock_.advance(minutes(2));
  evaluate();
  ASSERT_EQ(engine_.current().at(0).phase, AlertPhase::firing);
  const auto saved = engine_.save();
  for (const auto& edit : edits) {
    RuleEngine again{context_, clock_, output_};
    again.reload(load(edit.rules), now());
    EXPECT_EQ(again.restore(saved, now()).size(), edit.found.empty() ? 1U : 0U) << edit.what;
    std::vector<std::string> found;
    for (std::size_t g = 0; g < again.rules().groups.size(); ++g) {
      const auto& group = again.rules().groups[g];
      for (const auto& state : again.save(g))
        for (std::size_t r = 0; r < group.rules.size(); ++r)
          if (group.rules[r].identity == state.rule)
            found.push_back(group.name + "/" + std::to_string(r) + " " + std::string(to_string(state.phase)));
    }
    EXPECT_EQ(found, edit.found) << edit.what;
    for (const auto& alert : again.current()) EXPECT_EQ(alert.fired_at, saved[0].fired_at) << edit.what;
  }
}

TEST_F(Engine, LeavesTheAlertsOfAnUneditedRuleToIt) {
  const std::string kept = "{alert: A, expr: up}";
  start("- {name: g, rules: [" + kept + ", {alert: A, expr: down}]}");
  queries_.set("up", kOne);
  queries_.set("down", Vector{{Labels{{"job", "redis"}}, 1}});
  evaluate();
  const auto saved = engine_.save();
  RuleEngine again{context_, clock_, output_};
  again.reload(load("- {name: g, rules: [" + kept + ", {alert: A, expr: down > 0}]}"), now());
  EXPECT_EQ(again.restore(saved, now()).size(), 0U);
  queries_.set("down > 0", Vector{{Labels{{"job", "redis"}}, 1}});
  clock_.advance(kRestoreGrace + seconds(1));
  EXPECT_THAT(again.evaluate(0, now()), IsEmpty()) << "each has its own again: nothing begins, nothing ends";
}

TEST_F(Engine, LetsAPendingAlertOfAnEditedRuleStartOver) {
  start("- {name: g, rules: [{alert: A, expr: up, for: 1h}]}");
  queries_.set("up", kOne);
  evaluate();
  const auto saved = engine_.save();
  RuleEngine again{context_, clock_, output_};
  again.reload(load("- {name: g, rules: [{alert: A, expr: up > 0, for: 1h}]}"), now());
  EXPECT_EQ(again.restore(saved, now()).size(), 1U);
  EXPECT_THAT(again.current(), IsEmpty());
}

TEST_F(Engine, AwaitsARuleUntilItsGroupWasEvaluated) {
  start("- {name: g, rules: [{alert: A, expr: up}, {record: r, expr: up}]}\n- {name: h, rules: [{alert: A, expr: up}]}");
  EXPECT_TRUE(engine_.awaits("A"));
  EXPECT_FALSE(engine_.awaits("r"));
  EXPECT_FALSE(engine_.awaits("B"));
  evaluate(0);
  EXPECT_TRUE(engine_.awaits("A"));
  evaluate(1);
  EXPECT_FALSE(engine_.awaits("A"));
}

TEST_F(Engine, HasNothingToWakeForWithoutRules) { EXPECT_EQ(engine_.next_wake(now()), Time::max()); }

}  // namespace
}  // namespace ward::collector
