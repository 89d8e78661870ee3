#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "collector/api/query_gate.hpp"
#include "collector/event/alert.hpp"
#include "collector/event/incident.hpp"
#include "collector/event/metadata.hpp"
#include "collector/promql/engine.hpp"
#include "collector/review/surroundings.hpp"
#include "collector/slo/budget.hpp"
#include "collector/tsdb/queryable.hpp"
#include "common/async/blocking.hpp"
#include "common/base/world.hpp"

namespace ward::collector::api {

class Archive;
class Desk;
struct ApiAccess;

/// An agent as the API shows it.
struct AgentView {
  std::string agent;
  std::vector<std::string> tenants;
  bool connected = false;
  std::string remote;
  Time last_seen;
  std::uint64_t records = 0;
  std::uint64_t samples = 0;
  std::uint64_t lost_samples = 0;
};

/// New series of a metric that a cap refused since start.
struct RefusedView {
  std::string tenant;
  std::string metric;  ///< "other": one of very many
  std::uint64_t series = 0;
};

/// One line of /readyz: what must hold before traffic and pages flow.
struct Readiness {
  std::string part;
  bool ready = false;
  std::string detail;
};

/// One rule as /api/v1/rules shows it.
struct RuleView {
  bool alerting = true;
  std::string name;
  std::string query;
  milliseconds hold{0};
  milliseconds keep_firing{0};
  Labels labels;       ///< templates as written
  Labels annotations;  ///< likewise
  std::string last_error;
  std::chrono::nanoseconds last_duration{0};
  Time last_evaluation;  ///< epoch: never
  std::vector<AlertEvent> alerts;
  std::vector<std::string> off_for{};  ///< tenants it is disabled for
};
struct RuleGroupView {
  std::string name;
  std::string file;
  milliseconds interval{0};
  std::size_t limit = 0;
  std::vector<RuleView> rules;
};

struct StatusView {
  Time started;
  std::uint64_t agents_connected = 0;
  std::uint64_t agents_known = 0;
  std::uint64_t series = 0;
  std::uint64_t samples_stored = 0;
  std::uint64_t rules = 0;
  std::uint64_t alerts_firing = 0;
  std::uint64_t incidents_open = 0;
  std::uint64_t deliveries_pending = 0;
  Time last_evaluation;
};

/// What the endpoints may see of the collector: readers only. Thread: the io thread, except store(), engine() and
/// metadata().
class View {
 public:
  virtual ~View() = default;
  [[nodiscard]] virtual const Clock& clock() const = 0;
  [[nodiscard]] virtual const Queryable& store() const = 0;
  [[nodiscard]] virtual const promql::Engine& engine() const = 0;
  /// Queries run here, off the io thread, when the gate has let them in.
  [[nodiscard]] virtual async::BlockingPool& queries() = 0;
  [[nodiscard]] virtual QueryGate& gate() = 0;
  [[nodiscard]] virtual const MetricMetadata& metadata() const = 0;
  [[nodiscard]] virtual std::vector<AlertEvent> alerts() const = 0;
  [[nodiscard]] virtual std::vector<Incident> incidents() const = 0;
  [[nodiscard]] virtual std::vector<AgentView> agents() const = 0;
  [[nodiscard]] virtual std::vector<RefusedView> refused_series() const = 0;
  [[nodiscard]] virtual std::vector<RuleGroupView> rule_groups() const = 0;
  /// Error budgets as of the last tick.
  [[nodiscard]] virtual std::vector<slo::BudgetState> slos() const = 0;
  /// What each SLO counted in these minutes, one ledger after the other; blocking, any thread.
  virtual void visit_minutes(slo::MinuteRange range, const std::function<void(const slo::LedgerMinutes&)>& visit) const = 0;
  /// What reports must know of services and tenants, as the rules in force say.
  [[nodiscard]] virtual review::Surroundings surroundings() const = 0;
  [[nodiscard]] virtual StatusView status() const = 0;
  [[nodiscard]] virtual std::vector<Readiness> readiness() const = 0;
  [[nodiscard]] virtual std::string metrics() = 0;
  /// Never null.
  [[nodiscard]] virtual Desk* desk() const = 0;
  /// Never null.
  [[nodiscard]] virtual Archive* archive() const = 0;
  /// Who may write; never null.
  [[nodiscard]] virtual const ApiAccess* access() const = 0;
};

}  // namespace ward::collector::api
