#pragma once
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "collector/alerting/engine.hpp"
#include "collector/event/incident.hpp"
#include "collector/incident/engine.hpp"
#include "collector/rehearsal/sandbox.hpp"
#include "collector/rehearsal/slo_stage.hpp"
#include "collector/routing/router.hpp"
#include "collector/rulebook/rulebook.hpp"

namespace ward::collector {

/// A message that would have gone out, with the incident as it stood then.
struct SentNotice {
  Time at;
  std::string receiver;
  Notice notice;
  friend bool operator==(const SentNotice&, const SentNotice&) = default;
};

/// A rule that could not be evaluated.
struct RuleFailure {
  std::string rule;
  Time at;
  std::string what;
  friend bool operator==(const RuleFailure&, const RuleFailure&) = default;
};

/// The stages of the collector, alerting and SLOs -> incident -> routing, on virtual time: the same engines, joined as the
/// collector joins them, with nothing behind them but a sandbox. Time only moves by step() and pass(), and never back. No
/// I/O, no threads, no real clock: the same input gives the same pages. Thread: one at a time.
class Rehearsal {
 public:
  struct Setting {
    std::shared_ptr<const RuleSet> rules;  ///< compiled in the sandbox
    Labels external_labels;
    std::string external_url;
    std::shared_ptr<const Rulebook> book;  ///< who depends on whom and who hears of what; null: alerts alone, no incidents
    slo::SloSet slos{};                    ///< judged beside the rules, with the book's maintenance
    std::optional<Time> slos_from{};       ///< what they count begins here; nullopt: with the start
    milliseconds slo_tick{slo::kTick};     ///< between judgements of SLOs
    std::function<bool(const Labels&)> slo_series{};  ///< which ward_slo_* are worth storing; empty: all
    bool pages = true;                                ///< false: alerts alone, no incidents, whatever the book says
  };
  /// `sandbox` outlives it.
  Rehearsal(Sandbox& sandbox, Setting setting, Time start);

  /// Samples that SLOs count when their time has come; rules read theirs from the sandbox's store.
  void arrive(const Labels& series, std::span<const Sample> samples);
  /// Before the first step, up to its time: SLOs count what has arrived, and nobody is told.
  void seed_slos(Time until);

  /// One evaluation at `now`, as the collector steps: these groups in this order, then whatever follows from their alerts
  /// and from `told`, alerts that no rule here has found. What correlation wanted to do earlier is done first, at its time.
  /// Returns the rules that failed.
  std::vector<RuleFailure> step(Time now, std::span<const std::size_t> groups, std::span<const AlertEvent> told = {});
  /// Lets time pass without evaluation: holds end, incidents settle.
  void pass(Time until);

  /// The groups that the collector would evaluate now, and when it would wake next, holds of `for` included.
  [[nodiscard]] std::vector<std::size_t> due(Time now) const { return rules_.due(now); }
  [[nodiscard]] Time next_wake(Time now) const { return rules_.next_wake(now); }

  /// Pending, firing and lately resolved alerts, those of SLOs among them.
  [[nodiscard]] std::vector<AlertEvent> alerts() const;
  /// What SLOs have counted; null without SLOs.
  [[nodiscard]] const SloStage* slos() const { return slos_.get(); }
  /// Which rules had a firing alert so far: numbers of the group and of the rule in it.
  [[nodiscard]] const std::set<std::pair<std::size_t, std::size_t>>& fired() const { return fired_; }
  /// All messages so far, oldest first, each once as the outbox keeps it.
  [[nodiscard]] const std::vector<SentNotice>& sent() const { return sent_; }
  /// Every incident so far as it stands, by id.
  [[nodiscard]] const std::map<std::string, Incident>& incidents() const { return incidents_; }
  [[nodiscard]] const std::vector<Decision>& decisions() const { return decisions_; }

 private:
  [[nodiscard]] Time next_move() const;
  [[nodiscard]] std::vector<AlertEvent> judge_slos(Time now);
  void settle(std::span<const AlertEvent> events, Time now);
  void note_fired(std::size_t group);

  Sandbox& sandbox_;
  Setting setting_;
  std::unique_ptr<SloStage> slos_;
  RuleEngine rules_;
  std::optional<Engine> correlation_;
  std::optional<Router> router_;
  Time now_;
  std::set<std::pair<std::size_t, std::size_t>> fired_;
  std::vector<SentNotice> sent_;
  std::set<std::string> keys_;  ///< of what was sent
  std::map<std::string, Incident> incidents_;
  std::vector<Decision> decisions_;
};

}  // namespace ward::collector
