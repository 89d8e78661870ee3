#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "collector/alerting/expression.hpp"
#include "collector/alerting/rule.hpp"
#include "collector/event/alert.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/model/batch.hpp"

namespace ward::collector {

/// One alert instance as it is stored, so that `for`, firing and keep_firing_for survive a restart.
struct AlertState {
  std::string group;  ///< RuleGroup::key()
  std::string rule;   ///< Rule::identity
  Labels labels;      ///< of the instance; with group and rule the record's key
  Labels annotations;
  AlertPhase phase = AlertPhase::pending;
  double value = 0;
  Time active_at;
  Time fired_at;
  Time resolved_at;
  Time keep_firing_since;  ///< first evaluation that missed the series; epoch while it is there
  Time evaluated_at;       ///< last evaluation of the rule
  friend bool operator==(const AlertState&, const AlertState&) = default;
};

/// What templates see besides the alert itself.
struct RuleContext {
  Labels external_labels;
  std::string external_url;
  /// For the template function `query`; evaluated at the rule's time.
  std::function<Result<Vector>(const std::string& query, Time at)> query;
  /// A firing alert whose data has fallen silent, without having ended, fires on: nobody knows that it is well. So long at
  /// most; 0 = it ends, as in Prometheus.
  milliseconds keep_silent{0};
};

/// How long an instance that came back from the store is kept although its series is not seen yet: agents reconnect and
/// their spools drain first.
inline constexpr milliseconds kRestoreGrace = std::chrono::seconds{60};
/// A pending alert whose rule was not evaluated for longer starts over (Prometheus' for-outage-tolerance).
inline constexpr milliseconds kOutageTolerance = std::chrono::hours{1};
/// Resolved instances are kept and reported so long (Prometheus' resolvedRetention).
inline constexpr milliseconds kResolvedRetention = std::chrono::minutes{15};

/// The instances of one alerting rule: pending, firing, resolved, exactly as Prometheus defines them.
/// Thread: the engine's. No clock: every call is given the time.
class AlertStates {
 public:
  /// One evaluation with the expression's result. Appends transitions to `events` and the ALERTS and ALERTS_FOR_STATE
  /// series to `series`. A pending alert that ended without firing is a resolved event whose fired_at is the epoch.
  /// Errors (nothing has changed then): two results with one label set. Over `limit` all instances are dropped.
  Status advance(const Rule& rule, const RuleContext& context, const Vector& result, std::size_t limit, Time now,
                 std::vector<AlertEvent>& events, std::vector<SeriesValue>& series);

  /// The rule was reloaded: with a raised `for` a firing alert goes back to pending (a resolved and a pending event, so
  /// that whoever got the fire gets its one resolve).
  void apply(const Rule& rule, Time now, std::vector<AlertEvent>& events);
  /// The rule is gone: resolves what it held.
  void end(const Rule& rule, Time now, std::vector<AlertEvent>& events);

  /// Earliest moment after `after` at which a `for` or keep_firing_for runs out; Time::max() when there is none.
  [[nodiscard]] Time next_due(const Rule& rule, Time after) const;
  /// Pending, firing and lately resolved instances, as they stand.
  [[nodiscard]] std::vector<AlertEvent> current(const Rule& rule) const;

  [[nodiscard]] std::vector<AlertState> save(const std::string& group, const Rule& rule) const;
  /// Puts a stored instance back. The time nobody evaluated does not count towards `for`.
  void restore(const AlertState& state, Time now);
  [[nodiscard]] bool contains(const Labels& labels) const { return instances_.contains(labels); }

 private:
  struct Instance {
    Labels annotations;
    AlertPhase phase = AlertPhase::pending;
    double value = 0;
    Time active_at;
    Time fired_at;
    Time resolved_at;
    Time keep_firing_since;
    Time keep_until;  ///< grace after a restore
    bool silent = false;
    Time asked_at;  ///< when its data was looked for; only while silent
  };
  using Instances = std::map<Labels, Instance>;

  static Result<Instances> instances_of(const Rule& rule, const RuleContext& context, const Vector& result, Time now);
  static void forgive_clock(Instance& instance, Time now);
  /// False when the instance is to be forgotten.
  static bool miss(const Rule& rule, const RuleContext& context, const Labels& labels, Instance& instance, Time now,
                   std::vector<AlertEvent>& events);
  static AlertEvent event(const Rule& rule, const Labels& labels, const Instance& instance);

  Instances instances_;
  Time evaluated_at_;
};

}  // namespace ward::collector
