// What fires and falls silent.
#include "collector/alerting/missing_data.hpp"

#include <gmock/gmock.h>

#include "collector/alerting/promql_expression.hpp"
#include "collector/tsdb/head.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/unit/collector/alerting/fake_expressions.hpp"

namespace ward::collector {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

/// Rules over a real head, evaluated each 30 s of virtual time.
class MissingData : public testing::Test {
 protected:
  void load(const std::string& expr, milliseconds keep = hours(6)) {
    auto context = make_rule_context(compiler_, {}, {});
    context.keep_silent = keep;
    rules_.emplace(std::move(context), clock_, output_);
    auto load = test::load_text("groups: [{name: g, interval: 30s, rules: [{alert: A, expr: '" + expr +
                                    "', labels: {class: actionable, service: s}}]}]",
                                compiler_);
    ASSERT_TRUE(load.errors.empty()) << load.to_error().what;
    rules_->reload(load.rules, clock_.wall());
  }
  void sample(const std::string& name, double value, const std::string& instance = "db") {
    const Labels labels{{"__name__", name}, {"instance", instance}, {"tenant", "a"}};
    const RefSample one{head_.get_or_create(labels), clock_.wall(), value};
    head_.append(std::span(&one, 1));
  }
  /// What one evaluation tells: "firing db", "firing db silent", "resolved db".
  std::vector<std::string> step() {
    clock_.advance(seconds(30));
    std::vector<std::string> out;
    for (const auto& e : rules_->evaluate(0, clock_.wall()))
      out.push_back(std::string(to_string(e.phase)) + " " + std::string(e.labels.get("instance")) +
                    (e.silent ? " silent" : ""));
    return out;
  }
  std::vector<std::string> steps(milliseconds time) {
    std::vector<std::string> out;
    for (milliseconds passed{0}; passed < time; passed += seconds(30))
      for (auto& line : step()) out.push_back(std::move(line));
    return out;
  }

  test::ManualClock clock_;
  Head head_{HeadOptions{.max_sample_age = milliseconds{0}}};
  promql::Engine engine_{clock_};
  PromqlCompiler compiler_{engine_, head_};
  test::RecordedOutput output_;
  std::optional<RuleEngine> rules_;
};

TEST_F(MissingData, AnAlertWhoseDataFallsSilentFiresOnUntilItIsHeardAgain) {
  load("up == 0");
  sample("up", 0);
  EXPECT_THAT(step(), ElementsAre("firing db"));
  EXPECT_THAT(steps(minutes(30)), ElementsAre("firing db silent")) << "told once, and never as resolved";
  sample("up", 0);
  EXPECT_THAT(step(), ElementsAre("firing db"));
  sample("up", 1);
  EXPECT_THAT(step(), ElementsAre("resolved db"));
}

TEST_F(MissingData, EndsWithItsSeries) {
  load("up == 0");
  sample("up", 0);
  step();
  sample("up", stale_marker());
  EXPECT_THAT(step(), ElementsAre("resolved db"));
}

TEST_F(MissingData, EndsWhenItHasBeenSilentForTooLong) {
  load("up == 0", hours(1));
  sample("up", 0);
  step();
  EXPECT_THAT(steps(minutes(59)), ElementsAre("firing db silent"));
  EXPECT_THAT(steps(minutes(2)), ElementsAre("resolved db"));
}

TEST_F(MissingData, EndsAsInPrometheusWhenNothingIsToBeKept) {
  load("up == 0", milliseconds(0));
  sample("up", 0);
  step();
  EXPECT_THAT(steps(minutes(6)), ElementsAre("resolved db"));
}

TEST_F(MissingData, AnotherInstanceThatIsHeardSaysNothingOfThisOne) {
  load("up == 0");
  sample("up", 0, "db");
  step();
  for (int i = 0; i < 30; ++i) {
    sample("up", 1, "other");
    EXPECT_THAT(step(), testing::Each(testing::StrEq("firing db silent")));
  }
}

TEST_F(MissingData, OneSideOfAConditionThatFallsSilentKeepsIt) {
  load("lag > 5 and on (tenant) load > 2");
  sample("lag", 9);
  sample("load", 9);
  EXPECT_THAT(step(), ElementsAre("firing db"));
  std::vector<std::string> told;
  for (int i = 0; i < 20; ++i) {
    sample("lag", 9);
    for (auto& line : step()) told.push_back(std::move(line));
  }
  EXPECT_THAT(told, ElementsAre("firing db silent"));
  sample("load", 1);
  EXPECT_THAT(step(), ElementsAre("resolved db"));
}

TEST_F(MissingData, AnAggregateIsKnownWhileAnyOfItsSeriesIsHeard) {
  load("sum by (tenant) (errors) > 5");
  sample("errors", 4, "a");
  sample("errors", 4, "b");
  EXPECT_THAT(step(), testing::SizeIs(1));
  std::vector<std::string> told;
  for (int i = 0; i < 20; ++i) {
    sample("errors", 4, "a");
    for (auto& line : step()) told.push_back(std::move(line));
  }
  EXPECT_THAT(told, ElementsAre("resolved "));
}

TEST_F(MissingData, ARateFallsSilentWithTheSecondLastSample) {
  load("rate(errors[2m]) > 0.01");
  double errors = 0;
  std::vector<std::string> told;
  for (int i = 0; i < 4; ++i) {
    sample("errors", errors += 100);
    for (auto& line : step()) told.push_back(std::move(line));
  }
  EXPECT_THAT(told, ElementsAre("firing db"));
  EXPECT_THAT(steps(minutes(20)), ElementsAre("firing db silent"));
  sample("errors", errors);
  step();
  sample("errors", errors);
  EXPECT_THAT(steps(minutes(1)), ElementsAre("resolved db")) << "two samples say that nothing grows";
}

TEST_F(MissingData, AskingForAbsenceAndForMoreIsNotOfAbsence) {
  load("up == 0 or absent(up)");
  EXPECT_THAT(step(), testing::SizeIs(1));
  EXPECT_FALSE(rules_->current().at(0).of_absence);
}

TEST_F(MissingData, WhatWasMissingAndComesBackIsWell) {
  load("absent(up)");
  EXPECT_THAT(step(), testing::SizeIs(1));
  EXPECT_TRUE(rules_->current().at(0).of_absence);
  sample("up", 1);
  EXPECT_THAT(step(), testing::SizeIs(1));
  EXPECT_EQ(rules_->current().at(0).phase, AlertPhase::resolved);
}

}  // namespace
}  // namespace ward::collector
