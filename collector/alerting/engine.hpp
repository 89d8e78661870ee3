#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collector/alerting/alert_states.hpp"
#include "collector/alerting/rule.hpp"
#include "collector/event/alert.hpp"
#include "common/base/time.hpp"
#include "common/base/world.hpp"
#include "common/model/batch.hpp"

namespace ward::collector {

/// Takes what rules compute: recorded series, ALERTS, ALERTS_FOR_STATE, stale markers where a series ended. Called after
/// each rule, so that the next rule of the group reads what the one before it has recorded.
class RuleOutput {
 public:
  virtual ~RuleOutput() = default;
  virtual void write(Time at, std::span<const SeriesValue> series) = 0;
};

struct RuleHealth {
  std::string last_error;  ///< empty when the last evaluation went well
  std::chrono::nanoseconds last_duration{0};
  Time last_evaluation;
  std::uint64_t evaluations = 0;
  std::uint64_t failures = 0;
};

/// What the engine had loaded and how it went at one moment; for readers on other threads.
struct RulesSnapshot {
  std::shared_ptr<const RuleSet> rules;
  std::vector<std::vector<RuleHealth>> health;  ///< by group and rule of `rules`
  std::vector<std::uint64_t> missed;            ///< by group: ticks that passed while it was not evaluated
};

/// Evaluates rule groups: the state machine of alerting. No I/O, no threads, no timers: the owner asks next_wake() when
/// to call, and evaluates what due() names. Thread: one at a time; expressions run inside evaluate().
class RuleEngine {
 public:
  /// `clock` is read for durations only; `output` outlives the engine.
  RuleEngine(RuleContext context, const Clock& clock, RuleOutput& output);
  ~RuleEngine();
  RuleEngine(const RuleEngine&) = delete;
  RuleEngine& operator=(const RuleEngine&) = delete;

  /// Replaces all rules; state stays where group and rule identity are the same. Yields the alerts that ended because
  /// their rule is gone, and those put back to pending by a raised `for`.
  std::vector<AlertEvent> reload(std::shared_ptr<const RuleSet> rules, Time now);

  /// Groups whose tick or hold has come.
  [[nodiscard]] std::vector<std::size_t> due(Time now) const;
  /// The earliest next tick, or the moment a pending alert completes its `for` or a keep_firing_for ends, so that a page
  /// leaves when it is due and not a tick later. Not before `now`; Time::max() without rules.
  [[nodiscard]] Time next_wake(Time now) const;
  /// Groups with a rule of class urgent or executive that reads one of these metrics: worth evaluating on arrival.
  /// A rule that selects its metrics by a pattern waits for its tick.
  [[nodiscard]] std::vector<std::size_t> groups_reading(std::span<const std::string> metrics) const;

  /// Evaluates one group at `now`, on a tick or early, and returns the transitions. A rule that fails keeps its state:
  /// missing data is not OK. See health().
  std::vector<AlertEvent> evaluate(std::size_t group, Time now);

  /// All pending, firing and lately resolved alerts.
  [[nodiscard]] std::vector<AlertEvent> current() const;
  [[nodiscard]] std::vector<AlertState> save() const;
  [[nodiscard]] std::vector<AlertState> save(std::size_t group) const;
  /// Puts stored instances back, after the first reload() and before the first evaluate(). One that fires and whose rule was
  /// edited meanwhile goes to the rule of its name whose fixed labels it carries, of the same group or file first: an edit
  /// is no end of a fault. Returns the records that found no rule: a later reload() may bring theirs.
  std::vector<AlertState> restore(std::span<const AlertState> states, Time now);
  /// Whether a rule of this name was not evaluated yet, so that its alerts may still be told.
  [[nodiscard]] bool awaits(std::string_view alertname) const;

  [[nodiscard]] const RuleSet& rules() const { return *rules_; }
  [[nodiscard]] const RuleHealth& health(std::size_t group, std::size_t rule) const;
  [[nodiscard]] RulesSnapshot snapshot() const;

 private:
  struct RuleSlot {
    AlertStates alerts;
    RuleHealth health;
    std::set<Labels> series;  ///< written by the last good evaluation, for stale markers
  };
  struct GroupSlot {
    Time next_tick;
    Time evaluated_at;
    std::uint64_t missed = 0;
    std::vector<RuleSlot> rules;  ///< as in RuleGroup::rules
  };

  Status run(const RuleGroup& group, const Rule& rule, RuleSlot& slot, Time now, std::vector<AlertEvent>& events);
  static Status record(const Rule& rule, const Vector& result, std::size_t limit, std::vector<SeriesValue>& series);
  void publish(RuleSlot& slot, std::vector<SeriesValue> series, Time at);
  [[nodiscard]] RuleSlot* adopter(const AlertState& orphan, const std::set<const RuleSlot*>& settled);
  [[nodiscard]] Time tick_of(std::size_t group, Time now) const;
  void index_metrics();

  RuleContext context_;
  const Clock& clock_;
  RuleOutput& output_;
  std::shared_ptr<const RuleSet> rules_;
  std::vector<GroupSlot> slots_;
  std::map<std::string, std::vector<std::size_t>> urgent_readers_;  ///< metric name -> groups
};

/// The first moment after `now` at which the group ticks: multiples of the interval, shifted by a hash of the group, so
/// that groups spread over time and stay in place across restarts.
Time next_tick(const RuleGroup& group, Time now);

}  // namespace ward::collector
