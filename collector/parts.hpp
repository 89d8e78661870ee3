#pragma once
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collector/alerting/promql_expression.hpp"
#include "collector/api/archive.hpp"
#include "collector/api/desk.hpp"
#include "collector/api/view.hpp"
#include "collector/config.hpp"
#include "collector/ingest/stream_server.hpp"
#include "collector/leadership/leadership.hpp"
#include "collector/notify/heartbeat_sender.hpp"
#include "collector/notify/sender.hpp"
#include "collector/pipeline.hpp"
#include "collector/promql/engine.hpp"
#include "collector/sample_store.hpp"
#include "collector/service_levels.hpp"
#include "collector/store/sqlite/state_store.hpp"
#include "collector/store/volume/reserved_state.hpp"

namespace ward::collector {

/// The API's view of the running collector: reads, never decides.
class AppView final : public api::View {
 public:
  struct Sources {
    const Clock& clock;
    telemetry::Registry& metrics;
    const Store& store;
    const promql::Engine& engine;
    async::BlockingPool& queries;
    const StreamServer& server;
    const Pipeline& pipeline;
    const Outbox& outbox;
    const DataVolume& volume;
    const CollectorConfig& config;
    api::Desk& desk;
    api::Archive& archive;
    const ServiceLevels& levels;
    const Leadership* stands_by_for = nullptr;  ///< null on the leader
  };
  explicit AppView(Sources sources)
      : sources_(sources), started_(sources.clock.wall()), gate_(sources.config.query_gate, sources.metrics) {}

  [[nodiscard]] const Clock& clock() const override { return sources_.clock; }
  [[nodiscard]] const Queryable& store() const override { return sources_.store.history; }
  [[nodiscard]] const promql::Engine& engine() const override { return sources_.engine; }
  [[nodiscard]] async::BlockingPool& queries() override { return sources_.queries; }
  [[nodiscard]] api::QueryGate& gate() override { return gate_; }
  [[nodiscard]] const MetricMetadata& metadata() const override { return sources_.server.metadata(); }
  [[nodiscard]] std::vector<AlertEvent> alerts() const override;
  [[nodiscard]] std::vector<Incident> incidents() const override { return sources_.pipeline.open_incidents(); }
  [[nodiscard]] std::vector<api::AgentView> agents() const override;
  [[nodiscard]] std::vector<api::RefusedView> refused_series() const override;
  [[nodiscard]] std::vector<api::RuleGroupView> rule_groups() const override;
  [[nodiscard]] std::vector<slo::BudgetState> slos() const override { return sources_.levels.budgets(); }
  void visit_minutes(slo::MinuteRange range, const std::function<void(const slo::LedgerMinutes&)>& visit) const override {
    sources_.levels.visit_minutes(range, visit);
  }
  [[nodiscard]] review::Surroundings surroundings() const override;
  [[nodiscard]] api::StatusView status() const override;
  [[nodiscard]] std::vector<api::Readiness> readiness() const override;
  [[nodiscard]] std::string metrics() override;
  [[nodiscard]] api::Desk* desk() const override { return &sources_.desk; }
  [[nodiscard]] api::Archive* archive() const override { return &sources_.archive; }
  [[nodiscard]] const api::ApiAccess* access() const override { return &sources_.config.api_access; }
  /// What the collector stores about itself: its metrics, and per agent ward_agent_up and ward_agent_last_seen_seconds.
  [[nodiscard]] std::vector<SeriesValue> own_series();

 private:
  void refresh_gauges();
  void refresh_routing();
  [[nodiscard]] std::string damage() const;
  [[nodiscard]] api::Readiness evaluation() const;
  [[nodiscard]] std::string waiting_for() const;
  Sources sources_;
  Time started_;
  api::QueryGate gate_;
  std::set<std::string> told_days_;  ///< that are or were damaged
};

}  // namespace ward::collector
