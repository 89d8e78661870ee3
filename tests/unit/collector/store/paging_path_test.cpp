// The whole way from alert to receiver over a real state file, with a crash at every point of every step
// (facts: reliability 4.1, K1-K5): nothing is lost, and what is sent twice carries the same key.
#include <cstdlib>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>

#include "collector/incident/engine.hpp"
#include "collector/notify/outbox.hpp"
#include "collector/routing/router.hpp"
#include "collector/store/sqlite/state_store.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/collector/incident/alerts.hpp"
#include "tests/unit/collector/incident/short_times.hpp"

namespace ward::collector::test {
namespace {

using Lines = std::vector<std::string>;

enum class Crash { never, before_commit, before_send, before_result, before_record };

ServiceMap estate() {
  return ServiceMap::make(
             {{.name = "odoo", .owner = "application", .depends_on = {{.to = "pg-main", .on = {"tenant"}}}, .scope = {}},
              {.name = "pg-main", .owner = "database", .depends_on = {}, .scope = {}},
              {.name = "redis", .owner = "platform", .depends_on = {}, .scope = {}}})
      .value();
}

RoutingTable table() {
  RoutingTable t;
  t.owners = {{"database", {.receiver = "pd-db", .fallback = ""}},
              {"application", {.receiver = "pd-app", .fallback = ""}},
              {"platform", {.receiver = "pd-platform", .fallback = ""}}};
  t.fallback_receiver = "pd-platform";
  return t;
}

/// A collector's paging half; crash() throws its memory away.
class Collector {
 public:
  Collector() { boot(); }
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  void step(std::int64_t second, const std::vector<AlertEvent>& alerts, Crash crash = Crash::never) {
    const auto rows = prepare(second, alerts);
    if (crash == Crash::before_commit) {
      boot();
      (void)prepare(second, alerts);  // alerting's state was not committed either, so it says the same again
    }
    ASSERT_TRUE(store_->commit(change_));
    if (crash == Crash::before_send) boot();
    outbox_->accept(change_.deliveries);
    send(crash);
  }

  Lines received;                ///< each key once, in order of first arrival: what the receiver shows
  std::vector<std::string> all;  ///< every request

 private:
  void boot() {
    store_.reset();
    sqlite::OpenOptions options;
    options.path = folder_ + "/state.db";
    store_ = std::make_unique<SqliteStateStore>(SqliteStateStore::open(options).value());
    auto state = store_->load(at(-3600)).value();
    engine_ = std::make_unique<Engine>(map_, short_times(), std::move(state.incidents));
    router_ = std::make_unique<Router>(table(), std::move(state.notified));
    outbox_ = std::make_unique<Outbox>(Outbox::Options{}, random_);
    outbox_->accept(state.deliveries);
  }

  std::vector<DeliveryRow> prepare(std::int64_t second, const std::vector<AlertEvent>& alerts) {
    auto folded = engine_->fold(alerts, at(second));
    auto routed = router_->route(folded.notices, engine_->open(), at(second));
    change_ = StateChange{};
    change_.incidents = std::move(folded.incidents);
    change_.watched = std::move(folded.watched);
    change_.decisions = std::move(folded.decisions);
    change_.notified = std::move(routed.notified);
    change_.notified_gone = std::move(routed.notified_gone);
    change_.deliveries = outbox_->plan(routed.deliveries, at(second));
    return change_.deliveries;
  }

  void send(Crash crash) {
    for (auto batch = outbox_->due(clock_.mono()); !batch.empty(); batch = outbox_->due(clock_.mono()))
      for (const auto& d : batch) {
        if (crash == Crash::before_result) {
          receive(d);
          boot();
          return send(Crash::never);
        }
        receive(d);
        const auto result = outbox_->on_result(d.key, {}, clock_.mono(), clock_.wall());
        if (crash == Crash::before_record) {
          boot();
          return send(Crash::never);
        }
        StateChange change;
        change.delivery_updates = result.updates;
        ASSERT_TRUE(store_->commit(change));
      }
  }

  void receive(const Delivery& d) {
    all.push_back(d.key);
    if (std::count(all.begin(), all.end(), d.key) == 1)
      received.push_back(std::string(to_string(d.kind)) + " " + d.receiver);
  }

  ward::test::TempDir temp_{"paging"};
  std::string folder_ = temp_.string();
  ServiceMap map_ = estate();
  ward::test::ManualClock clock_;
  ward::test::SeededRandom random_;
  std::unique_ptr<SqliteStateStore> store_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<Outbox> outbox_;
  StateChange change_;
};

struct Step {
  std::int64_t second;
  std::vector<AlertEvent> alerts;
};

// The application is blamed first; then the database shows; another fault comes and goes; all heals and breaks again.
const std::vector<Step>& story() {
  static const std::vector<Step> kStory{
      {0, {kWorkersBusy.firing(at(0))}},
      {60, {kPrimaryDown.firing(at(55))}},
      {90, {kRedisDown.firing(at(90)), kCronLate.firing(at(90))}},
      {120, {kRedisDown.resolved(at(90), at(120))}},
      {180,
       {kPrimaryDown.resolved(at(55), at(180)), kWorkersBusy.resolved(at(0), at(180)), kCronLate.resolved(at(90), at(180))}},
      {400, {kPrimaryDown.firing(at(400))}},
      {460,
       {kPrimaryDown.resolved(at(400), at(460))}},  // the fourth change: it flaps, so its end waits for five quiet minutes
      {760, {}},
  };
  return kStory;
}

const Lines kTold{"fire pd-app",   "escalate pd-db", "fire pd-platform", "resolve pd-platform", "resolve pd-app",
                  "resolve pd-db", "fire pd-db",     "update pd-db",     "resolve pd-db"};

TEST(PagingPath, TellsEachReceiverItsBeginningAndItsEndOnce) {
  Collector collector;
  for (const auto& step : story()) collector.step(step.second, step.alerts);
  EXPECT_EQ(collector.received, kTold);
  EXPECT_EQ(collector.all.size(), kTold.size());
}

TEST(PagingPath, LosesNothingInACrashAtAnyPointOfAnyStep) {
  for (const auto crash : {Crash::before_commit, Crash::before_send, Crash::before_result, Crash::before_record})
    for (std::size_t at_step = 0; at_step < story().size(); ++at_step) {
      Collector collector;
      for (std::size_t n = 0; n < story().size(); ++n)
        collector.step(story()[n].second, story()[n].alerts, n == at_step ? crash : Crash::never);
      EXPECT_EQ(collector.received, kTold) << "crash " << static_cast<int>(crash) << " in step " << at_step;
      EXPECT_LE(collector.all.size(), kTold.size() + 1) << "crash " << static_cast<int>(crash) << " in step " << at_step;
    }
}

TEST(PagingPath, LosesNothingWhenEveryStepCrashes) {
  for (const auto crash : {Crash::before_commit, Crash::before_send, Crash::before_result, Crash::before_record}) {
    Collector collector;
    for (const auto& step : story()) collector.step(step.second, step.alerts, crash);
    EXPECT_EQ(collector.received, kTold) << static_cast<int>(crash);
  }
}

}  // namespace
}  // namespace ward::collector::test
