#include "collector/incident/engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/collector/incident/play.hpp"

namespace ward::collector::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

TEST(Engine, TellsOnlyTheOwnerOfTheCauseWhenThePrimaryStops) {
  Play play;
  const auto notices = play.step(
      0, {kWorkersBusy.firing(at(0)), kStandbyBroken.firing(at(0)), kPrimaryDown.firing(at(-1)), kCronLate.firing(at(0))});
  EXPECT_EQ(play.spoken(), (Lines{"fire urgent database PgPrimaryDown"}));
  ASSERT_EQ(notices.size(), 1U);
  const auto& incident = notices[0].incident;
  ASSERT_EQ(incident.alerts.size(), 4U);
  EXPECT_EQ(incident.alerts[0].labels.get("alertname"), "PgPrimaryDown");
  EXPECT_EQ(incident.root_service, "pg-main");
  EXPECT_EQ(incident.scope, kClinicA);
  EXPECT_EQ(incident.workflows, (Lines{"billing"}));
}

TEST(Engine, AttachesLaterSymptomsWithoutAWord) {
  Play play;
  play.step(0, {kPrimaryDown.firing(at(0))});
  play.step(30, {kWorkersBusy.firing(at(30))});
  EXPECT_EQ(play.told.size(), 1U);
  EXPECT_EQ(play.engine().open().at(0).alerts.size(), 2U);
  EXPECT_THAT(play.decisions.back().why, HasSubstr("odoo (tenant clinic-a) depends on pg-main (tenant clinic-a)"));
}

TEST(Engine, ARuleOnItsServiceSaysBetterThanABurnAlertWhatIsBroken) {
  auto burns = kWorkersBusy;
  burns.name = "OdooAvailabilityBurn";
  burns.extra.set("slo", "odoo-availability");
  Play play;
  play.step(0, {burns.firing(at(0))});
  play.step(30, {kCronLate.firing(at(30))});
  play.step(60, {kWorkersBusy.firing(at(60))});  // the second rule leaves the first's name
  EXPECT_EQ(play.spoken(),
            (Lines{"fire urgent application OdooAvailabilityBurn", "update urgent application OdooCronLate"}));
  EXPECT_TRUE(play.decided("root changed"));
  EXPECT_EQ(play.engine().open().at(0).alerts.size(), 3U);
}

TEST(Engine, AGraverBurnAlertRaisesTheClassAndLeavesTheCauseItsName) {
  auto burns = kBillingSlow;
  burns.service = "odoo";
  burns.name = "BillingBurn";
  burns.extra.set("slo", "billing");
  Play play;
  play.step(0, {kWorkersBusy.firing(at(0))});
  play.step(30, {burns.firing(at(30))});
  EXPECT_EQ(play.spoken(),
            (Lines{"fire urgent application OdooWorkersBusy", "escalate executive application OdooWorkersBusy"}));
}

TEST(Engine, ToldTwiceTheSameChangesNothing) {
  Play play;
  play.step(0, {kPrimaryDown.firing(at(0))});
  const auto before = play.engine().state();
  const auto again = play.engine().fold(std::vector{kPrimaryDown.firing(at(0))}, at(5));
  EXPECT_EQ(again, Folded{});
  EXPECT_EQ(play.engine().state(), before);
}

TEST(Engine, KeepsTwoIndependentFaultsApart) {
  Play play;
  play.step(0, {kPrimaryDown.firing(at(0)), kRedisDown.firing(at(0)), kWorkersBusy.firing(at(0))});
  EXPECT_THAT(play.spoken(),
              ::testing::UnorderedElementsAre("fire urgent database PgPrimaryDown", "fire urgent platform RedisDown"));
}

TEST(Engine, BlamesASoftDependencyOnlyWithoutAHardOne) {
  Play play;
  play.step(0, {kRedisDown.firing(at(-1)), kWorkersBusy.firing(at(0))});
  EXPECT_EQ(play.spoken(), (Lines{"fire urgent platform RedisDown"}));
}

TEST(Engine, NeverBlamesAnAsyncDependency) {
  Play play;
  play.step(0, {kBackupLate.firing(at(-1)), kPrimaryDown.firing(at(0))});
  EXPECT_EQ(play.told.size(), 2U);
}

TEST(Engine, NeverBlamesAnotherTenantsFault) {
  Play play;
  auto elsewhere = kPrimaryDown;
  elsewhere.extra = kClinicB;
  play.step(0, {elsewhere.firing(at(0)), kWorkersBusy.firing(at(0))});
  EXPECT_EQ(play.told.size(), 2U);
}

TEST(Engine, NeverBlamesAnotherTenantsFaultOverAnEdgeThatJoinsOnNothing) {
  Play play;
  auto elsewhere = kRedisDown;
  elsewhere.extra = kClinicB;
  play.step(0, {elsewhere.firing(at(0)), kWorkersBusy.firing(at(0))});
  EXPECT_EQ(play.told.size(), 2U);
}

TEST(Engine, OneSharedFaultExplainsAllTenants) {
  Play play;
  auto shared = kPrimaryDown;
  shared.extra = {};
  auto b = kWorkersBusy;
  b.extra = kClinicB;
  play.step(0, {shared.firing(at(0)), kWorkersBusy.firing(at(0)), b.firing(at(0))});
  EXPECT_EQ(play.spoken(), (Lines{"fire urgent database PgPrimaryDown"}));
}

TEST(Engine, LooksPastOneServiceWithoutAnAlert) {
  Play play;
  play.step(0, {kPrimaryDown.firing(at(0)), kBillingSlow.firing(at(0))});  // odoo between them is silent
  EXPECT_EQ(play.spoken(), (Lines{"fire executive database PgPrimaryDown"}));
}

TEST(Engine, DoesNotBlameWhatBeganLongAfterTheSymptom) {
  Play play;
  play.step(0, {kWorkersBusy.firing(at(0))});
  play.step(600, {kPrimaryDown.firing(at(600))});  // lag 3 m and slack are long over
  EXPECT_EQ(play.spoken(), (Lines{"fire urgent application OdooWorkersBusy", "fire urgent database PgPrimaryDown"}));
}

TEST(Engine, OpensAnUrgentAlertAtOnceWhenNothingIsSuspect) {
  Play play;
  play.step(0, {kWorkersBusy.firing(at(0))});
  EXPECT_EQ(play.spoken(), (Lines{"fire urgent application OdooWorkersBusy"}));
}

TEST(Engine, HoldsAnUrgentAlertWhileItsCauseIsPending) {
  Play play;
  play.step(0, {kPrimaryDown.pending(at(0)), kWorkersBusy.firing(at(0))});
  EXPECT_TRUE(play.told.empty());
  EXPECT_TRUE(play.decided("held"));
  EXPECT_EQ(play.engine().next_wake(), at(2));
  play.step(1, {kPrimaryDown.firing(at(0))});
  EXPECT_EQ(play.spoken(), (Lines{"fire urgent database PgPrimaryDown"}));
}

TEST(Engine, EndsTheHoldAfterTwiceTheTimeWhateverIsPending) {
  Play play;
  play.step(0, {kPrimaryDown.pending(at(0)), kWorkersBusy.firing(at(0))});
  play.step(2);
  EXPECT_TRUE(play.told.empty());
  EXPECT_EQ(play.engine().next_wake(), at(4));
  play.step(4);
  EXPECT_EQ(play.spoken(), (Lines{"fire urgent application OdooWorkersBusy"}));
}

TEST(Engine, HoldsAnActionableAlertForItsSettleTime) {
  Play play;
  play.step(0, {kCronLate.firing(at(0))});
  play.step(9);
  EXPECT_TRUE(play.told.empty());
  play.step(10);
  EXPECT_EQ(play.spoken(), (Lines{"fire actionable application OdooCronLate"}));
}

TEST(Engine, TellsNobodyOfWhatPassesDuringItsHold) {
  Play play;
  play.step(0, {kCronLate.firing(at(0))});
  play.step(5, {kCronLate.resolved(at(0), at(5))});
  play.step(60);
  EXPECT_TRUE(play.told.empty());
  EXPECT_TRUE(play.decided("passed"));
}

TEST(Engine, AHeldCauseIsToldWhenItsUrgentSymptomHasWaited) {
  Play play;
  play.step(0, {kPgSlow.firing(at(0)), kWorkersBusy.firing(at(0))});
  EXPECT_TRUE(play.told.empty());
  EXPECT_EQ(play.engine().next_wake(), at(2));
  play.step(2);
  EXPECT_EQ(play.spoken(), (Lines{"fire urgent database PgSlow"}));
}

TEST(Engine, InformsWithoutAHoldAndAbsorbsNothing) {
  Play play;
  play.step(0, {kPodRestarted.firing(at(0))});
  play.step(1, {kWorkersBusy.firing(at(1))});
  EXPECT_EQ(play.spoken(), (Lines{"fire informational platform PodRestarted", "fire urgent application OdooWorkersBusy"}));
}

TEST(Engine, EscalatesOnceWhenTheClassRises) {
  Play play;
  play.step(0, {kPgSlow.firing(at(0))});
  play.step(10);
  play.step(60, {kPrimaryDown.firing(at(60))});
  play.step(70, {kStandbyBroken.firing(at(70))});
  EXPECT_EQ(play.spoken(), (Lines{"fire actionable database PgSlow", "escalate urgent database PgPrimaryDown"}));
}

TEST(Engine, EscalatesToExecutiveWhenAWorkflowStaysBroken) {
  Play play;
  auto billing = kWorkersBusy;
  billing.extra.set("workflow", "billing");
  play.step(0, {billing.firing(at(0))});
  EXPECT_EQ(play.engine().next_wake(), at(600));
  play.step(599);
  EXPECT_EQ(play.told.size(), 1U);
  play.step(600);
  play.step(601);
  EXPECT_EQ(play.spoken(),
            (Lines{"fire urgent application OdooWorkersBusy", "escalate executive application OdooWorkersBusy"}));
}

TEST(Engine, ALateCauseTakesTheIncidentOverAndTellsItsOwner) {
  Play play;
  play.step(0, {kWorkersBusy.firing(at(0))});
  play.step(120, {kPrimaryDown.firing(at(120))});
  EXPECT_EQ(play.spoken(), (Lines{"fire urgent application OdooWorkersBusy", "escalate urgent database PgPrimaryDown"}));
  EXPECT_EQ(play.told[0].incident.id, play.told[1].incident.id);
  EXPECT_EQ(play.engine().open().size(), 1U);
}

TEST(Engine, ALateCauseOfTheSameOwnerIsNoNews) {
  Play play;
  play.step(0, {kBillingSlow.firing(at(0))});
  auto busy = kWorkersBusy;
  play.step(60, {busy.firing(at(60))});
  EXPECT_EQ(play.spoken(),
            (Lines{"fire executive application BillingSlow", "update executive application OdooWorkersBusy"}));
}

TEST(Engine, ALateCauseMergesWhatItExplainsIntoTheOldest) {
  Play play;
  auto shared = kPrimaryDown;
  shared.extra = {};
  auto b = kWorkersBusy;
  b.extra = kClinicB;
  play.step(0, {kWorkersBusy.firing(at(0))});
  play.step(5, {b.firing(at(5))});
  play.step(60, {shared.firing(at(60))});
  ASSERT_EQ(play.engine().open().size(), 1U);
  const auto open = play.engine().open()[0];
  EXPECT_EQ(open.id, play.told[0].incident.id);
  EXPECT_EQ(open.alerts.size(), 3U);
  Lines ends;
  for (const auto& n : play.told)
    if (n.kind == NoticeKind::resolve) ends.push_back(n.incident.id + " into " + n.incident.merged_into);
  EXPECT_EQ(ends, (Lines{play.told[1].incident.id + " into " + open.id}));
}

TEST(Engine, ResolvesOnceWhenTheLastMemberIsWell) {
  Play play;
  play.step(0, {kPrimaryDown.firing(at(0)), kWorkersBusy.firing(at(0))});
  play.step(60, {kPrimaryDown.resolved(at(0), at(60))});
  EXPECT_EQ(play.told.size(), 1U);
  play.step(70, {kWorkersBusy.resolved(at(0), at(70))});
  play.step(71);
  EXPECT_EQ(play.spoken(), (Lines{"fire urgent database PgPrimaryDown", "resolve urgent database PgPrimaryDown"}));
  EXPECT_EQ(play.told[1].incident.resolved_at, at(70));
  EXPECT_TRUE(play.engine().open().empty());
}

TEST(Engine, WaitsForQuietBeforeTheEndWhenToldTo) {
  auto options = short_times();
  options.settle_resolve = 30s;
  Play play(false, options);
  play.step(0, {kPrimaryDown.firing(at(0))});
  play.step(60, {kPrimaryDown.resolved(at(0), at(60))});
  EXPECT_EQ(play.engine().next_wake(), at(90));
  play.step(89);
  EXPECT_EQ(play.told.size(), 1U);
  play.step(90);
  EXPECT_EQ(play.spoken(), (Lines{"fire urgent database PgPrimaryDown", "resolve urgent database PgPrimaryDown"}));
}

TEST(Engine, ASymptomThatOutlastsItsHealedCauseBecomesTheCause) {
  Play play;
  play.step(0, {kPrimaryDown.firing(at(0)), kWorkersBusy.firing(at(0)), kCronLate.firing(at(0))});
  play.step(60, {kPrimaryDown.resolved(at(0), at(60)), kCronLate.resolved(at(0), at(60))});
  EXPECT_EQ(play.engine().next_wake(), at(660));
  play.step(659);
  EXPECT_EQ(play.told.size(), 1U);
  play.step(660);
  play.step(700);
  play.step(800, {kWorkersBusy.resolved(at(0), at(800))});
  EXPECT_EQ(play.spoken(), (Lines{"fire urgent database PgPrimaryDown", "escalate urgent application OdooWorkersBusy",
                                  "resolve urgent application OdooWorkersBusy"}));
}

TEST(Engine, ReopensTheSameIncidentOnARefireSoonAfterItsEnd) {
  Play play;
  play.step(0, {kPrimaryDown.firing(at(0))});
  play.step(60, {kPrimaryDown.resolved(at(0), at(60))});
  play.step(600, {kPrimaryDown.firing(at(600))});
  ASSERT_EQ(play.told.size(), 3U);
  EXPECT_EQ(play.told[2].kind, NoticeKind::fire);
  EXPECT_EQ(play.told[2].incident.id, play.told[0].incident.id);
  EXPECT_EQ(play.told[2].incident.reopened, 1U);
}

TEST(Engine, OpensANewIncidentOnALateRefire) {
  Play play;
  play.step(0, {kPrimaryDown.firing(at(0))});
  play.step(60, {kPrimaryDown.resolved(at(0), at(60))});
  play.step(60 + 901, {kPrimaryDown.firing(at(961))});
  ASSERT_EQ(play.told.size(), 3U);
  EXPECT_NE(play.told[2].incident.id, play.told[0].incident.id);
}

TEST(Engine, KeepsAFlappingIncidentOpenUntilItIsStable) {
  Play play;
  for (int round = 0; round < 10; ++round) {
    const auto since = round * 60;
    play.step(since, {kPrimaryDown.firing(at(since))});
    play.step(since + 30, {kPrimaryDown.resolved(at(since), at(since + 30))});
  }
  EXPECT_TRUE(play.decided("flapping"));
  // Two changes pass before it is known to flap; then silence, and one end.
  EXPECT_EQ(play.spoken(), (Lines{"fire urgent database PgPrimaryDown", "resolve urgent database PgPrimaryDown",
                                  "fire urgent database PgPrimaryDown", "update urgent database PgPrimaryDown"}));
  EXPECT_EQ(play.engine().next_wake(), at(570 + 300));
  play.step(570 + 300);
  EXPECT_EQ(play.told.size(), 5U);
  EXPECT_EQ(play.told.back().kind, NoticeKind::resolve);
}

TEST(Engine, TakesAnAlertThatFellBackToPendingAsEnded) {
  Play play;
  play.step(0, {kPrimaryDown.firing(at(0))});
  play.step(60, {kPrimaryDown.pending(at(0))});
  EXPECT_EQ(play.told.back().kind, NoticeKind::resolve);
}

TEST(Engine, GivesAnAlertOfNoServiceItsOwnIncident) {
  Play play;
  const AlertMaker stray{"CertificateExpires", "", "urgent", "security", {}};
  play.step(0, {stray.firing(at(0)), kPrimaryDown.firing(at(0))});
  EXPECT_EQ(play.told.size(), 2U);
}

TEST(Engine, RecordsAReasonForEveryAlert) {
  Play play;
  play.step(0, {kPrimaryDown.firing(at(0)), kWorkersBusy.firing(at(0)), kPodRestarted.firing(at(0))});
  for (const auto& maker : {kPrimaryDown, kWorkersBusy, kPodRestarted}) {
    const auto id = alert_id(maker.firing(at(0)));
    const auto found =
        std::find_if(play.decisions.begin(), play.decisions.end(), [&](const Decision& d) { return d.alert == id; });
    ASSERT_NE(found, play.decisions.end()) << maker.name;
    EXPECT_FALSE(found->why.empty());
    EXPECT_EQ(found->at, at(0));
  }
}

// The long story of a bad evening: holds, a late cause, a rise, a residual, a refire, flapping.
std::vector<Notice> evening(bool restarts) {
  Play play(restarts);
  play.step(0, {kPrimaryDown.pending(at(0)), kWorkersBusy.firing(at(0))});
  play.step(4);
  play.step(10, {kCronLate.firing(at(10)), kPgSlow.firing(at(10))});
  play.step(30, {kPrimaryDown.firing(at(0)), kRedisDown.firing(at(29))});
  play.step(60, {kBillingSlow.firing(at(55))});
  play.step(90,
            {kRedisDown.resolved(at(29), at(90)), kPrimaryDown.resolved(at(0), at(90)), kPgSlow.resolved(at(10), at(90))});
  play.step(691);
  play.step(700, {kWorkersBusy.resolved(at(0), at(700)), kCronLate.resolved(at(10), at(700)),
                  kBillingSlow.resolved(at(55), at(700))});
  for (int round = 0; round < 4; ++round) {
    const auto since = 800 + round * 60;
    play.step(since, {kWorkersBusy.firing(at(since))});
    play.step(since + 30, {kWorkersBusy.resolved(at(since), at(since + 30))});
  }
  play.step(1500);
  EXPECT_TRUE(play.engine().open().empty());
  return play.told;
}

TEST(Engine, SaysTheSameWhenItIsRestartedBeforeEveryStep) {
  const auto straight = evening(false);
  EXPECT_GE(straight.size(), 7U);
  EXPECT_EQ(evening(true), straight);
}

TEST(Engine, GivesTheSameIdsAfterACrashBeforeTheCommit) {
  const auto map = estate();
  Engine first(map, {}), second(map, {});
  const std::vector alerts{kPrimaryDown.firing(at(0))};
  EXPECT_EQ(first.fold(alerts, at(0)), second.fold(alerts, at(0)));
}

TEST(Engine, EndsWhatNoRuleTellsAnyMore) {
  Play play;
  play.step(0, {kPrimaryDown.firing(at(0)), kWorkersBusy.firing(at(0))});
  play.restart();
  const auto live = play.engine().live();
  ASSERT_EQ(live.size(), 2U);
  auto out = play.engine().fold({}, at(60), live);
  ASSERT_EQ(out.notices.size(), 1U);
  EXPECT_EQ(out.notices[0].kind, NoticeKind::resolve);
  EXPECT_TRUE(play.engine().live().empty());
  EXPECT_THAT(out.decisions.front().why, HasSubstr("no rule"));
  EXPECT_EQ(play.engine().fold({}, at(61), live), Folded{}) << "and says so once";
}

TEST(Engine, ForgetsAPendingAlertThatNoRuleTellsAnyMore) {
  Play play;
  play.step(0, {kPrimaryDown.pending(at(0))});
  const auto out = play.engine().fold({}, at(60), play.engine().live());
  EXPECT_TRUE(out.notices.empty());
  ASSERT_TRUE(out.watched);
  EXPECT_TRUE(out.watched->empty());
}

TEST(Engine, WhatBeginsAgainTogetherIsInItsIncidentOnceAndEnds) {
  Play play;
  play.step(0, {kPrimaryDown.firing(at(0)), kWorkersBusy.firing(at(0))});
  play.step(60, {kPrimaryDown.resolved(at(0), at(60)), kWorkersBusy.resolved(at(0), at(60))});
  play.step(90);
  ASSERT_EQ(play.engine().open().size(), 0U);
  play.step(120, {kPrimaryDown.firing(at(120)), kWorkersBusy.firing(at(120))});
  ASSERT_EQ(play.engine().open().size(), 1U);
  EXPECT_EQ(play.engine().open()[0].alerts.size(), 2U) << "an alert is a member once";
  play.step(180, {kPrimaryDown.resolved(at(120), at(180)), kWorkersBusy.resolved(at(120), at(180))});
  play.step(500);
  play.step(1'000);
  EXPECT_EQ(play.engine().open().size(), 0U);
}

}  // namespace
}  // namespace ward::collector::test
