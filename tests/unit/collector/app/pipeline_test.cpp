// From samples to the outbox: what arrives is evaluated, folded into an incident, routed, committed and only then handed
// out.
#include "collector/pipeline.hpp"

#include <gmock/gmock.h>

#include "collector/alerting/alert_rows.hpp"
#include "collector/alerting/promql_expression.hpp"
#include "collector/alerting/rule_file.hpp"
#include "collector/store/sqlite/state_store.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/processes.hpp"
#include "tests/unit/common/async/loop.hpp"

namespace ward::collector {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Lines final : public telemetry::LogSink {
 public:
  void write(std::string_view line) override { text += line; }
  [[nodiscard]] int count(std::string_view sentence) const {
    int n = 0;
    for (auto at = text.find(sentence); at != std::string::npos; at = text.find(sentence, at + 1)) ++n;
    return n;
  }
  std::string text;
};

/// The real store, whose disk the test can fill. Keeps what was committed.
class FillableStore final : public StateStore {
 public:
  explicit FillableStore(const std::string& path) : inner_(*SqliteStateStore::open(options(path))) {}
  Status commit(const StateChange& change) override {
    if (full) return fail(Errc::full, "the disk is full", "Make room.");
    changes.push_back(change);
    return inner_.commit(change);
  }
  Result<LoadedState> load(Time resolved_after) override { return inner_.load(resolved_after); }

  bool full = false;
  std::vector<StateChange> changes;

 private:
  static sqlite::OpenOptions options(const std::string& path) {
    sqlite::OpenOptions out;
    out.path = path;
    return out;
  }
  SqliteStateStore inner_;
};

std::string alert(const std::string& name, const std::string& metric, const std::string& cls, const std::string& service) {
  return "  - alert: " + name + "\n    expr: " + metric + " == 0\n    labels: {class: " + cls +
         ", layer: data, owner: database, service: " + service + "}\n" + "    annotations: {summary: '" + name +
         " at {{ $labels.instance }}', description: d, runbook_url: run.md#a}\n";
}
std::string group(const std::string& rules) { return "groups:\n- name: g\n  interval: 1h\n  rules:\n" + rules; }

/// All stages over one head; a life ends where a collector would stop.
struct Life {
  Life(const Clock& clock, Random& random, telemetry::Logger& log, FillableStore& store, const ServiceMap& map,
       const std::string& rules, LoadedState loaded = {}, RuleCoverage coverage = RuleCoverage::whole)
      : engine(clock),
        compiler(engine, head),
        alerting(make_rule_context(compiler, Labels{}, ""), clock, sink),
        incidents(map, EngineOptions{}, std::move(loaded.incidents)),
        router(table(), std::move(loaded.notified)),
        outbox({}, random),
        writer(io.get_executor(), pool, store) {
    (void)alerting.reload(load(rules), clock.wall());
    std::vector<AlertState> states;
    for (const auto& row : loaded.alerts)
      if (auto state = from_row(row)) states.push_back(std::move(*state));
    auto ruleless = alerting.restore(states, clock.wall());
    outbox.accept(loaded.deliveries);
    pipeline = std::make_unique<Pipeline>(Pipeline::Context{io.get_executor(), clock, log, metrics, pool, sink, alerting,
                                                            incidents, router, outbox, writer, [this] { ++woken; },
                                                            std::move(loaded.alerts), std::move(ruleless), coverage});
  }

  static RoutingTable table() {
    RoutingTable out;
    out.owners["database"] = {.receiver = "dba", .fallback = ""};
    out.fallback_receiver = "anyone";
    return out;
  }
  [[nodiscard]] std::shared_ptr<const RuleSet> load(const std::string& text) const {
    const std::vector<RuleText> files{{"pack.yaml", text}};
    auto loaded = parse_rules(files, compiler, {}, [](const std::string&) -> Result<std::string> { return "# A\n"; });
    if (!loaded.rules) throw std::logic_error(loaded.to_error().what);
    return loaded.rules;
  }

  async::asio::io_context io;
  async::BlockingPool pool;
  telemetry::Registry metrics;
  Head head{HeadOptions{.max_sample_age = milliseconds{0}}};
  Catalogue catalogue{Catalogue::Caps{}};
  HeadSink sink{head, catalogue, metrics};
  promql::Engine engine;
  PromqlCompiler compiler;
  RuleEngine alerting;
  Engine incidents;
  Router router;
  Outbox outbox;
  StateWriter writer;
  std::unique_ptr<Pipeline> pipeline;
  int woken = 0;
};

class PipelineTest : public testing::Test {
 protected:
  PipelineTest() : store_((folder_ / "state.db").string()) {
    std::vector<Service> services(2);
    services[0].name = "pg-main";
    services[0].owner = "database";
    services[1].name = "odoo";
    services[1].owner = "application";
    Dependency database;
    database.to = "pg-main";
    services[1].depends_on.push_back(std::move(database));
    map_ = *ServiceMap::make(std::move(services));
  }
  void start(const std::string& rules, LoadedState loaded = {}, RuleCoverage coverage = RuleCoverage::whole) {
    life_ = std::make_unique<Life>(clock_, random_, log_, store_, map_, rules, std::move(loaded), coverage);
  }
  /// The collector stops and begins anew on what it has stored.
  void restart(const std::string& rules, RuleCoverage coverage = RuleCoverage::whole) {
    life_.reset();
    auto loaded = store_.load(clock_.wall() - hours(1));
    ASSERT_TRUE(loaded);
    start(rules, std::move(*loaded), coverage);
  }
  /// A sample as ingest hands it on after its commit.
  void arrive(const std::string& metric, double value, const std::string& instance = "db") {
    const Labels series{{"__name__", metric}, {"instance", instance}, {"tenant", "clinic-a"}};
    const auto id = life_->catalogue.resolve(TenantId{"clinic-a"}, AgentId{"node-1"}, series);
    life_->sink.define(id, series);
    const wire::IdSample sample{id, clock_.wall(), value};
    life_->sink.append(std::span(&sample, 1));
  }
  void step() { async::run(life_->io, life_->pipeline->step()); }
  void step_after(milliseconds time) {
    clock_.advance(time);
    step();
  }
  [[nodiscard]] std::vector<AlertRowKey> stored_alerts() {
    std::vector<AlertRowKey> out;
    const auto loaded = store_.load(clock_.wall() - hours(1));
    for (const auto& row : loaded->alerts) out.push_back(row.key);
    return out;
  }
  /// "kind receiver" of what may be sent now; all of it is delivered.
  std::vector<std::string> due() {
    std::vector<std::string> out;
    for (const auto& delivery : life_->outbox.due(clock_.mono())) {
      out.push_back(std::string(to_string(delivery.kind)) + " " + delivery.receiver);
      StateChange sent;
      sent.delivery_updates = life_->outbox.on_result(delivery.key, SendOutcome{}, clock_.mono(), clock_.wall()).updates;
      EXPECT_TRUE(store_.commit(sent));
      store_.changes.pop_back();
    }
    return out;
  }

  test::TempDir folder_{"pipeline"};
  test::ManualClock clock_;
  test::SeededRandom random_;
  Lines lines_;
  telemetry::Logger log_{telemetry::LogSettings{}, clock_, lines_};
  FillableStore store_;
  ServiceMap map_;
  std::unique_ptr<Life> life_;
};

const std::string kPgDown = group(alert("PgDown", "pg_up", "urgent", "pg-main"));

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
  life_->pipeline->use_rules(life_->load(group(alert("RedisDown", "redis_up", "urgent", "redis"))));
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
    life_->pipeline->use_rules(life_->load(rules), coverage);
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
