#include "collector/alerting/alert_states.hpp"

#include <gmock/gmock.h>

#include "tests/unit/collector/alerting/fake_expressions.hpp"

namespace ward::collector {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Time kStart = from_ms(1'764'000'000'000);

/// Drives one rule through virtual time. A script is one character per step of 30 s: 'x' the series is there, '.' it is
/// not. Events come back as "12 firing": the second and the phase.
class Timeline {
 public:
  explicit Timeline(const std::string& timing, std::size_t limit = 0) : limit_(limit) {
    test::FakeQueries queries;
    auto load = test::load_text("groups: [{name: g, rules: [{alert: A, expr: up" + timing + "}]}]", queries);
    EXPECT_TRUE(load.errors.empty()) << load.to_error().what;
    rules_ = load.rules;
  }

  std::vector<std::string> run(const std::string& script) {
    std::vector<std::string> log;
    for (const char c : script) {
      Vector result;
      if (c == 'x') result.push_back({Labels{{"job", "pg"}}, 1});
      std::vector<AlertEvent> events;
      EXPECT_TRUE(states_.advance(rule(), {}, result, limit_, now_, events, series_));
      note(events, log);
      now_ += seconds(30);
    }
    return log;
  }

  std::vector<std::string> reload(const std::string& timing) {
    test::FakeQueries queries;
    rules_ = test::load_text("groups: [{name: g, rules: [{alert: A, expr: up" + timing + "}]}]", queries).rules;
    std::vector<AlertEvent> events;
    states_.apply(rule(), now_, events);
    std::vector<std::string> log;
    note(events, log);
    return log;
  }

  /// The process dies and comes back `later`.
  void restart(milliseconds later) {
    const auto saved = states_.save("g", rule());
    now_ += later;
    states_ = AlertStates{};
    for (const auto& state : saved) states_.restore(state, now_);
  }

  void step_clock(milliseconds by) { now_ += by; }
  [[nodiscard]] Time next_due() const { return states_.next_due(rule(), now_ - seconds(30)); }
  [[nodiscard]] std::vector<AlertEvent> current() const { return states_.current(rule()); }
  [[nodiscard]] const Rule& rule() const { return rules_->groups[0].rules[0]; }
  AlertStates states_;
  std::vector<SeriesValue> series_;

 private:
  void note(const std::vector<AlertEvent>& events, std::vector<std::string>& log) const {
    for (const auto& e : events)
      log.push_back(std::to_string((now_ - kStart) / seconds(1)) + " " + std::string(to_string(e.phase)));
  }
  std::shared_ptr<const RuleSet> rules_;
  Time now_ = kStart;
  std::size_t limit_;
};

struct Row {
  std::string name;
  std::string timing;
  std::string script;
  std::vector<std::string> events;
};

TEST(AlertStates, FollowPrometheusThroughTime) {
  const std::vector<Row> rows{
      {"fires at once without for", "", "x", {"0 firing"}},
      {"fires when for is reached and not before", ", for: 1m", "xxxx", {"0 pending", "60 firing"}},
      {"a gap starts the hold over", ", for: 1m", "xx.xxx", {"0 pending", "60 resolved", "90 pending", "150 firing"}},
      {"resolves at once without keep_firing_for", ", for: 30s", "xx..", {"0 pending", "30 firing", "60 resolved"}},
      {"keeps firing counted from the first miss", ", keep_firing_for: 1m", "x....", {"0 firing", "90 resolved"}},
      {"a return resets keep_firing_for", ", keep_firing_for: 1m", "x..x....", {"0 firing", "180 resolved"}},
      {"pending does not use keep_firing_for", ", for: 1m, keep_firing_for: 5m", "x.", {"0 pending", "30 resolved"}},
      {"a flapping series with keep_firing_for fires once", ", keep_firing_for: 2m", "x.x.x.x.x", {"0 firing"}},
      {"a flapping series without it fires each time", "", "x.x.", {"0 firing", "30 resolved", "60 firing", "90 resolved"}},
      {"an alert that returns after its end is a new one",
       ", for: 30s",
       "xx.xx",
       {"0 pending", "30 firing", "60 resolved", "90 pending", "120 firing"}},
  };
  for (const auto& row : rows) EXPECT_EQ(Timeline(row.timing).run(row.script), row.events) << row.name;
}

TEST(AlertStates, KeepAResolvedAlertForAQuarterOfAnHour) {
  Timeline line("");
  line.run("x.");
  ASSERT_EQ(line.current().size(), 1U);
  EXPECT_EQ(line.current()[0].phase, AlertPhase::resolved);
  EXPECT_EQ(line.current()[0].resolved_at, kStart + seconds(30));
  line.run(std::string(30, '.'));
  EXPECT_EQ(line.current().size(), 1U);
  line.run(".");
  EXPECT_THAT(line.current(), IsEmpty());
}

TEST(AlertStates, WriteTheMetaSeriesOfLiveAlertsOnly) {
  Timeline line(", for: 1m");
  const auto shown = [&] {
    std::vector<std::string> out;
    for (const auto& s : line.series_) out.push_back(to_string(s.series));
    line.series_.clear();
    return out;
  };
  line.run("x");
  EXPECT_EQ(line.series_[1].value, to_seconds(kStart));
  EXPECT_THAT(shown(), ElementsAre("ALERTS{alertname=\"A\", alertstate=\"pending\", job=\"pg\"}",
                                   "ALERTS_FOR_STATE{alertname=\"A\", job=\"pg\"}"));
  line.run("x");
  line.series_.clear();
  line.run("x");
  EXPECT_THAT(shown(), ElementsAre("ALERTS{alertname=\"A\", alertstate=\"firing\", job=\"pg\"}",
                                   "ALERTS_FOR_STATE{alertname=\"A\", job=\"pg\"}"));
  line.run(".");
  EXPECT_THAT(shown(), IsEmpty());
}

TEST(AlertStates, KnowTheMomentAHoldEnds) {
  Timeline line(", for: 50s, keep_firing_for: 40s");
  line.run("x");
  EXPECT_EQ(line.next_due(), kStart + seconds(50));
  line.run("xx");
  EXPECT_EQ(line.next_due(), Time::max());
  line.run(".");
  EXPECT_EQ(line.next_due(), kStart + seconds(90 + 40));
}

TEST(AlertStates, KeepFiringAcrossARestart) {
  Timeline line(", for: 1m");
  line.run("xxx");
  line.restart(minutes(2));
  EXPECT_THAT(line.run("xx"), IsEmpty());
  EXPECT_EQ(line.current()[0].active_at, kStart);
}

TEST(AlertStates, DoNotResolveWhileAgentsReconnectAfterARestart) {
  Timeline line("");
  line.run("x");
  line.restart(minutes(10));
  EXPECT_THAT(line.run(".x"), IsEmpty());
  line.restart(minutes(10));
  EXPECT_EQ(line.run("...").size(), 1U) << "but the grace ends";
}

TEST(AlertStates, KeepKeepFiringForAcrossARestart) {
  Timeline line(", keep_firing_for: 5m");
  line.run("x.");            // the miss was at 30 s
  line.restart(minutes(3));  // 240 s
  EXPECT_THAT(line.run(std::string(20, '.')), ElementsAre("330 resolved"));
}

TEST(AlertStates, DoNotCountAnOutageTowardsFor) {
  Timeline line(", for: 2m");
  line.run("xxx");           // pending for 60 s, last seen at 60
  line.restart(minutes(5));  // 90 s + 5 m = 390: the outage is 330 s
  EXPECT_THAT(line.run("xxx"), ElementsAre("450 firing"));
}

TEST(AlertStates, StartAPendingAlertOverAfterALongOutage) {
  Timeline line(", for: 1m");
  line.run("x");
  line.restart(minutes(61));
  EXPECT_THAT(line.run("xxx"), ElementsAre("3690 pending", "3750 firing"));
}

TEST(AlertStates, PutAFiringAlertBackToPendingWhenForIsRaised) {
  Timeline line(", for: 30s");
  line.run("xx");
  EXPECT_THAT(line.reload(", for: 5m"), ElementsAre("60 resolved", "60 pending"));
  EXPECT_THAT(line.run(std::string(10, 'x')), ElementsAre("300 firing"));
}

TEST(AlertStates, LeaveAFiringAlertAloneWhenForIsLoweredOrLongPast) {
  Timeline line(", for: 1m");
  line.run("xxxx");
  EXPECT_THAT(line.reload(", for: 90s"), IsEmpty());
  EXPECT_THAT(line.reload(", for: 0s"), IsEmpty());
  EXPECT_THAT(line.run("x"), IsEmpty());
}

TEST(AlertStates, FireAPendingAlertAtOnceWhenForIsLoweredBelowItsAge) {
  Timeline line(", for: 10m");
  line.run("xxx");
  line.reload(", for: 1m");
  EXPECT_THAT(line.run("x"), ElementsAre("90 firing"));
}

TEST(AlertStates, StartTheHoldOverWhenTheClockStepsBack) {
  Timeline line(", for: 1m");
  line.run("x");
  line.step_clock(-std::chrono::hours(1));
  EXPECT_THAT(line.run("xxxx"), ElementsAre("-3510 firing"));
}

TEST(AlertStates, DoNotEndWhatFiresWhenRulesAreReloadedAfterTheClockSteppedBack) {
  Timeline line(", for: 1m");
  line.run("xxxx");
  line.step_clock(-std::chrono::hours(1));
  EXPECT_THAT(line.reload(", for: 1m"), IsEmpty());
  EXPECT_THAT(line.run("xx"), IsEmpty());
  EXPECT_THAT(line.reload(", for: 1m"), IsEmpty());
  EXPECT_EQ(line.current().at(0).phase, AlertPhase::firing);
}

TEST(AlertStates, FailTheWholeEvaluationOnOneLabelSetTwice) {
  Timeline line(", labels: {job: same}");
  line.run("x");
  std::vector<AlertEvent> events;
  std::vector<SeriesValue> series;
  const Vector twice{{Labels{{"job", "a"}}, 1}, {Labels{{"job", "b"}}, 1}};
  const auto done = line.states_.advance(line.rule(), {}, twice, 0, kStart + minutes(1), events, series);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().what, "vector contains metrics with the same labelset after applying alert labels");
  EXPECT_THAT(events, IsEmpty());
  EXPECT_EQ(line.current().size(), 1U);
}

TEST(AlertStates, DropEveryAlertOverTheLimitAndSaySo) {
  Timeline line("", 1);
  line.run("x");
  std::vector<AlertEvent> events;
  std::vector<SeriesValue> series;
  const Vector two{{Labels{{"job", "pg"}}, 1}, {Labels{{"job", "b"}}, 1}};
  const auto done = line.states_.advance(line.rule(), {}, two, 1, kStart + minutes(1), events, series);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().what, "exceeded limit of 1 with 2 alerts");
  EXPECT_THAT(line.current(), IsEmpty());
  EXPECT_THAT(series, IsEmpty());
  EXPECT_EQ(std::count_if(events.begin(), events.end(), [](const auto& e) { return e.phase == AlertPhase::resolved; }), 2);
}

TEST(AlertStates, RenderLabelsAndAnnotationsAndFollowTheValue) {
  Timeline line(
      R"(, labels: {team: "{{ $labels.job }}-team"}, annotations: {summary: "at {{ $value }}", bad: "{{ humanize $labels.job }}"})");
  std::vector<AlertEvent> events;
  std::vector<SeriesValue> series;
  const auto at = [&](double value, Time now) {
    ASSERT_TRUE(
        line.states_.advance(line.rule(), {}, {{Labels{{"__name__", "up"}, {"job", "pg"}}, value}}, 0, now, events, series));
  };
  at(1, kStart);
  at(2, kStart + seconds(5));
  ASSERT_EQ(line.current().size(), 1U);
  const auto alert = line.current()[0];
  EXPECT_EQ(alert.labels, (Labels{{"alertname", "A"}, {"job", "pg"}, {"team", "pg-team"}}));
  EXPECT_EQ(alert.annotations.get("summary"), "at 2");
  EXPECT_TRUE(alert.annotations.get("bad").starts_with("<error expanding template: error executing template __alert_A:"));
  EXPECT_EQ(alert.value, 2);
}

}  // namespace
}  // namespace ward::collector
