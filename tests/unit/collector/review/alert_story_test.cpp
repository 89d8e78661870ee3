// wardctl explain ALERT: from a name that nobody knows to a page.
#include "tests/unit/collector/review/evidence.hpp"

namespace ward::collector::review {
namespace {

using testing::HasSubstr;
using testing::Not;

RuleFact rule() {
  return {.name = "PostgresDown",
          .group = "pg",
          .file = "pg.yaml",
          .hold = minutes(5),
          .labels = Labels{{"class", "urgent"}},
          .last_error = "",
          .last_evaluation = kNow - seconds(10),
          .has_runbook = true,
          .off_for = {}};
}
AlertCase live(AlertPhase phase = AlertPhase::firing) {
  return {.alert = alert("PostgresDown", "pg-main", kNow - minutes(3), phase), .live = true};
}
std::string told(const AlertEvidence& evidence) { return text_of(tell_alert(evidence, kNow)); }

TEST(AlertStory, SaysThatNothingHasThatNameAndWhatLooksLikeIt) {
  const auto text = told({.asked = "PostgresDwon", .near = {"PostgresDown"}});
  EXPECT_THAT(text, HasSubstr("Nothing is called 'PostgresDwon': no loaded rule, no SLO, no alert"));
  EXPECT_THAT(text, HasSubstr("Did you mean PostgresDown?"));
}

TEST(AlertStory, TellsTheStateOfARuleThatFindsNothing) {
  const auto text = told({.asked = "PostgresDown", .rules = {rule()}});
  EXPECT_THAT(text, HasSubstr("PostgresDown does not fire now, and did not within 90 days."));
  EXPECT_THAT(text, HasSubstr("is a rule of pg.yaml, group pg: urgent, and fires when its expression has held for 5m."));
  EXPECT_THAT(text, HasSubstr("It was evaluated 10s ago and found nothing: it is inactive."));
}

TEST(AlertStory, TellsThatARuleCannotBeEvaluatedOrIsOff) {
  auto broken = rule();
  broken.last_error = "no such function";
  broken.off_for = {"lab", "test"};
  const auto text = told({.asked = "PostgresDown", .rules = {broken}});
  EXPECT_THAT(text, HasSubstr("Its last evaluation FAILED, so it can tell nothing: no such function."));
  EXPECT_THAT(text, HasSubstr("It is off for the tenants lab and test"));
  auto fresh = rule();
  fresh.last_evaluation = Time{};
  EXPECT_THAT(told({.asked = "PostgresDown", .rules = {fresh}}), HasSubstr("It has not been evaluated yet."));
  fresh.labels = {};
  fresh.hold = {};
  EXPECT_THAT(told({.asked = "PostgresDown", .rules = {fresh}}),
              HasSubstr("actionable, for want of a class, and fires as soon as its expression holds."));
}

TEST(AlertStory, SaysWhenAPendingAlertFires) {
  const auto text = told({.asked = "PostgresDown", .rules = {rule()}, .alerts = {live(AlertPhase::pending)}});
  EXPECT_THAT(text, HasSubstr("PostgresDown: 1 is pending."));
  EXPECT_THAT(text,
              HasSubstr("is pending for 3m: nobody is told before it has held as long as its rule says. It fires in 2m"));
}

TEST(AlertStory, SaysWhatAHeldAlertWaitsFor) {
  auto one = live();
  one.decisions = {{kNow - minutes(1), "", alert_id(one.alert), "held", "no cause is in sight yet"}};
  auto text = told({.asked = "PostgresDown", .rules = {rule()}, .alerts = {one}});
  EXPECT_THAT(text, HasSubstr("Nobody is told yet. It is held, so that a cause can show first: no cause is in sight yet."));
  // A hold of an earlier firing explains nothing.
  one.decisions[0].at = kNow - hours(5);
  text = told({.asked = "PostgresDown", .rules = {rule()}, .alerts = {one}});
  EXPECT_THAT(text, Not(HasSubstr("It is held")));
  EXPECT_THAT(text, HasSubstr("It is in no incident yet"));
}

TEST(AlertStory, SaysWhichIncidentHasASymptomAndWhy) {
  AlertCase one{.alert = alert("OdooErrors", "odoo", kNow - minutes(9)), .live = true};
  one.incident = open_incident();
  one.decisions = {one.incident->file.decisions[1]};
  const auto text = told({.asked = "OdooErrors", .alerts = {one}});
  EXPECT_THAT(text,
              HasSubstr("It did not page by itself: incident 1V8AB2Q9XKZ4T7 (PostgresDown at pg-main (tenant clinic-a)) "
                        "has it, for odoo depends on pg-main."));
  EXPECT_THAT(text, HasSubstr("# Its incident\nIncident 1V8AB2Q9XKZ4T7 is open"));
  EXPECT_THAT(text, HasSubstr("# What comes next"));
}

TEST(AlertStory, SaysThatItIsTheCause) {
  auto one = live();
  one.incident = open_incident();
  EXPECT_THAT(told({.asked = "PostgresDown", .alerts = {one}}), HasSubstr("It is the cause of incident 1V8AB2Q9XKZ4T7."));
}

TEST(AlertStory, NamesTheSilencesOverIt) {
  auto one = live();
  AlertSilence silence;
  silence.id = "s1";
  silence.created_by = "anna";
  silence.comment = "disk swap";
  silence.ends_at = kNow + hours(1);
  one.silences = {silence};
  EXPECT_THAT(told({.asked = "PostgresDown", .alerts = {one}}),
              HasSubstr("Silence s1 by anna covers it until 2026-11-22T11:42:00.000Z: disk swap"));
}

TEST(AlertStory, TellsOfAnAlertThatPassed) {
  AlertCase one{.alert = alert("PostgresDown", "pg-main", kNow - hours(5), AlertPhase::resolved)};
  one.alert.resolved_at = kNow - hours(4);
  one.decisions = {{kNow - hours(4), "", "x", "passed", "PostgresDown ceased before its hold ended; nobody was told"}};
  const auto text = told({.asked = "PostgresDown", .rules = {rule()}, .alerts = {one}});
  EXPECT_THAT(text, HasSubstr("does not fire now; it fired last from 2026-11-22T05:42:00.000Z for 1h."));
  EXPECT_THAT(text, HasSubstr("It told nobody: PostgresDown ceased before its hold ended"));
}

TEST(AlertStory, ListsSeveralIncidentsInsteadOfMixingThem) {
  auto a = live();
  a.incident = open_incident();
  auto b = live();
  b.incident = open_incident();
  b.incident->file.incident.id = "1V8AB2Q9XKZ4T8";
  const auto text = told({.asked = "PostgresDown", .alerts = {a, b}, .more = 3});
  EXPECT_THAT(text, HasSubstr("'wardctl explain 1V8AB2Q9XKZ4T7'"));
  EXPECT_THAT(text, HasSubstr("'wardctl explain 1V8AB2Q9XKZ4T8'"));
  EXPECT_THAT(text, HasSubstr("3 alerts more of that name; narrow it with PostgresDown{label=\"value\"}."));
  EXPECT_THAT(text, Not(HasSubstr("# What comes next")));
}

}  // namespace
}  // namespace ward::collector::review
