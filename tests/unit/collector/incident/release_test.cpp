// How long a symptom may outlast its cause, and an incident its last alert.
#include <gmock/gmock.h>

#include "tests/unit/collector/incident/play.hpp"

namespace ward::collector::test {
namespace {

AlertEvent judged(AlertEvent alert, milliseconds interval, milliseconds reach = 0s) {
  alert.interval = interval;
  alert.reach = reach;
  return alert;
}

TEST(Release, ASymptomHasTheTimeItsRuleNeedsToNotice) {
  Play play;
  play.step(0, {kPrimaryDown.firing(at(0)), judged(kWorkersBusy.firing(at(0)), 15s, 60s)});
  play.step(60, {kPrimaryDown.resolved(at(0), at(60))});
  const auto due = 60 + 2 * 15 + 60 + 30;  // two evaluations, its reach, the slack of probes
  EXPECT_EQ(play.engine().next_wake(), at(due));
  play.step(due - 1);
  EXPECT_EQ(play.told.size(), 1U);
  play.step(due);
  EXPECT_EQ(play.spoken().back(), "escalate urgent application OdooWorkersBusy");
}

TEST(Release, NeverLongerThanTheMaximum) {
  Play play;
  play.step(0, {kPrimaryDown.firing(at(0)), judged(kWorkersBusy.firing(at(0)), 15s, 24h)});
  play.step(60, {kPrimaryDown.resolved(at(0), at(60))});
  EXPECT_EQ(play.engine().next_wake(), at(60 + 600));
}

TEST(Release, ASymptomOfASymptomWaitsForTheOneThatExplainsIt) {
  Play play;
  play.step(0, {kPrimaryDown.firing(at(0)), judged(kWorkersBusy.firing(at(0)), 15s, 200s),
                judged(kBillingSlow.firing(at(0)), 5s)});
  play.step(60, {kPrimaryDown.resolved(at(0), at(60))});
  play.step(110);  // billing is confirmed, and explained by the workers, who are not yet
  EXPECT_EQ(play.told.size(), 1U);
  play.step(320);
  EXPECT_EQ(play.spoken().back(), "escalate executive application OdooWorkersBusy");
  EXPECT_EQ(play.told.size(), 2U) << "one page for all that is left";
}

TEST(Release, AnEndNeedsASecondCleanEvaluation) {
  Play play;
  play.step(0, {judged(kPrimaryDown.firing(at(0)), 15s)});
  play.step(60, {judged(kPrimaryDown.resolved(at(0), at(60)), 15s)});
  EXPECT_EQ(play.engine().next_wake(), at(75));
  play.step(70, {judged(kPrimaryDown.firing(at(70)), 15s)});
  play.step(120, {judged(kPrimaryDown.resolved(at(70), at(120)), 15s)});
  play.step(135);
  EXPECT_EQ(play.spoken(), (Lines{"fire urgent database PgPrimaryDown", "update urgent database PgPrimaryDown"}))
      << "no pair of end and beginning; four changes make it flap";
  play.step(420);
  EXPECT_EQ(play.spoken().back(), "resolve urgent database PgPrimaryDown");
}

TEST(Release, KeepFiringIsWaitEnough) {
  Play play;
  play.step(0, {judged(kPrimaryDown.firing(at(0)), 15s, 30s)});
  play.step(60, {judged(kPrimaryDown.resolved(at(0), at(60)), 15s, 30s)});
  EXPECT_EQ(play.spoken().back(), "resolve urgent database PgPrimaryDown");
}

}  // namespace
}  // namespace ward::collector::test
