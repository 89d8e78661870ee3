// Who is told when while nobody answers, over restarts and clock steps, with acknowledgements of all kinds.
#include "tests/unit/collector/routing/routing_bed.hpp"

namespace ward::collector {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kOwners = R"(
owners:
  database: {receiver: dba, fallback: platform}
  application: {receiver: app, fallback: platform}
  platform: {receiver: platform}
)";

const std::string kPlan = std::string(kOwners) + R"(
escalations:
  db-247: [{after: 0m, to: a}, {after: 10m, unless: acked, to: b}, {after: 30m, to: c}]
)";

Incident planned(std::string id = "I1") {
  return incident(std::move(id), "database", {{"alertname", "X"}}, {{"escalation", "db-247"}});
}

TEST(Escalation, TellsTheStepsOfItsPlanInTheirTime) {
  RoutingBed bed(kPlan);
  EXPECT_THAT(bed.fire(planned()), ElementsAre("fire I1 to a"));
  EXPECT_EQ(bed.router->next_wake(), bed.now + minutes(10));
  EXPECT_THAT(bed.after(minutes(10) - milliseconds(1)), IsEmpty());
  EXPECT_THAT(bed.after(milliseconds(1)), ElementsAre("escalate I1 to b"));
  EXPECT_THAT(bed.decisions(), ElementsAre("told on"));
  EXPECT_THAT(bed.after(minutes(20)), ElementsAre("escalate I1 to c"));
  EXPECT_THAT(bed.after(minutes(5)), ElementsAre("escalate I1 to platform"));
  EXPECT_EQ(bed.router->next_wake(), Time::max());
  EXPECT_THAT(bed.resolve("I1"),
              ElementsAre("resolve I1 to a", "resolve I1 to b", "resolve I1 to c", "resolve I1 to platform"));
}

TEST(Escalation, TellsTheFallbackOwnerWhenNobodyAnswersInFiveMinutes) {
  RoutingBed bed(kOwners);
  EXPECT_THAT(bed.fire(incident("I1", "database")), ElementsAre("fire I1 to dba"));
  EXPECT_THAT(bed.after(minutes(4)), IsEmpty());
  EXPECT_THAT(bed.after(minutes(1)), ElementsAre("escalate I1 to platform"));
  EXPECT_THAT(bed.last.deliveries.at(0).body, HasSubstr("Nobody has acknowledged within 5m."));
}

TEST(Escalation, LeavesTheFallbackOwnerAloneForWhatPagesNobody) {
  RoutingBed bed(kOwners);
  auto ticket = incident("I1", "database");
  ticket.cls = AlertClass::actionable;
  bed.fire(ticket);
  EXPECT_THAT(bed.after(hours(5)), IsEmpty());
}

TEST(Escalation, PassesOverStepsThatAnAcknowledgementMakesNeedless) {
  RoutingBed bed(kPlan);
  bed.fire(planned());
  EXPECT_EQ(bed.ack("I1").value(), "acknowledged by anna");
  EXPECT_THAT(bed.after(minutes(10)), ElementsAre("acknowledge I1 to a")) << "all who heard of it, in the next step";
  // This step has no 'unless'.
  EXPECT_THAT(bed.after(minutes(20)), ElementsAre("escalate I1 to c"));
  EXPECT_THAT(bed.after(hours(5)), IsEmpty());
  EXPECT_THAT(bed.resolve("I1"), ElementsAre("resolve I1 to a", "resolve I1 to c"));
}

TEST(Escalation, TheFirstOfTwoAcknowledgementsStandsAndBothAreAudited) {
  RoutingBed bed(kPlan);
  bed.fire(planned());
  EXPECT_TRUE(bed.ack("I1", "anna"));
  EXPECT_THAT(bed.ack("I1", "ben").value(), HasSubstr("acknowledged by anna at"));
  EXPECT_EQ(bed.router->escalation("I1")->ack->by, "anna");
  ASSERT_EQ(bed.audit.size(), 2U);
  EXPECT_EQ(bed.audit[0].action, "ack");
  EXPECT_EQ(bed.audit[1].action, "ack again");
  EXPECT_THAT(bed.audit[1].detail, HasSubstr("as ben"));
}

TEST(Escalation, BeginsAnewWhenAnAcknowledgementIsTakenBack) {
  RoutingBed bed(kPlan);
  bed.fire(planned());
  bed.ack("I1");
  bed.after(minutes(15));
  EXPECT_TRUE(bed.perform({.kind = Command::Kind::unacknowledge, .by = "anna", .subject = "I1"}));
  EXPECT_THAT(bed.step(), ElementsAre("escalate I1 to a"));
  EXPECT_THAT(bed.after(minutes(10)), ElementsAre("escalate I1 to b"));
  EXPECT_FALSE(bed.perform({.kind = Command::Kind::unacknowledge, .by = "anna", .subject = "I1"}));
}

TEST(Escalation, RefusesToAcknowledgeWhatIsNotOpen) {
  RoutingBed bed(kPlan);
  EXPECT_EQ(bed.ack("I1").error().code, Errc::not_found);
  bed.fire(planned());
  bed.resolve("I1");
  EXPECT_EQ(bed.ack("I1").error().code, Errc::not_found);
  EXPECT_THAT(bed.audit, IsEmpty());
}

TEST(Escalation, GoesOnAfterARestartWhereItWas) {
  RoutingBed bed(kPlan);
  bed.fire(planned());
  bed.after(minutes(4));
  bed.restart();
  EXPECT_THAT(bed.step(), IsEmpty());
  EXPECT_THAT(bed.after(minutes(6)), ElementsAre("escalate I1 to b"));
  bed.restart();
  EXPECT_THAT(bed.step(), IsEmpty());
  bed.ack("I1");
  bed.restart();
  EXPECT_EQ(bed.router->escalation("I1")->ack->by, "anna");
  EXPECT_THAT(bed.after(hours(1)), ElementsAre("escalate I1 to c"));
}

TEST(Escalation, TellsEveryStepThatPassedWhileItWasDown) {
  RoutingBed bed(kPlan);
  bed.fire(planned());
  bed.restart();
  EXPECT_THAT(bed.after(hours(2)), ElementsAre("escalate I1 to b", "escalate I1 to c", "escalate I1 to platform"));
}

TEST(Escalation, GivesTheSameKeysOnTwoCollectorsAndAfterACrashBeforeTheCommit) {
  RoutingBed one(kPlan), other(kPlan);
  one.fire(planned());
  other.fire(planned());
  one.after(minutes(10));
  other.now += seconds(3);
  other.after(minutes(10));
  EXPECT_EQ(one.keys, other.keys);
}

TEST(Escalation, IsNotDelayedByAClockThatIsSetBack) {
  RoutingBed bed(kPlan);
  bed.fire(planned());
  bed.after(minutes(6));
  bed.now -= hours(3);
  EXPECT_THAT(bed.step(), IsEmpty());
  EXPECT_THAT(bed.after(minutes(4)), ElementsAre("escalate I1 to b"));
}

TEST(Escalation, WaitsAtMostItsTimeAgainWhenTheClockWasSetBackDuringARestart) {
  RoutingBed bed(kPlan);
  bed.fire(planned());
  bed.now -= hours(3);
  bed.restart();
  EXPECT_THAT(bed.step(), IsEmpty());
  EXPECT_THAT(bed.after(minutes(10)), ElementsAre("escalate I1 to b"));
}

TEST(Escalation, PagesAgainForARisenClassAndForgetsTheAcknowledgement) {
  RoutingBed bed(kPlan + "  board: [{after: 0m, to: c}]\nclass_escalations: {executive: board}\n");
  auto i = planned();
  bed.fire(i);
  bed.ack("I1");
  i.cls = AlertClass::executive;
  EXPECT_THAT(bed.escalate(i), ElementsAre("escalate I1 to c"));
  EXPECT_THAT(bed.decisions(), testing::Contains("acknowledgement no longer counts"));
  EXPECT_THAT(bed.after(minutes(5)), ElementsAre("escalate I1 to platform"));
}

TEST(Escalation, TellsAnotherOwnerAndAsksForHisOwnAcknowledgement) {
  RoutingBed bed(kOwners);
  auto i = incident("I1", "application");
  bed.fire(i);
  bed.ack("I1");
  i.owner = "database";
  i.root_alert = "Y";
  EXPECT_THAT(bed.escalate(i), ElementsAre("escalate I1 to dba"));
  EXPECT_THAT(bed.after(minutes(5)), ElementsAre("escalate I1 to platform"));
}

TEST(Escalation, TellsAnOwnerWhoHasItBackAndAllOfHisSteps) {
  RoutingBed bed(kOwners);
  auto i = incident("I1", "application");
  bed.fire(i);
  for (const auto* owner : {"database", "application", "database"}) {
    i.owner = owner;
    const std::string receiver = i.owner == "database" ? "dba" : "app";
    EXPECT_THAT(bed.escalate(i), ElementsAre("escalate I1 to " + receiver));
    EXPECT_THAT(bed.after(minutes(5)), ElementsAre("escalate I1 to platform"));
  }
}

TEST(Escalation, PagesAgainForACauseThatComesBackAfterAnother) {
  RoutingBed bed(kOwners);
  auto i = incident("I1", "application");
  bed.fire(i);
  for (const auto* cause : {"Y", "X", "Y", "X"}) {
    i.root_alert = cause;
    EXPECT_THAT(bed.escalate(i), ElementsAre("escalate I1 to app"));
  }
}

TEST(Escalation, SaysWhyItPagesAgain) {
  RoutingBed bed(kOwners);
  const auto i = incident("I1", "application");
  bed.fire(i);
  bed.step({{.kind = NoticeKind::escalate, .incident = i, .why = "the cause is DiskFull"}});
  ASSERT_EQ(bed.last.deliveries.size(), 1U);
  EXPECT_EQ(notice_from_json(bed.last.deliveries[0].body).value().why, "the cause is DiskFull");
}

TEST(Escalation, KeepsTheAcknowledgementWhenOnlyTheCauseIsNamedAnew) {
  RoutingBed bed(kOwners);
  auto i = incident("I1", "application");
  bed.fire(i);
  bed.ack("I1");
  i.root_alert = "Y";
  EXPECT_THAT(bed.escalate(i), ElementsAre("escalate I1 to app", "acknowledge I1 to app"));
  EXPECT_THAT(bed.after(hours(1)), IsEmpty());
}

TEST(Escalation, RemindsOnceOfWhatStillFiresLongAfterItWasTakenOn) {
  RoutingBed bed(std::string(kOwners) + "remind_after: 30m\n");
  bed.fire(incident("I1", "application"));
  bed.ack("I1");
  EXPECT_THAT(bed.after(minutes(29)), ElementsAre("acknowledge I1 to app"));
  bed.restart();
  EXPECT_THAT(bed.after(minutes(1)), ElementsAre("update I1 to app"));
  EXPECT_EQ(notice_from_json(bed.last.deliveries[0].body).value().why, "still firing 30m after anna took it on: X");
  bed.restart();
  EXPECT_THAT(bed.after(hours(2)), IsEmpty());
}

TEST(Escalation, RemindsOfNothingThatRecovers) {
  RoutingBed bed(std::string(kOwners) + "remind_after: 30m\n");
  bed.fire(incident("I1", "application"));
  bed.ack("I1");
  bed.step();
  bed.open[0].alerts[0].phase = AlertPhase::resolved;
  EXPECT_THAT(bed.after(hours(1)), IsEmpty());
}

TEST(Escalation, RepeatsAPageUntilSomebodyAnswers) {
  RoutingBed bed(std::string(kOwners) + "repeat: 30m\nescalations: {p: {steps: [{to: a}, {after: 10m, to: b}]}}\n");
  bed.fire(incident("I1", "platform", {{"alertname", "X"}}, {{"escalation", "p"}}));
  bed.after(minutes(10));
  EXPECT_THAT(bed.after(minutes(20)), ElementsAre("escalate I1 to a", "escalate I1 to b"));
  EXPECT_THAT(bed.after(minutes(29)), IsEmpty());
  // Several that have passed are one.
  bed.restart();
  EXPECT_THAT(bed.after(hours(3)), ElementsAre("escalate I1 to a", "escalate I1 to b"));
  bed.ack("I1");
  EXPECT_THAT(bed.after(hours(3)), ElementsAre("acknowledge I1 to a", "acknowledge I1 to b"));
}

TEST(Escalation, SaysWhenTheEscalationOfARuleDoesNotExist) {
  RoutingBed bed(kPlan);
  EXPECT_THAT(bed.fire(incident("I1", "database", {{"alertname", "X"}}, {{"escalation", "db-24"}})),
              ElementsAre("fire I1 to dba"));
  EXPECT_THAT(bed.decisions(), ElementsAre("escalation unknown"));
}

TEST(Escalation, TakesUpWhatAReleaseWithoutRecordsHasTold) {
  auto read = operations(kOwners);
  Router router(read.table, std::vector<Notified>{{"I1", "dba"}});
  const auto i = incident("I1", "database");
  const auto now = at("2026-11-23T10:00:00Z");
  EXPECT_THAT(router.route({}, std::vector{i}, now).deliveries, IsEmpty());
  const auto later = router.route({}, std::vector{i}, now + minutes(5));
  ASSERT_EQ(later.deliveries.size(), 1U);
  EXPECT_EQ(later.deliveries[0].receiver, "platform");
}

TEST(Escalation, RepeatsNoneOfSeveralFirstStepsToThoseWhoWereTold) {
  auto read = operations(
      "route: {receiver: a, routes: [{matchers: ['alertname=X'], receiver: b, continue: true}, "
      "{matchers: ['alertname=X'], receiver: c}]}\n");
  ASSERT_EQ(read.problems, "");
  Router router(read.table, std::vector<Notified>{{"I1", "b"}, {"I1", "c"}});
  const auto i = incident("I1", "platform");
  EXPECT_THAT(router.route({}, std::vector{i}, at("2026-11-23T10:00:00Z")).deliveries, IsEmpty());
}

TEST(Escalation, ForgetsWhatIsOpenNoMore) {
  RoutingBed bed(kPlan);
  bed.fire(planned());
  bed.open.clear();
  EXPECT_THAT(bed.step(), IsEmpty());
  EXPECT_EQ(bed.last.escalations_gone, (Texts{"I1"}));
  EXPECT_EQ(bed.ack("I1").error().code, Errc::not_found);
}

TEST(Escalation, GoesOnByANewTableAfterAReload) {
  RoutingBed bed(kPlan);
  bed.fire(planned());
  bed.router->use(operations(std::string(kOwners) + "escalations: {db-247: [{to: a}, {after: 20m, to: c}]}").table);
  EXPECT_THAT(bed.after(minutes(10)), IsEmpty());
  EXPECT_THAT(bed.after(minutes(10)), ElementsAre("escalate I1 to c"));
  bed.router->use(operations(kOwners).table);
  EXPECT_THAT(bed.resolve("I1"), ElementsAre("resolve I1 to a", "resolve I1 to c"));
}

TEST(Escalation, HoldsAStepBackUntilItsHours) {
  RoutingBed bed(std::string(kOwners) + R"(
time_intervals: [{name: office, time_intervals: [{times: [{start_time: "12:00", end_time: "17:00"}]}]}]
escalations: {p: [{to: a}, {after: 1m, to: b, active_time_intervals: [office]}]}
)");
  bed.fire(incident("I1", "platform", {{"alertname", "X"}}, {{"escalation", "p"}}));
  EXPECT_THAT(bed.after(minutes(1)), IsEmpty());
  bed.restart();
  EXPECT_THAT(bed.after(minutes(118)), IsEmpty());
  EXPECT_THAT(bed.after(minutes(1)), ElementsAre("escalate I1 to b"));
}

TEST(NextStep, IsTheStepThatComesWhileNobodyAnswers) {
  RoutingBed bed(kPlan);
  bed.fire(planned());
  const auto due = bed.now + minutes(10);
  EXPECT_EQ(bed.router->next_step(bed.open.at(0)), (NextStep{.at = due, .to = "b", .unless_acked = true, .repeats = false}));
  (void)bed.ack("I1");
  bed.step();
  EXPECT_EQ(bed.router->next_step(bed.open.at(0))->to, "c") << "an acknowledgement passes over b alone";
  bed.after(hours(2));
  EXPECT_EQ(bed.router->next_step(bed.open.at(0)), std::nullopt) << "the plan is at its end";
}

TEST(NextStep, IsARepetitionWhereThatComesFirst) {
  RoutingBed bed(std::string(kOwners) + "escalations: {p: {steps: [{after: 0m, to: a}], repeat: 3m}}\n");
  bed.fire(incident("I1", "database", {{"alertname", "X"}}, {{"escalation", "p"}}));
  const auto next = bed.router->next_step(bed.open.at(0));
  ASSERT_TRUE(next);
  EXPECT_TRUE(next->repeats);
  EXPECT_EQ(next->at, bed.now + minutes(3));
}

TEST(NextStep, IsNoneWhileNobodyIsToldAndForAnUnknownIncident) {
  RoutingBed bed(kPlan);
  (void)bed.silence("s1", seconds(0), hours(1));
  bed.fire(planned());
  EXPECT_EQ(bed.router->next_step(bed.open.at(0)), std::nullopt);
  EXPECT_EQ(bed.router->next_step(incident("I9", "database")), std::nullopt);
}

TEST(Verdict, IsAuditedDecidedAndHandedOnToBeStored) {
  RoutingBed bed(kOwners);
  const auto done = bed.router->perform({.kind = Command::Kind::give_verdict,
                                         .actor = "token",
                                         .by = "anna",
                                         .subject = "I7",
                                         .note = "a test",
                                         .verdict = VerdictKind::false_alarm},
                                        bed.now);
  EXPECT_EQ(done.outcome.value(), "the verdict is false");
  const Verdict verdict{.kind = VerdictKind::false_alarm, .by = "anna", .note = "a test", .at = bed.now};
  EXPECT_THAT(done.change.verdicts, ElementsAre(GivenVerdict{"I7", verdict}));
  ASSERT_EQ(done.change.audit.size(), 1U);
  EXPECT_EQ(done.change.audit[0].action, "verdict");
  EXPECT_EQ(done.change.audit[0].detail, "as anna: false: a test");
  ASSERT_EQ(done.change.decisions.size(), 1U);
  EXPECT_EQ(done.change.decisions[0].why, "anna says false: a test");
}

}  // namespace
}  // namespace ward::collector
