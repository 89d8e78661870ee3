// What keeps an incident from being told, and what follows when it ends: silences, maintenance, inhibition.
#include "tests/unit/collector/routing/routing_bed.hpp"

namespace ward::collector {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kOwners = R"(
owners:
  database: {receiver: dba}
  platform: {receiver: platform}
)";

TEST(AlertSilence, KeepsAnIncidentFromBeingToldAndItsEndToo) {
  RoutingBed bed(kOwners);
  ASSERT_TRUE(bed.silence("s1", seconds(0), hours(1)));
  EXPECT_THAT(bed.fire(incident("I1", "database")), IsEmpty());
  EXPECT_THAT(bed.decisions(), ElementsAre("silenced"));
  EXPECT_THAT(bed.last.decisions.at(0).why, HasSubstr("by anna until 2026-11-23T11:00:00.000Z: planned work"));
  EXPECT_EQ(bed.router->next_wake(), bed.now + hours(1));
  EXPECT_THAT(bed.after(minutes(1)), IsEmpty());
  EXPECT_THAT(bed.decisions(), IsEmpty());
  EXPECT_THAT(bed.resolve("I1"), IsEmpty());
  EXPECT_THAT(bed.after(hours(2)), IsEmpty());
}

TEST(AlertSilence, TellsWhatIsStillOpenWhenItEnds) {
  RoutingBed bed(kOwners);
  bed.silence("s1", seconds(0), hours(1));
  bed.fire(incident("I1", "database"));
  EXPECT_THAT(bed.after(hours(1)), ElementsAre("fire I1 to dba"));
  EXPECT_THAT(bed.decisions(), ElementsAre("no longer silenced"));
}

TEST(AlertSilence, NeverKeepsTheEndFromWhoHeardOfTheBeginning) {
  RoutingBed bed(kOwners);
  bed.fire(incident("I1", "database"));
  bed.silence("s1", seconds(0), hours(1));
  bed.after(minutes(1));
  EXPECT_THAT(bed.resolve("I1"), ElementsAre("resolve I1 to dba"));
}

TEST(AlertSilence, ThatEndsInTheStepOfTheEndTellsNothing) {
  RoutingBed bed(kOwners);
  bed.silence("s1", seconds(0), hours(1));
  bed.fire(incident("I1", "database"));
  bed.now += hours(1);
  EXPECT_THAT(bed.resolve("I1"), IsEmpty());
}

TEST(AlertSilence, TellsAgainWhatWasToldBeforeItUnlessSomebodyIsOnIt) {
  RoutingBed bed(kOwners);
  bed.fire(incident("I1", "database"));
  bed.fire(incident("I2", "database"));
  bed.ack("I2");
  bed.silence("s1", seconds(0), hours(1));
  bed.after(minutes(30));
  EXPECT_THAT(bed.after(minutes(30)), ElementsAre("escalate I1 to dba"));
  EXPECT_THAT(bed.last.deliveries.at(0).body, HasSubstr("It is still open."));
}

TEST(AlertSilence, StopsTheStepsOfAnEscalation) {
  RoutingBed bed(std::string(kOwners) + "escalations: {p: [{to: a}, {after: 10m, to: b}]}");
  bed.fire(incident("I1", "database", {{"alertname", "X"}}, {{"escalation", "p"}}));
  bed.silence("s1", seconds(0), hours(1));
  EXPECT_THAT(bed.after(minutes(30)), IsEmpty());
  EXPECT_THAT(bed.after(minutes(30)), ElementsAre("escalate I1 to a"));
  EXPECT_THAT(bed.after(minutes(10)), ElementsAre("escalate I1 to b"));
}

TEST(AlertSilence, BeginsAndEndsOverARestart) {
  RoutingBed bed(kOwners);
  bed.silence("s1", minutes(5), hours(1));
  bed.restart();
  bed.now += minutes(5);
  EXPECT_THAT(bed.fire(incident("I1", "database")), IsEmpty());
  bed.restart();
  EXPECT_THAT(bed.step(), IsEmpty());
  EXPECT_THAT(bed.decisions(), IsEmpty());
  EXPECT_THAT(bed.after(hours(1)), ElementsAre("fire I1 to dba"));
}

TEST(AlertSilence, ThatWasEndedStaysEndedWhenTheClockIsSetBack) {
  RoutingBed bed(kOwners);
  bed.silence("s1", seconds(0), hours(2));
  bed.fire(incident("I1", "database"));
  bed.now += hours(1);
  ASSERT_TRUE(bed.perform({.kind = Command::Kind::expire_silence, .by = "ben", .subject = "s1"}));
  bed.now -= minutes(30);
  EXPECT_THAT(bed.step(), ElementsAre("fire I1 to dba"));
}

TEST(AlertSilence, SeesTheIncidentItselfToo) {
  RoutingBed bed(kOwners);
  bed.silence("s1", seconds(0), hours(1), {{.name = "ward_incident", .value = "I1"}});
  bed.silence("s2", seconds(0), hours(1), {{.name = "ward_class", .value = "act.*", .is_regex = true}});
  EXPECT_THAT(bed.fire(incident("I1", "database")), IsEmpty());
  EXPECT_THAT(bed.fire(incident("I2", "database")), ElementsAre("fire I2 to dba"));
  auto ticket = incident("I3", "database");
  ticket.cls = AlertClass::actionable;
  EXPECT_THAT(bed.fire(ticket), IsEmpty());
}

TEST(AlertSilence, NeverCoversTheAlertThatPagesDoNotGetOut) {
  RoutingBed bed(kOwners);
  bed.silence("s1", seconds(0), hours(1), {{.name = "ward_incident", .value = ".+", .is_regex = true}});
  EXPECT_THAT(bed.fire(incident("I1", "platform", {{"alertname", "PagesUndeliverable"}, {"service", "ward"}})),
              ElementsAre("fire I1 to platform"));
  EXPECT_THAT(bed.fire(incident("I2", "platform", {{"alertname", "PagesUndeliverable"}, {"service", "mine"}})), IsEmpty());
}

TEST(AlertSilence, IsAuditedWithItsMatchersAndWhoeverEndedIt) {
  RoutingBed bed(kOwners);
  bed.silence("s1", seconds(0), hours(1));
  bed.perform({.kind = Command::Kind::expire_silence, .by = "ben", .subject = "s1", .note = "done early"});
  ASSERT_EQ(bed.audit.size(), 2U);
  EXPECT_EQ(bed.audit[0].subject, "s1");
  EXPECT_THAT(bed.audit[0].detail, HasSubstr("{alertname=\"X\"}"));
  EXPECT_EQ(
      bed.audit[1],
      (AuditEntry{
          .at = bed.now, .actor = "token", .action = "silence ended", .subject = "s1", .detail = "as ben: done early"}));
}

constexpr const char* kMaintenance = R"(
maintenance:
- services: [pg-main]
  suppress: [actionable, urgent]
  time_intervals: [{times: [{start_time: "10:00", end_time: "12:00"}]}]
)";
const NeedsService kNeeds = [](const std::string& s, const std::string& on) { return s == "odoo" && on == "pg-main"; };
Incident on(std::string id, std::string service, AlertClass cls = AlertClass::urgent) {
  auto out = incident(std::move(id), "database", {{"alertname", "X"}, {"service", std::move(service)}});
  out.cls = cls;
  return out;
}

TEST(MaintenanceWindow, KeepsItsServicesAndTheirDependantsQuietAndTellsWhatStillFails) {
  RoutingBed bed(std::string(kOwners) + kMaintenance, kNeeds);
  EXPECT_THAT(bed.fire(on("I1", "pg-main")), IsEmpty());
  EXPECT_THAT(bed.decisions(), ElementsAre("in maintenance"));
  EXPECT_THAT(bed.fire(on("I2", "odoo")), IsEmpty());
  EXPECT_THAT(bed.fire(on("I3", "redis")), ElementsAre("fire I3 to dba"));
  EXPECT_THAT(bed.resolve("I2"), IsEmpty());
  bed.now = at("2026-11-23T11:59:59Z");
  EXPECT_THAT(bed.step(), IsEmpty());
  EXPECT_EQ(bed.router->next_wake(), at("2026-11-23T12:00:00Z"));
  EXPECT_THAT(bed.after(seconds(1)), ElementsAre("fire I1 to dba"));
}

TEST(MaintenanceWindow, TellsExecutiveIncidentsAndThoseThatBecomeOne) {
  RoutingBed bed(std::string(kOwners) + kMaintenance, kNeeds);
  EXPECT_THAT(bed.fire(on("I1", "pg-main", AlertClass::executive)), ElementsAre("fire I1 to dba"));
  auto rising = on("I2", "pg-main");
  EXPECT_THAT(bed.fire(rising), IsEmpty());
  rising.cls = AlertClass::executive;
  EXPECT_THAT(bed.escalate(rising), ElementsAre("fire I2 to dba"));
}

TEST(MaintenanceWindow, CanBeAskedForByTheSloEngine) {
  const auto table = operations(kMaintenance, {}).table;
  EXPECT_NE(in_maintenance(table.maintenance, kNeeds, "odoo", at("2026-11-23T10:00:00Z")), nullptr);
  EXPECT_EQ(in_maintenance(table.maintenance, kNeeds, "odoo", at("2026-11-23T12:00:00Z")), nullptr);
  EXPECT_EQ(in_maintenance(table.maintenance, {}, "odoo", at("2026-11-23T10:00:00Z")), nullptr);
}

TEST(Inhibition, HoldsAsAlertmanagerDoesWhereBothMatchBothSides) {
  const auto rule = R"(
inhibit_rules: [{source_matchers: [severity=~"critical|major"], target_matchers: [severity=~"major|minor"], equal: [node]}]
)";
  const auto with = [](const char* id, const char* severity, const char* node) {
    return incident(id, "database", {{"alertname", id}, {"severity", severity}, {"node", node}});
  };
  RoutingBed bed(std::string(kOwners) + rule);
  bed.fire(with("I1", "major", "n1"));
  // Both are source and target of the rule: neither holds the other.
  EXPECT_THAT(bed.fire(with("I2", "major", "n1")), ElementsAre("fire I2 to dba"));
  EXPECT_THAT(bed.fire(with("I3", "minor", "n1")), IsEmpty());
  EXPECT_THAT(bed.fire(with("I4", "minor", "n2")), ElementsAre("fire I4 to dba"));
  // A pure source holds what is both.
  bed.fire(with("I5", "critical", "n3"));
  EXPECT_THAT(bed.fire(with("I6", "major", "n3")), IsEmpty());
}

TEST(Inhibition, TakesAbsentLabelsForEqual) {
  RoutingBed bed(std::string(kOwners) +
                 "inhibit_rules: [{source_match: {alertname: A}, target_match_re: {alertname: B.*}, equal: [node]}]");
  bed.fire(incident("I1", "database", {{"alertname", "A"}}));
  EXPECT_THAT(bed.fire(incident("I2", "database", {{"alertname", "B1"}})), IsEmpty());
}

TEST(Inhibition, TellsTheOlderOfTwoThatHoldEachOther) {
  RoutingBed bed(std::string(kOwners) + R"(
inhibit_rules:
- {source_matchers: [alertname=A], target_matchers: [alertname=B]}
- {source_matchers: [alertname=B], target_matchers: [alertname=A]}
)");
  auto a = incident("I1", "database", {{"alertname", "A"}}), b = incident("I2", "database", {{"alertname", "B"}});
  bed.open = {a, b};
  EXPECT_THAT(bed.step({{.kind = NoticeKind::fire, .incident = a}, {.kind = NoticeKind::fire, .incident = b}}),
              ElementsAre("fire I1 to dba"));
}

TEST(Inhibition, PausesTheStepsOfWhatWasToldAndRepeatsNoPage) {
  RoutingBed bed(std::string(kOwners) + R"(
inhibit_rules: [{source_matchers: [alertname=NodeDown], target_matchers: [alertname=X]}]
escalations: {p: [{to: a}, {after: 10m, to: b}]}
)");
  bed.fire(incident("I1", "database", {{"alertname", "X"}}, {{"escalation", "p"}}));
  bed.after(minutes(4));
  bed.fire(incident("I2", "database", {{"alertname", "NodeDown"}}));
  EXPECT_THAT(bed.after(minutes(30)), IsEmpty());
  EXPECT_THAT(bed.resolve("I2"), ElementsAre("resolve I2 to dba"));
  EXPECT_THAT(bed.after(minutes(5)), IsEmpty());
  EXPECT_THAT(bed.after(minutes(1)), ElementsAre("escalate I1 to b"));
}

}  // namespace
}  // namespace ward::collector
