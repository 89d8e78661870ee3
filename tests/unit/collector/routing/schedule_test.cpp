#include "tests/unit/collector/routing/routing_bed.hpp"

namespace ward::collector {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Schedule schedule(const std::string& body) {
  auto read = operations("schedules: {s: " + body + "}");
  EXPECT_EQ(read.problems, "") << body;
  return read.table.schedules["s"];
}
std::string who(const Schedule& s, const char* when) { return s.on_call(at(when)).value_or("nobody"); }

TEST(Schedule, HandsOverEveryWeekAtItsHour) {
  // 2026-11-23 is a Monday; Paris is an hour ahead of UTC then.
  const auto s = schedule("{time_zone: Europe/Paris, layers: [{rotation: [a, b, c], start: 2026-11-23, handover: 09:00}]}");
  EXPECT_EQ(who(s, "2026-11-23T07:59:59Z"), "nobody");
  EXPECT_EQ(who(s, "2026-11-23T08:00:00Z"), "a");
  EXPECT_EQ(who(s, "2026-11-30T07:59:59Z"), "a");
  EXPECT_EQ(who(s, "2026-11-30T08:00:00Z"), "b");
  EXPECT_EQ(who(s, "2026-12-07T08:00:00Z"), "c");
  EXPECT_EQ(who(s, "2026-12-14T08:00:00Z"), "a");
}

TEST(Schedule, HandsOverByTheClockOnTheWallWhenTheClocksChange) {
  const auto s = schedule("{time_zone: Europe/Paris, layers: [{rotation: [a, b], start: 2026-03-23, handover: 09:00}]}");
  EXPECT_EQ(who(s, "2026-03-30T06:59:59Z"), "a");  // summer time since the day before
  EXPECT_EQ(who(s, "2026-03-30T07:00:00Z"), "b");
}

TEST(Schedule, HandsOverOnceInTheHourThatComesTwice) {
  const auto s =
      schedule("{time_zone: Europe/Paris, layers: [{rotation: [a, b], start: 2026-10-24, handover: 02:30, every: 1d}]}");
  EXPECT_EQ(who(s, "2026-10-25T00:29:59Z"), "a");
  EXPECT_EQ(who(s, "2026-10-25T00:30:00Z"), "b");
  EXPECT_EQ(who(s, "2026-10-25T01:10:00Z"), "b");  // 02:10 again
  EXPECT_EQ(who(s, "2026-10-25T01:30:00Z"), "b");
  EXPECT_EQ(who(s, "2026-10-26T01:30:00Z"), "a");
}

TEST(Schedule, HandsOverAtTheEndOfTheHourThatNeverComes) {
  const auto s =
      schedule("{time_zone: Europe/Paris, layers: [{rotation: [a, b], start: 2026-03-28, handover: 02:30, every: 1d}]}");
  EXPECT_EQ(who(s, "2026-03-29T00:59:59Z"), "a");
  EXPECT_EQ(who(s, "2026-03-29T01:00:00Z"), "b");
}

TEST(Schedule, LetsTheFirstLayerThatHasSomebodySay) {
  const auto s = schedule(R"({time_zone: UTC, layers: [
    {rotation: [a], start: 2026-01-05, only: [{weekdays: ['monday:friday'], times: [{start_time: 09:00, end_time: 17:00}]}]},
    {rotation: [b], start: 2026-01-05}]})");
  EXPECT_EQ(who(s, "2026-11-23T09:00:00Z"), "a");
  EXPECT_EQ(who(s, "2026-11-23T17:00:00Z"), "b");
  EXPECT_EQ(who(s, "2026-11-22T12:00:00Z"), "b");
}

TEST(Schedule, LetsAnOverrideSayFirstInItsZone) {
  const auto s = schedule(R"({time_zone: Europe/Paris, layers: [{rotation: [a], start: 2026-01-05}],
    overrides: [{from: 2026-12-24T08:00, until: 2026-12-26T08:00, who: b}, {from: "2026-12-25T00:00:00Z", until: 2026-12-25T12:00, who: c}]})");
  EXPECT_EQ(who(s, "2026-12-24T06:59:59Z"), "a");
  EXPECT_EQ(who(s, "2026-12-24T07:00:00Z"), "b");
  EXPECT_EQ(who(s, "2026-12-25T00:00:00Z"), "c");
  EXPECT_EQ(who(s, "2026-12-25T11:00:00Z"), "b");
  EXPECT_EQ(who(s, "2026-12-26T07:00:00Z"), "a");
}

TEST(Schedule, TellsOfItsFirstGapWhenItIsRead) {
  const auto read = operations(R"(schedules: {s: {time_zone: UTC, layers: [
    {rotation: [a], start: 2026-01-05, handover: "00:00", only: [{weekdays: ['monday:friday']}]},
    {rotation: [b], start: 2026-01-05, handover: "00:00", only: [{weekdays: [saturday]}]}]}})");
  EXPECT_EQ(read.problems, "");
  EXPECT_THAT(read.warnings, HasSubstr("from 2026-01-11T00:00:00.000Z to 2026-01-12T00:00:00.000Z"));
  EXPECT_EQ(first_gap(schedule("{time_zone: UTC, layers: [{rotation: [a], start: 2026-01-05}]}")), std::nullopt);
}

TEST(Schedule, IsWhoAStepTellsAtThatMoment) {
  RoutingBed bed(R"(
owners: {platform: {receiver: platform}}
schedules: {dbas: {time_zone: UTC, layers: [{rotation: [a, b], start: 2026-11-22, handover: "10:05", every: 1d}]}}
escalations: {p: {steps: [{to: dbas}], repeat: 10m}}
)");
  EXPECT_THAT(bed.fire(incident("I1", "platform", {{"alertname", "X"}}, {{"escalation", "p"}})),
              ElementsAre("fire I1 to a"));
  // The turn has changed since: the page is repeated to who has it now, and the end goes to both.
  EXPECT_THAT(bed.after(minutes(10)), ElementsAre("escalate I1 to b"));
  EXPECT_THAT(bed.resolve("I1"), ElementsAre("resolve I1 to a", "resolve I1 to b"));
}

TEST(Schedule, WithNobodyTellsTheFallbackOwnerInstead) {
  RoutingBed bed(R"(
owners: {database: {receiver: dbas, fallback: platform}, platform: {receiver: platform}}
schedules: {dbas: {time_zone: UTC, layers: [{rotation: [a], start: 2027-01-05}]}}
)");
  EXPECT_THAT(bed.fire(incident("I1", "database")), ElementsAre("fire I1 to platform"));
  EXPECT_THAT(bed.decisions(), ElementsAre("nobody on call"));
}

TEST(Schedule, HasItsPeopleFallBackToTheOwnersFallback) {
  const auto table = operations(R"(
owners: {database: {receiver: dbas, fallback: platform}, platform: {receiver: platform}}
schedules: {dbas: {time_zone: UTC, layers: [{rotation: [a, b], start: 2026-01-05}]}}
)")
                         .table;
  EXPECT_EQ(table.fallbacks(), (std::map<std::string, std::string>{{"a", "platform"}, {"b", "platform"}}));
}

}  // namespace
}  // namespace ward::collector
