// From samples to the outbox: what arrives is evaluated, folded into an incident, routed, committed and only then handed
// out.
#include "tests/unit/collector/app/pipeline_bed.hpp"

namespace ward::collector {
namespace {

TEST_F(PipelineTest, MakesOneMessageOfASampleThatSaysDown) {
  start(kPgDown);
  arrive("pg_up", 1);
  step();
  EXPECT_THAT(due(), IsEmpty());
  clock_.advance(seconds(1));
  arrive("pg_up", 0);
  step();
  EXPECT_THAT(due(), ElementsAre("fire dba"));
  EXPECT_EQ(life_->woken, 1);
  ASSERT_THAT(life_->pipeline->open_incidents(), SizeIs(1));
  EXPECT_EQ(life_->pipeline->open_incidents()[0].root_service, "pg-main");
  ASSERT_THAT(*life_->pipeline->alerts(), SizeIs(1));
  EXPECT_EQ(life_->pipeline->alerts()->at(0).annotations.get("summary"), "PgDown at db");
}

TEST_F(PipelineTest, CommitsAlertIncidentDecisionAndMessageTogether) {
  start(kPgDown);
  arrive("pg_up", 0);
  step();
  ASSERT_THAT(store_.changes, SizeIs(1));
  const auto& change = store_.changes[0];
  EXPECT_THAT(change.alerts, SizeIs(1));
  ASSERT_THAT(change.incidents, SizeIs(1));
  ASSERT_THAT(change.deliveries, SizeIs(1));
  EXPECT_EQ(change.deliveries[0].delivery.incident, change.incidents[0].incident.id);
  EXPECT_THAT(change.notified, ElementsAre(Notified{change.incidents[0].incident.id, "dba"}));
  EXPECT_THAT(change.decisions, testing::Not(IsEmpty()));
}

TEST_F(PipelineTest, CommitsNothingWhereNothingChanged) {
  start(kPgDown);
  arrive("pg_up", 0);
  step();
  const auto commits = store_.changes.size();
  for (int i = 0; i < 5; ++i) step_after(seconds(1));
  EXPECT_EQ(store_.changes.size(), commits);
  EXPECT_EQ(life_->pipeline->last_tick(), clock_.wall());
}

TEST_F(PipelineTest, EvaluatesUrgentRulesOnArrivalAndOthersOnTheirTick) {
  start("groups:\n- name: a\n  interval: 1h\n  rules:\n" + alert("Urgent", "pg_up", "urgent", "pg-main") +
        "- name: b\n  interval: 1h\n  rules:\n" + alert("Calm", "pg_up", "actionable", "pg-main"));
  arrive("pg_up", 0);
  step();
  ASSERT_THAT(*life_->pipeline->alerts(), SizeIs(1));
  EXPECT_EQ(life_->pipeline->alerts()->at(0).labels.get("alertname"), "Urgent");
  clock_.advance(hours(1));
  arrive("pg_up", 0);
  step();
  EXPECT_THAT(*life_->pipeline->alerts(), SizeIs(2));
}

TEST_F(PipelineTest, LeavesRulesAloneThatReadNothingOfWhatArrived) {
  start(kPgDown);
  arrive("pg_up", 0);
  (void)life_->sink.take_arrived();
  arrive("redis_up", 0);
  step();
  EXPECT_THAT(*life_->pipeline->alerts(), IsEmpty());
}

TEST_F(PipelineTest, TellsTheEndOnceToWhomItToldTheBeginning) {
  start(kPgDown);
  arrive("pg_up", 0);
  step();
  EXPECT_THAT(due(), ElementsAre("fire dba"));
  clock_.advance(seconds(30));
  arrive("pg_up", 1);
  step();
  step_after(seconds(1));
  EXPECT_THAT(due(), ElementsAre("resolve dba"));
  EXPECT_THAT(*life_->pipeline->alerts(), IsEmpty()) << "a resolved alert is none";
  EXPECT_THAT(life_->pipeline->open_incidents(), IsEmpty());
  for (int i = 0; i < 5; ++i) step_after(seconds(10));
  EXPECT_THAT(due(), IsEmpty());
}

TEST_F(PipelineTest, FoldsWhatOneCauseBreaksIntoOneMessage) {
  start(group(alert("PgDown", "pg_up", "urgent", "pg-main") + alert("OdooDown", "odoo_up", "urgent", "odoo")));
  arrive("pg_up", 0);
  arrive("odoo_up", 0);
  step();
  step_after(seconds(5));
  EXPECT_THAT(due(), ElementsAre("fire dba"));
  ASSERT_THAT(life_->pipeline->open_incidents(), SizeIs(1));
  EXPECT_THAT(life_->pipeline->open_incidents()[0].alerts, SizeIs(2));
}

TEST_F(PipelineTest, HandsOutNothingThatIsNotStored) {
  start(kPgDown);
  store_.full = true;
  arrive("pg_up", 0);
  step();
  EXPECT_THAT(due(), IsEmpty());
  EXPECT_EQ(life_->woken, 0);
  ASSERT_TRUE(life_->pipeline->trouble());
  EXPECT_EQ(life_->pipeline->trouble()->what, "the disk is full");
}

TEST_F(PipelineTest, StoresAndSendsWhatWaitedOnceThereIsRoomAgain) {
  start(kPgDown);
  store_.full = true;
  arrive("pg_up", 0);
  step();
  for (int i = 0; i < 3; ++i) step_after(seconds(1));
  EXPECT_EQ(lines_.count("Alert state cannot be stored"), 1);
  store_.full = false;
  step_after(seconds(1));
  EXPECT_FALSE(life_->pipeline->trouble());
  EXPECT_THAT(due(), ElementsAre("fire dba"));
  ASSERT_THAT(store_.changes, SizeIs(1));
  EXPECT_THAT(store_.changes[0].incidents, SizeIs(1));
}

TEST_F(PipelineTest, SendsBeginningAndEndThatHappenedWhileTheDiskWasFull) {
  start(kPgDown);
  store_.full = true;
  arrive("pg_up", 0);
  step();
  clock_.advance(seconds(30));
  arrive("pg_up", 1);
  step();
  store_.full = false;
  step_after(seconds(1));
  auto sent = due();
  for (const auto& later : due()) sent.push_back(later);
  EXPECT_THAT(sent, ElementsAre("fire dba", "resolve dba"));
}

TEST_F(PipelineTest, EndsTheAlertsOfARuleThatAReloadTookAway) {
  start(kPgDown);
  arrive("pg_up", 0);
  step();
  EXPECT_THAT(due(), ElementsAre("fire dba"));
  life_->pipeline->use_book(life_->book(group(alert("RedisDown", "redis_up", "urgent", "redis"))));
  step_after(seconds(1));
  step_after(seconds(1));
  EXPECT_THAT(due(), ElementsAre("resolve dba"));
  EXPECT_THAT(life_->pipeline->rules()->rules->groups.at(0).rules.at(0).name, "RedisDown");
}

TEST_F(PipelineTest, SaysNothingTwiceAfterARestart) {
  start(kPgDown);
  arrive("pg_up", 0);
  step();
  const auto incident = life_->pipeline->open_incidents().at(0).id;
  life_.reset();
  auto loaded = store_.load(clock_.wall() - hours(1));
  ASSERT_TRUE(loaded);
  start(kPgDown, std::move(*loaded));
  EXPECT_THAT(due(), ElementsAre("fire dba")) << "it was stored and not sent yet";
  clock_.advance(seconds(5));
  arrive("pg_up", 0);
  step();
  EXPECT_THAT(due(), IsEmpty());
  ASSERT_THAT(life_->pipeline->open_incidents(), SizeIs(1));
  EXPECT_EQ(life_->pipeline->open_incidents()[0].id, incident);
  clock_.advance(kRestoreGrace);  // what came back from the store is held so long
  arrive("pg_up", 1);
  step();
  step_after(seconds(1));
  EXPECT_THAT(due(), ElementsAre("resolve dba"));
}

/// A fault that was told and goes on, a restart, and more than the grace of what came back, with data every ten seconds.
struct EditedAcrossARestart : PipelineTest {
  void tell(const std::string& rules) {
    start(rules);
    arrive("pg_up", 0);
    step();
    ASSERT_THAT(due(), ElementsAre("fire dba"));
  }
  /// What the receivers get in two minutes.
  std::vector<std::string> goes_on(double value) {
    std::vector<std::string> out;
    for (int i = 0; i < 12; ++i) {
      clock_.advance(seconds(10));
      arrive("pg_up", value);
      step();
      for (auto& message : due()) out.push_back(std::move(message));
    }
    return out;
  }
};

std::string edited(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::logic_error("nothing to edit: " + from);
  return text.replace(at, from.size(), to);
}

TEST_F(EditedAcrossARestart, EndsOnceWhatARemovedRuleHasTold) {
  tell(kPgDown);
  restart(group(alert("RedisDown", "redis_up", "urgent", "pg-main")));
  EXPECT_THAT(stored_alerts(), SizeIs(1));
  step_after(kRestoreGrace - seconds(1));
  EXPECT_THAT(due(), IsEmpty()) << "not before its time";
  EXPECT_THAT(stored_alerts(), IsEmpty());
  clock_.advance(hours(1));  // a tick of the rules that are left
  EXPECT_THAT(goes_on(0), ElementsAre("resolve dba"));
  EXPECT_THAT(life_->pipeline->open_incidents(), IsEmpty());
  EXPECT_EQ(lines_.count("PgDown is told by no rule"), 1);
  restart(kPgDown);
  EXPECT_THAT(due(), IsEmpty());
}

TEST_F(EditedAcrossARestart, EndsOnceWhatARenamedRuleHasToldAndTellsItUnderItsNewName) {
  tell(kPgDown);
  restart(edited(kPgDown, "alert: PgDown", "alert: PrimaryDown"));
  EXPECT_THAT(goes_on(0), IsEmpty()) << "the same fault on the same node: the incident goes on under the new name";
  ASSERT_THAT(life_->pipeline->open_incidents(), SizeIs(1));
  EXPECT_THAT(goes_on(1), ElementsAre("resolve dba"));
}

TEST_F(EditedAcrossARestart, SaysNothingWhereOnlyTheExpressionChanged) {
  tell(kPgDown);
  restart(edited(kPgDown, "pg_up == 0", "pg_up < 1"));
  step();
  const auto keys = stored_alerts();
  ASSERT_THAT(keys, SizeIs(1));
  EXPECT_EQ(keys[0].rule, life_->pipeline->rules()->rules->groups[0].rules[0].identity) << "the row moved with the alert";
  EXPECT_THAT(goes_on(0), IsEmpty());
  ASSERT_THAT(*life_->pipeline->alerts(), SizeIs(1));
  EXPECT_EQ(life_->pipeline->alerts()->at(0).phase, AlertPhase::firing);
  EXPECT_THAT(goes_on(1), ElementsAre("resolve dba"));
}

TEST_F(EditedAcrossARestart, SaysNothingWhereOnlyTheForChanged) {
  tell(kPgDown);
  restart(edited(kPgDown, "    expr:", "    for: 5m\n    expr:"));
  EXPECT_THAT(goes_on(0), IsEmpty());
  EXPECT_THAT(goes_on(1), ElementsAre("resolve dba"));
}

TEST_F(EditedAcrossARestart, SaysNothingWhereOnlyAnAnnotationChanged) {
  tell(kPgDown);
  restart(edited(kPgDown, "description: d", "description: other"));
  EXPECT_THAT(goes_on(0), IsEmpty());
  EXPECT_EQ(life_->pipeline->alerts()->at(0).annotations.get("description"), "other");
  EXPECT_THAT(goes_on(1), ElementsAre("resolve dba"));
}

TEST_F(EditedAcrossARestart, SaysNothingWhereTheRuleMovedToAnotherGroup) {
  tell(kPgDown);
  restart(edited(kPgDown, "name: g", "name: other"));
  EXPECT_THAT(goes_on(0), IsEmpty());
  EXPECT_THAT(goes_on(1), ElementsAre("resolve dba"));
}

TEST_F(EditedAcrossARestart, EndsWhatNeverComesBackOfAnEditedRule) {
  tell(kPgDown);
  restart(edited(kPgDown, "pg_up == 0", "pg_up == 7"));
  EXPECT_THAT(goes_on(0), ElementsAre("resolve dba"));
  EXPECT_THAT(life_->pipeline->open_incidents(), IsEmpty());
}

TEST_F(EditedAcrossARestart, WaitsForTheRuleOfAnAlertWhoseStoredStateCannotBeRead) {
  tell(kPgDown);
  life_.reset();
  auto loaded = store_.load(clock_.wall() - hours(1));
  ASSERT_TRUE(loaded);
  loaded->alerts.at(0).data = "{";
  start(kPgDown, std::move(*loaded));
  for (int i = 0; i < 12; ++i) step_after(seconds(10));  // no data: the rule is not evaluated
  EXPECT_THAT(due(), IsEmpty());
  EXPECT_THAT(goes_on(0), IsEmpty());
  EXPECT_THAT(goes_on(1), ElementsAre("resolve dba"));
}

TEST_F(EditedAcrossARestart, GivesWhatFiresAnIncidentAgainWhenTheStoredOneCannotBeRead) {
  tell(kPgDown);
  life_.reset();
  auto loaded = store_.load(clock_.wall() - hours(1));
  ASSERT_TRUE(loaded);
  loaded->incidents.incidents.clear();
  start(kPgDown, std::move(*loaded));
  EXPECT_THAT(life_->pipeline->open_incidents(), IsEmpty());
  EXPECT_THAT(goes_on(0), IsEmpty()) << "the same alert of the same moment: who was told of it is known";
  EXPECT_THAT(life_->pipeline->open_incidents(), SizeIs(1));
  EXPECT_THAT(goes_on(1), ElementsAre("resolve dba"));
}

/// The folder of a rule pack is mounted after the collector has started.
struct RulesThatAreLate : EditedAcrossARestart {
  void without_rules(const std::string& rules = "groups: []\n") {
    tell(kPgDown);
    restart(rules, RuleCoverage::partial);
    EXPECT_THAT(goes_on(0), IsEmpty()) << "nothing tells the alert, and nothing says that it is over";
    EXPECT_THAT(life_->pipeline->open_incidents(), SizeIs(1));
    EXPECT_THAT(stored_alerts(), SizeIs(1));
  }
  void come(const std::string& rules, RuleCoverage coverage = RuleCoverage::whole) {
    life_->pipeline->use_book(life_->book(rules), coverage);
    step();
  }
};

TEST_F(RulesThatAreLate, FindTheirAlertsAsTheyWere) {
  without_rules();
  come(kPgDown);
  ASSERT_THAT(*life_->pipeline->alerts(), SizeIs(1));
  EXPECT_EQ(life_->pipeline->alerts()->at(0).phase, AlertPhase::firing);
  EXPECT_THAT(goes_on(0), IsEmpty());
  EXPECT_THAT(goes_on(1), ElementsAre("resolve dba"));
  EXPECT_THAT(life_->pipeline->open_incidents(), IsEmpty());
}

TEST_F(RulesThatAreLate, KeepTheirAlertsOverOneMoreRestart) {
  without_rules();
  restart("groups: []\n", RuleCoverage::partial);
  EXPECT_THAT(goes_on(0), IsEmpty());
  restart(kPgDown);
  EXPECT_THAT(*life_->pipeline->alerts(), IsEmpty()) << "not before the first step";
  EXPECT_THAT(goes_on(0), IsEmpty());
  EXPECT_THAT(goes_on(1), ElementsAre("resolve dba"));
}

TEST_F(RulesThatAreLate, KeepTheirAlertsWhenOnlyOtherRulesCome) {
  without_rules();
  come(group(alert("RedisDown", "redis_up", "urgent", "pg-main")), RuleCoverage::partial);
  EXPECT_THAT(goes_on(0), IsEmpty());
  come(kPgDown);
  EXPECT_THAT(goes_on(0), IsEmpty());
  EXPECT_THAT(goes_on(1), ElementsAre("resolve dba"));
}

TEST_F(RulesThatAreLate, EndWhatNoRuleTellsOnceTheRulesAreComplete) {
  without_rules();
  come(group(alert("RedisDown", "redis_up", "urgent", "pg-main")));
  EXPECT_THAT(stored_alerts(), IsEmpty());
  EXPECT_THAT(due(), IsEmpty()) << "not before its time";
  clock_.advance(hours(1));  // a tick of the rules that came
  EXPECT_THAT(goes_on(0), ElementsAre("resolve dba"));
}

TEST_F(PipelineTest, KeepsAnAlertWhoseDataStopsUntilThatIsKnown) {
  start(kPgDown);
  arrive("pg_up", 0);
  step();
  EXPECT_THAT(due(), ElementsAre("fire dba"));
  for (int i = 0; i < 4; ++i) step_after(seconds(60));
  EXPECT_THAT(*life_->pipeline->alerts(), SizeIs(1));
  EXPECT_THAT(due(), IsEmpty());
}

}  // namespace
}  // namespace ward::collector
