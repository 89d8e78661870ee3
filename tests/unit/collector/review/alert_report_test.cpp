// The monthly review: figures from incidents that are written down here, one line each.
#include "collector/review/alert_report.hpp"

#include "collector/review/paged_incident.hpp"
#include "collector/routing/router.hpp"
#include "common/base/duration.hpp"
#include "tests/unit/collector/review/evidence.hpp"
#include "tests/unit/collector/routing/routing_bed.hpp"

namespace ward::collector::review {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const Time kFrom = parse_time("2026-11-01T00:00:00Z").value();
const Time kTo = parse_time("2026-12-01T00:00:00Z").value();

/// One incident of the month, as a table tells it.
struct Line {
  std::string rule = "PostgresDown";
  milliseconds at{0};  ///< since the month began
  milliseconds length{minutes(30)};
  milliseconds ack{-1};  ///< since it was opened; below 0: nobody
  std::optional<VerdictKind> verdict{};
  std::size_t pages = 1;
  AlertClass cls = AlertClass::urgent;
  std::vector<std::pair<std::string, std::string>> decisions{};  ///< what and why
  std::size_t symptoms = 0;
  std::string tenant = "clinic-a";
};

IncidentFile file_of(const Line& line, int number) {
  IncidentFile out;
  auto& i = out.incident;
  i.id = "I" + std::to_string(number);
  i.phase = IncidentPhase::resolved;
  i.cls = line.cls;
  i.owner = "database";
  i.root_service = "pg-main";
  i.root_alert = line.rule;
  i.scope = Labels{{"tenant", line.tenant}};
  i.opened_at = kFrom + line.at;
  i.resolved_at = i.opened_at + line.length;
  i.alerts.push_back(alert(line.rule, "pg-main", i.opened_at));
  for (std::size_t s = 0; s < line.symptoms; ++s) i.alerts.push_back(alert("S" + std::to_string(s), "odoo", i.opened_at));
  if (line.verdict) i.verdict = Verdict{.kind = *line.verdict, .by = "anna", .note = "", .at = i.resolved_at};
  for (std::size_t p = 0; p < line.pages; ++p)
    out.deliveries.push_back(delivery(p == 0 ? NoticeKind::fire : NoticeKind::escalate, "dba", DeliveryState::delivered,
                                      i.opened_at + minutes(p)));
  for (const auto& [what, why] : line.decisions) out.decisions.push_back({i.opened_at, i.id, "", what, why});
  if (line.ack >= milliseconds{0}) out.decisions.push_back({i.opened_at + line.ack, i.id, "", "acknowledged", "anna"});
  return out;
}

AlertReportInput month(const std::vector<Line>& lines) {
  AlertReportInput out;
  out.from = kFrom;
  out.to = kTo;
  out.now = kTo + hours(24);
  out.log_from = out.now - hours(24 * 90);
  for (const auto& line : lines) {
    out.files.push_back(file_of(line, static_cast<int>(out.files.size())));
    out.fired.insert(line.rule);
  }
  return out;
}

const Proposal& proposal(const AlertReport& report, const std::string& rule) {
  for (const auto& p : report.proposals)
    if (p.rule == rule) return p;
  throw std::logic_error("no proposal for " + rule);
}

TEST(AlertReport, OfAQuietMonthHasNothingToMeasure) {
  const auto report = review_alerts(month({}));
  EXPECT_EQ(report.all.incidents, 0U);
  EXPECT_EQ(report.all.pages_per_incident(), std::nullopt);
  EXPECT_EQ(report.all.actionability(), std::nullopt);
  EXPECT_EQ(report.all.precision(), std::nullopt);
  EXPECT_EQ(report.detection.recall(), std::nullopt);
  EXPECT_EQ(report.all.shift_p95, 0U);
}

TEST(AlertReport, CountsPagesByRuleOwnerAndTenant) {
  const auto report = review_alerts(month({{.pages = 3}, {.rule = "DiskFull", .tenant = "clinic-b"}}));
  EXPECT_EQ(report.all.incidents, 2U);
  EXPECT_EQ(report.all.pages, 4U);
  EXPECT_EQ(report.all.pages_per_incident(), 2.0);
  EXPECT_EQ(report.by_rule.at("PostgresDown").pages, 3U);
  EXPECT_EQ(report.by_owner.at("database").pages, 4U);
  EXPECT_EQ(report.by_tenant.at("clinic-b").pages, 1U);
}

TEST(AlertReport, WhatWakesNobodyIsNoPage) {
  const auto report = review_alerts(month({{.cls = AlertClass::actionable}}));
  EXPECT_EQ(report.all.incidents, 1U);
  EXPECT_EQ(report.all.paged, 0U);
}

TEST(AlertReport, APageThatTookOverForAnotherIsTheSamePage) {
  auto input = month({{}});
  auto second = delivery(NoticeKind::fire, "platform", DeliveryState::delivered, kFrom);
  second.instead_of = "dba";
  input.files[0].deliveries.push_back(second);
  EXPECT_EQ(review_alerts(input).all.pages, 1U);
}

TEST(AlertReport, ActionabilityIsTheShareOfVerdictsThatActed) {
  const auto report = review_alerts(month({{.verdict = VerdictKind::acted},
                                           {.verdict = VerdictKind::false_alarm},
                                           {.verdict = VerdictKind::auto_recovered},
                                           {.verdict = VerdictKind::acted},
                                           {}}));
  EXPECT_EQ(report.all.actionability(), 0.5);
  EXPECT_EQ(report.all.without_verdict, 1U);
  EXPECT_THAT(report.notes, testing::Contains(HasSubstr("--without-verdict")));
}

TEST(AlertReport, MeasuresAcknowledgementsFromTheFirstPage) {
  const auto report =
      review_alerts(month({{.ack = minutes(1)}, {.ack = minutes(2)}, {.ack = minutes(3)}, {.ack = minutes(40)}, {}}));
  EXPECT_EQ(report.all.acknowledged, (Spread{.count = 4, .p50 = minutes(2), .p90 = minutes(40)}));
  EXPECT_EQ(report.all.unacknowledged, 1U);
}

TEST(AlertReport, NightsAndShiftsFollowTheZone) {
  // 21:30 UTC is 22:30 in Paris in November.
  auto input = month({{.at = hours(21) + minutes(30)}});
  EXPECT_EQ(review_alerts(input).all.night_pages, 0U);
  input.around.zone_of = [](const std::string& tenant) { return tenant == "clinic-a" ? "Europe/Paris" : ""; };
  EXPECT_EQ(review_alerts(input).all.night_pages, 1U);
}

TEST(AlertReport, CountsIncidentsOfEachShift) {
  std::vector<Line> lines;
  for (int i = 0; i < 6; ++i) lines.push_back({.at = hours(9) + minutes(i)});  // one bad day shift
  lines.push_back({.at = hours(24 * 3 + 2)});
  const auto report = review_alerts(month(lines));
  EXPECT_NEAR(report.all.shift_mean, 7.0 / 61, 1e-9) << "the month cuts two nights in two";
  EXPECT_EQ(report.all.shift_p95, 0U);
  std::vector<Line> busy;
  for (int day = 0; day < 30; ++day)
    for (int i = 0; i < 3; ++i) busy.push_back({.at = hours(24 * day + 9 + i)});
  EXPECT_EQ(review_alerts(month(busy)).all.shift_p95, 3U);
}

TEST(AlertReport, NoiseIsWhatEndsAtOnceWithoutAnybody) {
  const auto report =
      review_alerts(month({{.length = minutes(4)}, {.length = minutes(4), .ack = minutes(1)}, {.length = minutes(6)}}));
  EXPECT_EQ(report.all.noise, 1U);
}

TEST(AlertReport, ReadsCorrelationsHealthFromTheDecisions) {
  auto input = month({{.decisions = {{"root changed", "X at Y showed late and explains Z"}}, .symptoms = 4},
                      {.decisions = {{"root changed", "A still fires 5m after B has healed: residual"}}},
                      {.decisions = {{"flapping", "5 changes in 30m"}}},
                      {.decisions = {{"silenced", "s1"}}, .symptoms = 0},
                      {}});
  input.files[3].deliveries.clear();
  input.files[4].incident.merged_into = "I0";
  const auto all = review_alerts(input).all;
  EXPECT_EQ(all.late_roots, 1U);
  EXPECT_EQ(all.residual_roots, 1U);
  EXPECT_EQ(all.flaps, 1U);
  EXPECT_EQ(all.muted, 1U);
  EXPECT_EQ(all.merged, 1U);
  EXPECT_EQ(all.incidents, 4U) << "what was merged counts where it went";
  EXPECT_EQ(all.suppressed, 4U);
}

TEST(AlertReport, KnowsALaterStepByTheRoutersOwnWords) {
  RoutingBed bed("owners: {database: {receiver: dba, fallback: platform}, platform: {receiver: platform}}\n");
  bed.fire(incident("I1", "database"));
  bed.after(minutes(5));
  ASSERT_THAT(bed.last.decisions, SizeIs(1));
  EXPECT_TRUE(is_later_step(bed.last.decisions[0])) << bed.last.decisions[0].why;
  EXPECT_FALSE(is_later_step({kFrom, "I1", "", "told on", "dba: It was held back until this hour."}));
  EXPECT_FALSE(is_later_step({kFrom, "I1", "", "told again", "dba: Nobody has acknowledged yet."}));
  const auto report = review_alerts(month({{.decisions = {{"told on", bed.last.decisions[0].why}}}}));
  EXPECT_EQ(report.all.later_steps, 1U);
}

SloTime felt(milliseconds from, milliseconds length, double worth, Labels group = {}) {
  const auto begin = slo::minute_of(kFrom + from);
  return {.slo = "admission-ok",
          .service = "odoo",
          .group = std::move(group),
          .bad = {{.from = begin, .to = begin + std::chrono::duration_cast<minutes>(length), .worth = worth}}};
}

TEST(AlertReport, WithoutAServiceLevelToAskOnlyVerdictsTellWhetherAPageMattered) {
  auto input = month({{.at = hours(1)}, {.at = hours(50)}, {.at = hours(90), .verdict = VerdictKind::acted}});
  input.slos = {felt(hours(1), minutes(20), 0.5)};  // of odoo, which has nothing to do with pg-main here
  const auto all = review_alerts(input).all;
  EXPECT_EQ(all.precise, 1U);
  EXPECT_EQ(all.imprecise, 0U) << "what cannot be judged is none of the two";
}

TEST(AlertReport, JudgesByTheServiceLevelsOfWhatDependsOnTheCause) {
  auto input = month({{.at = hours(1)}, {.at = hours(50)}});
  input.around.needs = [](const std::string& service, const std::string& other) {
    return service == "odoo" && other == "pg-main";
  };
  input.slos = {felt(hours(1), minutes(20), 0.5)};
  const auto report = review_alerts(input);
  EXPECT_EQ(report.all.precise, 1U);
  EXPECT_EQ(report.all.imprecise, 1U);
  input.slos = {felt(hours(1), minutes(20), 0.5, Labels{{"tenant", "clinic-b"}})};
  EXPECT_EQ(review_alerts(input).all.precise, 0U) << "another tenant's users";
}

TEST(AlertReport, TellsWhatUsersFeltAndNobodyWasPagedFor) {
  auto input = month({{.at = hours(1) + minutes(4), .length = minutes(30)}});
  input.around.needs = [](const std::string&, const std::string&) { return true; };
  input.slos = {felt(hours(1), minutes(20), 0.5), felt(hours(200), minutes(60), 0.25), felt(hours(300), minutes(1), 0.005)};
  const auto detection = review_alerts(input).detection;
  EXPECT_EQ(detection.stretches, 2U) << "half a percent is too little to wake anybody for";
  EXPECT_EQ(detection.recall(), 0.5);
  EXPECT_EQ(detection.delay.p50, minutes(4));
  EXPECT_EQ(detection.reset.p50, minutes(14));
  ASSERT_THAT(detection.missed, SizeIs(1));
  EXPECT_EQ(detection.missed[0].stretch.worth, 0.25);
}

RuleFact rule(std::string name, std::string cls, std::string owner = "database", bool runbook = true) {
  return {.name = std::move(name),
          .group = "g",
          .file = "f.yaml",
          .hold = minutes(2),
          .labels = Labels{{"class", std::move(cls)}, {"owner", std::move(owner)}, {"service", "pg-main"}},
          .last_error = "",
          .last_evaluation = {},
          .has_runbook = runbook,
          .off_for = {}};
}

TEST(AlertReport, ListsWhatRulesLack) {
  auto input = month({{}});
  input.rules = {rule("PostgresDown", "urgent"), rule("Orphan", "urgent", "", false), rule("Note", "informational")};
  input.tested = {"PostgresDown"};
  const auto hygiene = review_alerts(input).hygiene;
  EXPECT_THAT(hygiene.never_fired, ElementsAre("Orphan", "Note"));
  EXPECT_THAT(hygiene.without_owner, ElementsAre("Orphan"));
  EXPECT_THAT(hygiene.without_runbook, ElementsAre("Orphan"));
  EXPECT_THAT(hygiene.without_test, ElementsAre("Orphan"));
  input.around.owner_of = [](const std::string&) { return "database"; };
  EXPECT_THAT(review_alerts(input).hygiene.without_owner, IsEmpty()) << "the service map knows";
}

TEST(AlertReport, CountsSilencesWithinTheMonthAndNamesLongOnes) {
  auto input = month({});
  input.silences = {{.id = "s1", .matchers = "", .by = "", .from = kFrom - hours(10), .to = kFrom + hours(2)},
                    {.id = "s2", .matchers = "a=\"b\"", .by = "ben", .from = kTo - hours(10), .to = kTo + hours(24 * 30)}};
  const auto hygiene = review_alerts(input).hygiene;
  EXPECT_DOUBLE_EQ(hygiene.silence_hours, 12);
  EXPECT_THAT(hygiene.long_silences, ElementsAre(input.silences[1]));
}

TEST(PastSilences, AreReadFromWhatTheRouterAudits) {
  RoutingBed bed("owners: {database: {receiver: dba}, platform: {receiver: platform}}\n");
  const auto start = bed.now;
  const std::vector<SilenceMatcher> tricky{{.name = "x", .value = "} from here to there by: "}};
  ASSERT_TRUE(bed.silence("s1", seconds(0), hours(5)));
  ASSERT_TRUE(bed.silence("s2", seconds(0), hours(5), tricky));
  ASSERT_TRUE(bed.silence("s3", hours(8), hours(9)));
  bed.after(hours(1));
  ASSERT_TRUE(bed.perform({.kind = Command::Kind::expire_silence, .subject = "s1"}));
  ASSERT_TRUE(bed.perform({.kind = Command::Kind::expire_silence, .subject = "s3"}));
  std::vector<AuditRecord> audit;
  for (const auto& entry : bed.audit) audit.push_back({.number = audit.size() + 1, .entry = entry});
  audit.push_back(
      {.number = 9, .entry = {.at = start, .actor = "a", .action = "silence", .subject = "s9", .detail = "odd"}});
  audit.push_back({.number = 10, .entry = {.at = start, .actor = "a", .action = "ack", .subject = "s2", .detail = ""}});
  const auto silences = silences_of(audit);
  ASSERT_THAT(silences, SizeIs(2)) << "s3 was ended before it began";
  EXPECT_EQ(silences[0],
            (PastSilence{.id = "s1", .matchers = "alertname=\"X\"", .by = "anna", .from = start, .to = start + hours(1)}));
  EXPECT_EQ(silences[1].matchers, "x=\"} from here to there by: \"");
  EXPECT_EQ(silences[1].to, start + hours(5));
}

TEST(Proposals, DeleteWhatNobodyEverHadToActOn) {
  const auto report = review_alerts(month(
      {{.verdict = VerdictKind::false_alarm}, {.verdict = VerdictKind::false_alarm}, {.verdict = VerdictKind::known}}));
  EXPECT_EQ(proposal(report, "PostgresDown").action, Proposal::Action::remove);
  EXPECT_THAT(proposal(report, "PostgresDown").reason, HasSubstr("of 3 verdicts 2 false, 1 known"));
}

TEST(Proposals, KeepWhatMatteredOnce) {
  const auto report = review_alerts(month({{.verdict = VerdictKind::false_alarm},
                                           {.verdict = VerdictKind::acted},
                                           {.verdict = VerdictKind::acted},
                                           {.verdict = VerdictKind::known}}));
  EXPECT_EQ(proposal(report, "PostgresDown").action, Proposal::Action::keep);
}

TEST(Proposals, TuneNoiseByALongerFor) {
  auto input = month({{.length = minutes(1)}, {.length = minutes(2)}, {.length = minutes(3)}, {.length = hours(1)}});
  input.rules = {rule("PostgresDown", "urgent")};
  const auto tuned = proposal(review_alerts(input), "PostgresDown");
  EXPECT_EQ(tuned.action, Proposal::Action::tune);
  EXPECT_EQ(tuned.change, "for: 6m") << "two as it is, and more than the three that most of them lasted";
  EXPECT_EQ(tuned.hold, minutes(6));
  EXPECT_THAT(tuned.reason, HasSubstr("3 of 4"));
}

TEST(Proposals, TuneWhatFlapsOrTellsTooManyOrIsMostlyWrong) {
  const std::vector<std::pair<std::vector<Line>, std::string>> cases = {
      {{{.decisions = {{"flapping", ""}}}, {.decisions = {{"flapping", ""}}}, {.decisions = {{"flapping", ""}}}},
       "keep_firing_for"},
      {{{.pages = 3}, {.pages = 3}, {.pages = 3}}, "escalation"},
      {{{.verdict = VerdictKind::auto_recovered}, {.verdict = VerdictKind::auto_recovered}, {.verdict = VerdictKind::acted}},
       "higher threshold"},
  };
  for (const auto& [lines, change] : cases) {
    const auto report = review_alerts(month(lines));
    EXPECT_EQ(proposal(report, "PostgresDown").action, Proposal::Action::tune) << change;
    EXPECT_THAT(proposal(report, "PostgresDown").change, HasSubstr(change));
  }
}

TEST(Proposals, TellQuietRulesApart) {
  auto input = month({});
  input.rules = {rule("Tested", "urgent"), rule("Untested", "executive"), rule("Note", "informational"),
                 rule("Once", "actionable")};
  input.tested = {"Tested"};
  input.fired = {"Once"};
  auto report = review_alerts(input);
  EXPECT_EQ(proposal(report, "Note").action, Proposal::Action::remove);
  EXPECT_EQ(proposal(report, "Once").action, Proposal::Action::keep);
  EXPECT_THAT(proposal(report, "Tested").reason, HasSubstr("a test shows that it would"));
  EXPECT_THAT(proposal(report, "Untested").reason, HasSubstr("write one"));
  EXPECT_EQ(report.proposals.front().rule, "Note") << "deletes come first";
  input.log_from = input.now - hours(24 * 10);
  report = review_alerts(input);
  EXPECT_EQ(proposal(report, "Note").action, Proposal::Action::keep) << "ten days tell nothing";
}

}  // namespace
}  // namespace ward::collector::review
