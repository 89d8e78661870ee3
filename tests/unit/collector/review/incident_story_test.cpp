// wardctl explain INCIDENT: each reason for which somebody was woken, or was not.
#include "tests/unit/collector/review/evidence.hpp"

namespace ward::collector::review {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string told(const IncidentEvidence& evidence) { return text_of(tell_incident(evidence, kNow)); }

TEST(IncidentStory, SaysWhatItIsAndWhyItPaged) {
  auto evidence = open_incident();
  evidence.file.deliveries = {delivery(NoticeKind::fire, "dba", DeliveryState::delivered, kNow - minutes(10))};
  const auto text = told(evidence);
  EXPECT_THAT(text, HasSubstr("Incident 1V8AB2Q9XKZ4T7 is open for 10m: urgent, owner database."));
  EXPECT_THAT(text, HasSubstr("PostgresDown at pg-main (tenant clinic-a) is the cause."));
  EXPECT_THAT(text, HasSubstr("1 more alert came with it and did not page by themselves: OdooErrors."));
  EXPECT_THAT(text,
              HasSubstr("# Why it paged\nOpened for PostgresDown{tenant=\"clinic-a\"}: nothing it depends on is failing"));
  EXPECT_THAT(text, HasSubstr("OdooErrors{tenant=\"clinic-a\"} joined: odoo depends on pg-main."));
  EXPECT_THAT(text, HasSubstr("dba was paged: delivered after 1s."));
}

TEST(IncidentStory, TellsWhatBecameOfEachMessage) {
  auto evidence = open_incident();
  auto waits = delivery(NoticeKind::fire, "dba", DeliveryState::pending, kNow - minutes(10));
  waits.attempts = 7;
  waits.error = "connection refused";
  auto second = delivery(NoticeKind::fire, "platform", DeliveryState::delivered, kNow - minutes(9));
  second.instead_of = "dba";
  auto refused = delivery(NoticeKind::update, "desk", DeliveryState::failed_permanent, kNow - minutes(8));
  refused.error = "404";
  auto fresh = delivery(NoticeKind::update, "chat", DeliveryState::pending, kNow);
  fresh.attempts = 0;
  evidence.file.deliveries = {waits, second, refused, fresh};
  const auto text = told(evidence);
  EXPECT_THAT(text, HasSubstr("dba was paged: NOT delivered yet after 7 attempts (connection refused); it is tried again."));
  EXPECT_THAT(text, HasSubstr("platform was paged, because dba did not take it: delivered"));
  EXPECT_THAT(text, HasSubstr("desk was sent an update, which wakes nobody: REFUSED (404)"));
  EXPECT_THAT(text, HasSubstr("chat was sent an update, which wakes nobody: on its way."));
}

TEST(IncidentStory, SaysFirstThatNobodyHasGotThePage) {
  auto evidence = open_incident();
  EXPECT_THAT(told(evidence), Not(HasSubstr("NO RECEIVER"))) << "nobody was to be told";
  evidence.file.deliveries = {delivery(NoticeKind::fire, "dba", DeliveryState::pending, kNow - minutes(10))};
  EXPECT_THAT(tell_incident(evidence, kNow).headline, HasSubstr("NO RECEIVER HAS TAKEN ITS PAGE YET."));
  evidence.file.deliveries.push_back(delivery(NoticeKind::fire, "boss", DeliveryState::delivered, kNow));
  EXPECT_THAT(told(evidence), Not(HasSubstr("NO RECEIVER")));
}

TEST(IncidentStory, PutsEachDecisionWhereOneLooksForIt) {
  const std::pair<const char*, const char*> cases[] = {
      {"told on", "Who was told"},
      {"reminded", "Who was told"},
      {"nobody on call", "Who was told"},
      {"escalated", "Why nobody was told"},
      {"flapping", "Why nobody was told"},
      {"no longer silenced", "Why nobody was told"},
      {"acknowledgement taken back", "What people did"},
      {"verdict", "What people did"},
  };
  for (const auto& [what, title] : cases) {
    auto evidence = open_incident();
    evidence.file.decisions.push_back({kNow, evidence.file.incident.id, "", what, "MARK"});
    std::string found;
    for (const auto& section : tell_incident(evidence, kNow).sections)
      for (const auto& line : section.lines)
        if (line.text.find("MARK") != std::string::npos) found += section.title;
    EXPECT_EQ(found, title) << what;
  }
}

TEST(IncidentStory, NamesTheNextStepAndWhoCanStopIt) {
  auto evidence = open_incident();
  evidence.progress = EscalationRecord{};
  evidence.next = NextStep{.at = kNow + minutes(5), .to = "boss", .unless_acked = true, .repeats = false};
  const auto text = told(evidence);
  EXPECT_THAT(text, HasSubstr("In 5m boss is told, unless somebody acknowledges before."));
  EXPECT_THAT(text, HasSubstr("Nobody has it now. Take it on with 'wardctl ack 1V8AB2Q9XKZ4T7'."));
}

TEST(IncidentStory, SaysWhoHasIt) {
  auto evidence = open_incident();
  evidence.progress = EscalationRecord{};
  evidence.progress->ack = Acknowledgement{.by = "anna", .note = "on it", .at = kNow};
  evidence.file.decisions.push_back({kNow, evidence.file.incident.id, "", "acknowledged", "anna: on it"});
  const auto text = told(evidence);
  EXPECT_THAT(text, HasSubstr("Taken on by anna: on it."));
  EXPECT_THAT(text, HasSubstr("Nothing by itself while anna has it"));
  EXPECT_THAT(text, Not(HasSubstr("Nobody has it")));
}

TEST(IncidentStory, SaysWhyNobodyWasTold) {
  const std::tuple<MuteKind, const char*, const char*, const char*> cases[] = {
      {MuteKind::silenced, "silenced", "Not told, for it is silenced: R.", "'wardctl silence expire S'"},
      {MuteKind::inhibited, "inhibited", "Not told, for it is inhibited: R.", "'wardctl explain S'"},
      {MuteKind::maintenance, "maintenance", "Not told, for maintenance: R.", "Nothing while S is in maintenance"},
  };
  for (const auto& [mute, what, reason, way_out] : cases) {
    auto evidence = open_incident();
    evidence.progress = EscalationRecord{};
    evidence.progress->mute = mute;
    evidence.progress->muted_by = "S";
    evidence.file.decisions.push_back({kNow, evidence.file.incident.id, "", what, "R"});
    const auto text = told(evidence);
    EXPECT_THAT(text, HasSubstr("# Why nobody was told\n")) << what;
    EXPECT_THAT(text, HasSubstr(reason)) << what;
    EXPECT_THAT(text, HasSubstr(way_out)) << what;
  }
}

TEST(IncidentStory, SaysThatAReceiverWaitsForItsHours) {
  auto evidence = open_incident();
  evidence.progress = EscalationRecord{};
  evidence.progress->owed = {{"office", 0}};
  EXPECT_THAT(told(evidence), HasSubstr("By its plan office hears of it only in certain hours"));
}

TEST(IncidentStory, ClassesBelowUrgentWakeNobody) {
  auto evidence = open_incident();
  evidence.file.deliveries = {delivery(NoticeKind::fire, "dba", DeliveryState::delivered, kNow)};
  evidence.file.incident.cls = AlertClass::informational;
  EXPECT_THAT(told(evidence), HasSubstr("# Why somebody was told\nIt is informational"));
  EXPECT_THAT(told(evidence), HasSubstr("dba was sent a message"));
  evidence.file.incident.cls = AlertClass::actionable;
  EXPECT_THAT(told(evidence), HasSubstr("It is actionable"));
}

TEST(IncidentStory, SaysWhyItEndedAndAsksForAVerdict) {
  auto evidence = open_incident();
  auto& i = evidence.file.incident;
  i.phase = IncidentPhase::resolved;
  i.resolved_at = kNow - minutes(2);
  evidence.file.decisions.push_back({i.resolved_at, i.id, "", "resolved", "none of its alerts fires any more"});
  auto text = told(evidence);
  EXPECT_THAT(text, HasSubstr("is over; it lasted 8m"));
  EXPECT_THAT(text, HasSubstr("# How it ended\nResolved: none of its alerts fires any more."));
  EXPECT_THAT(text, HasSubstr("'wardctl verdict 1V8AB2Q9XKZ4T7 acted|auto-recovered|known|false'"));
  i.verdict = Verdict{.kind = VerdictKind::acted, .by = "anna", .note = "", .at = kNow};
  EXPECT_THAT(told(evidence), Not(HasSubstr("It has no verdict")));
}

TEST(IncidentStory, LeadsToTheIncidentItWasMergedInto) {
  auto evidence = open_incident();
  evidence.file.incident.phase = IncidentPhase::resolved;
  evidence.file.incident.merged_into = "1V8AAAAAAAAAAA";
  const auto text = told(evidence);
  EXPECT_THAT(text, HasSubstr("'wardctl explain 1V8AAAAAAAAAAA'"));
  EXPECT_THAT(text, Not(HasSubstr("no verdict")));
}

TEST(IncidentStory, ShowsTheFirstOfManyThatJoined) {
  auto evidence = open_incident();
  for (int i = 0; i < 40; ++i) evidence.file.decisions.push_back({kNow, evidence.file.incident.id, "x", "attached", "W"});
  const auto text = told(evidence);
  EXPECT_THAT(text, HasSubstr("... and 33 alerts more joined."));
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 30);
}

TEST(IncidentStory, ClaimsNoCauseForACommonScope) {
  auto evidence = open_incident();
  evidence.file.incident.in_common = Labels{{"node", "n1"}};
  EXPECT_THAT(told(evidence), HasSubstr("No cause is claimed: many alerts began at once, and share only node n1."));
}

}  // namespace
}  // namespace ward::collector::review
