// From samples in the head to a burn alert that is heard, and over a restart.
#include "collector/service_levels.hpp"

#include <gmock/gmock.h>

#include "collector/alerting/promql_expression.hpp"
#include "collector/store/sqlite/ledger_store.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/async/loop.hpp"

namespace ward::collector {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kSlo = R"(groups: []
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: admission-ok, annotations: {ward.io/group-by: tenant, ward.io/owner: application}}
spec:
  service: odoo
  indicator: {metadata: {name: admission}, spec: {ratioMetric: {counter: true,
    bad: {metricSource: {type: Prometheus, spec: {query: 'rpc_total{code="500"}'}}},
    total: {metricSource: {type: Prometheus, spec: {query: 'rpc_total'}}}}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.999}]
  alertPolicies: [{alertPolicyRef: fast}]
---
apiVersion: ward/v1
kind: BurnPolicy
metadata: {name: fast}
spec: {windows: [{budget: 2%, long: 1h, short: 5m, class: urgent}]}
)";

class NullSink final : public telemetry::LogSink {
 public:
  void write(std::string_view line) override { text += line; }
  std::string text;
};

/// One life of the engine over a head; `slo.db` is kept between lives.
struct Life {
  Life(const std::string& folder, const Clock& clock, telemetry::Logger& log)
      : ledgers(*SqliteLedgerStore::open(file_in(folder))),
        volume(folder, real_volume(folder)),
        levels({io.get_executor(), clock, log, metrics, pool, sink, catalogue, head, engine, *ledgers, volume, seconds{15},
                milliseconds{0}}) {
    sink.follow(levels);
    levels.tell([this](std::vector<AlertEvent> alerts) {
      for (const auto& a : alerts)
        heard.push_back(std::string(a.labels.get("alertname")) + " " + std::string(a.labels.get("tenant")) + " " +
                        std::string(to_string(a.phase)));
    });
    const PromqlCompiler compiler(engine, head);
    const std::vector<RuleText> files{{"slo.yaml", kSlo}};
    auto load = parse_rulebook(
        files, compiler, {}, [](const std::string& path) -> Result<std::string> { return fail(Errc::not_found, path, ""); });
    EXPECT_NE(load.book, nullptr) << load.to_error().what;
    EXPECT_TRUE(levels.begin(load.book));
  }
  static sqlite::OpenOptions file_in(const std::string& folder) {
    sqlite::OpenOptions file;
    file.path = folder + "/slo.db";
    return file;
  }
  struct Put {
    std::string code;
    double value = 0;
    Time at;
  };
  SeriesId series(const std::string& code) {
    const Labels labels{{"__name__", "rpc_total"}, {"code", code}, {"tenant", "clinic-a"}};
    const auto id = catalogue.resolve(TenantId{"clinic-a"}, AgentId{"node-1"}, labels);
    sink.define(id, labels);
    return id;
  }
  void put(const Put& one) {
    const wire::IdSample sample{series(one.code), one.at, one.value};
    sink.append(std::span(&sample, 1));
  }
  /// As a start reads the journal.
  void replay(const Put& one) {
    const RefSample sample{SeriesRef{series(one.code) + 1}, {one.at, one.value}};
    sink.replayed(std::span(&sample, 1));
  }
  void judge() { async::run(io, levels.judge()); }

  async::asio::io_context io;
  async::BlockingPool pool;
  telemetry::Registry metrics;
  test::ManualClock query_clock;
  Head head{HeadOptions{.max_sample_age = milliseconds{0}}};
  Catalogue catalogue{Catalogue::Caps{}};
  HeadSink sink{head, catalogue, metrics};
  promql::Engine engine{query_clock};
  std::unique_ptr<SqliteLedgerStore> ledgers;
  DataVolume volume;
  ServiceLevels levels;
  std::vector<std::string> heard;
};

class ServiceLevelsTest : public testing::Test {
 protected:
  ServiceLevelsTest() { begin(); }
  void begin() {
    life_.reset();
    life_ = std::make_unique<Life>(folder_.string(), clock_, log_);
    for (const auto& one : stored_) life_->replay(one);
  }
  void put(const std::string& code, double value) {
    stored_.push_back({code, value, clock_.wall()});
    life_->put(stored_.back());
  }
  /// Ten minutes in which a share of the requests fail.
  void serve(double failing) {
    for (int minute = 0; minute < 10; ++minute) {
      bad_ += 100 * failing;
      good_ += 100 * (1 - failing);
      put("500", bad_);
      put("200", good_);
      clock_.advance(minutes{1});
      life_->judge();
    }
  }

  test::TempDir folder_{"service-levels"};
  test::ManualClock clock_;
  NullSink lines_;
  telemetry::Logger log_{telemetry::LogSettings{}, clock_, lines_};
  std::unique_ptr<Life> life_;
  std::vector<Life::Put> stored_;  ///< what the journal has
  double bad_ = 0;
  double good_ = 0;
};

TEST_F(ServiceLevelsTest, SaysNothingWhileAllIsWell) {
  serve(0);
  EXPECT_THAT(life_->heard, IsEmpty());
}

TEST_F(ServiceLevelsTest, AFastBurnIsHeardOnceAndItsEndToo) {
  serve(0.5);
  EXPECT_THAT(life_->heard, ElementsAre("admission-ok clinic-a firing"));
  EXPECT_EQ(life_->levels.alerts().size(), 1U);
  serve(0);
  EXPECT_THAT(life_->heard.back(), HasSubstr("resolved"));
}

TEST_F(ServiceLevelsTest, WhatItFindsAreSeries) {
  serve(0.5);
  const PromqlCompiler compiler(life_->engine, life_->head);
  const auto left =
      (*compiler.compile("ward_slo_error_budget_remaining_ratio{slo=\"admission-ok\"}"))->evaluate(clock_.wall());
  ASSERT_TRUE(left) << left.error().what;
  ASSERT_EQ(left->size(), 1U);
  EXPECT_LT(left->front().value, 1);
}

TEST_F(ServiceLevelsTest, AnAlertIsStoredBeforeItIsHeard) {
  serve(0.5);
  begin();  // a kill: nothing saved but by the engine's own doing
  EXPECT_EQ(life_->levels.alerts().size(), 1U);
}

TEST_F(ServiceLevelsTest, ARestartKeepsTheAlertAndWhatWasCounted) {
  serve(0.5);
  const auto before = life_->levels.budgets();
  async::run(life_->io, life_->levels.save());
  begin();
  EXPECT_EQ(life_->levels.alerts().size(), 1U) << "its incident must not end for a restart";
  life_->judge();
  ASSERT_EQ(life_->levels.budgets().size(), before.size());
  EXPECT_NEAR(life_->levels.budgets().front().bad_events, before.front().bad_events, 1);
}

}  // namespace
}  // namespace ward::collector
