#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "collector/rehearsal/sandbox.hpp"
#include "collector/rehearsal/series_reads.hpp"
#include "collector/rulebook/rulebook.hpp"
#include "collector/slo/engine.hpp"

namespace ward::collector {

/// The SLO engine on virtual time, driven as ServiceLevels drives it: it counts samples in the order of their times, none
/// before its time has come, and judges at each tick. Takes what rules record on its way to the store, for indicators may
/// count that too. Thread: one at a time.
class SloStage final : public RuleOutput {
 public:
  struct Setting {
    slo::SloSet slos;
    std::shared_ptr<const Rulebook> book;            ///< whose maintenance is left out; null: none
    milliseconds tick{slo::kTick};                   ///< between judgements
    std::function<bool(const Labels&)> writes = {};  ///< of its series, those worth storing; empty: all
  };
  /// Nothing is counted of the time before `since`. The sandbox outlives it.
  SloStage(Sandbox& sandbox, Setting setting, Time since);

  /// Samples of one series, rising; they count when their time has come.
  void arrive(const Labels& series, std::span<const Sample> samples);
  void write(Time at, std::span<const SeriesValue> series) override;

  /// Counts what has arrived until then, as a collector reads history at its start: what burns then is told by the first
  /// tick. Before the first tick.
  void seed(Time until);
  [[nodiscard]] Time next_tick() const { return next_tick_; }
  /// Judges, when a tick is due; what follows are transitions of alerts, and ward_slo_* in the store.
  std::vector<AlertEvent> tick(Time now);

  /// Firing, as of the last tick.
  [[nodiscard]] std::vector<AlertEvent> alerts() const { return engine_.alerts(); }
  [[nodiscard]] std::vector<slo::BudgetState> budgets() const { return engine_.budgets(); }
  [[nodiscard]] std::vector<slo::BudgetState> budgets_over(Time from, Time to) const {
    return engine_.budgets_over(from, to);
  }
  /// The SLOs whose error budget burned so fast that it was told, each with the gravest class it had.
  [[nodiscard]] const std::map<std::string, AlertClass, std::less<>>& burned() const { return burned_; }

 private:
  void count_until(Time now);
  void store(Time now, std::span<const SeriesValue> series);
  void note(const std::vector<AlertEvent>& events);

  Sandbox& sandbox_;
  Setting setting_;
  RuleReads reads_;
  slo::SloEngine engine_;
  Time next_tick_;
  std::unordered_map<std::uint64_t, std::optional<std::uint32_t>> ids_;  // by the hash of labels; none: nobody counts it
  std::uint32_t next_id_ = 0;
  std::vector<wire::IdSample> waiting_;  // those before next_ are counted
  std::size_t next_ = 0;
  bool sorted_ = true;
  std::vector<AlertEvent> seeded_;  // what burned already when judging began
  std::map<std::string, AlertClass, std::less<>> burned_;
};

}  // namespace ward::collector
