#pragma once
#include <gmock/gmock.h>
#include <memory>
#include <string>
#include <vector>

#include "collector/alerting/alert_rows.hpp"
#include "collector/alerting/promql_expression.hpp"
#include "collector/alerting/rule_file.hpp"
#include "collector/pipeline.hpp"
#include "collector/store/sqlite/state_store.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/processes.hpp"
#include "tests/unit/collector/incident/short_times.hpp"
#include "tests/unit/common/async/loop.hpp"

namespace ward::collector {

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

inline std::string alert(const std::string& name, const std::string& metric, const std::string& cls,
                         const std::string& service) {
  return "  - alert: " + name + "\n    expr: " + metric + " == 0\n    labels: {class: " + cls +
         ", layer: data, owner: database, service: " + service + "}\n" + "    annotations: {summary: '" + name +
         " at {{ $labels.instance }}', description: d, runbook_url: run.md#a}\n";
}
inline std::string group(const std::string& rules) { return "groups:\n- name: g\n  interval: 1h\n  rules:\n" + rules; }

/// All stages over one head; a life ends where a collector would stop.
struct Life {
  Life(const Clock& clock, Random& random, telemetry::Logger& log, FillableStore& store, const ServiceMap& map,
       const std::string& rules, LoadedState loaded = {}, RuleCoverage coverage = RuleCoverage::whole)
      : engine(clock),
        compiler(engine, head),
        alerting(make_rule_context(compiler, Labels{}, ""), clock, sink),
        services(map),
        incidents(map, options(), std::move(loaded.incidents)),
        router(table(), {loaded.notified, loaded.escalations, loaded.silences}, {}),
        outbox({}, random),
        writer(io.get_executor(), pool, store) {
    (void)alerting.reload(load(rules), clock.wall());
    std::vector<AlertState> states;
    for (const auto& row : loaded.alerts)
      if (auto state = from_row(row)) states.push_back(std::move(*state));
    auto ruleless = alerting.restore(states, clock.wall());
    outbox.accept(loaded.deliveries);
    pipeline = std::make_unique<Pipeline>(
        Pipeline::Context{io.get_executor(), clock, log, metrics, pool, sink, alerting, incidents, router, outbox, writer,
                          [this] { ++woken; }, std::move(loaded.alerts), std::move(ruleless), coverage, &compiler});
  }

  /// The first clean evaluation is the end: the rules here are evaluated on arrival, and tick once an hour.
  static EngineOptions options() {
    auto out = short_times();
    out.release.evaluations = 1;
    return out;
  }
  static RoutingTable table() {
    RoutingTable out;
    out.owners["database"] = {.receiver = "dba", .fallback = ""};
    out.fallback_receiver = "anyone";
    return out;
  }
  [[nodiscard]] std::shared_ptr<const Rulebook> book(const std::string& text) const {
    auto book = std::make_shared<Rulebook>();
    book->rules = load(text);
    book->services = services;
    book->correlation = options();
    book->routing = table();
    return book;
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
  ServiceMap services;
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

inline const std::string kPgDown = group(alert("PgDown", "pg_up", "urgent", "pg-main"));

}  // namespace ward::collector
