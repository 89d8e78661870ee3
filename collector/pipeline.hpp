#pragma once
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "collector/alerting/engine.hpp"
#include "collector/alerting/rule_file.hpp"
#include "collector/event/state.hpp"
#include "collector/head_sink.hpp"
#include "collector/incident/engine.hpp"
#include "collector/notify/outbox.hpp"
#include "collector/routing/router.hpp"
#include "collector/rulebook/rulebook.hpp"
#include "collector/state_writer.hpp"
#include "common/async/blocking.hpp"
#include "common/async/task_group.hpp"
#include "common/async/wakeup.hpp"
#include "common/telemetry/log.hpp"
#include "common/telemetry/metrics.hpp"

namespace ward::collector {

/// Logs `what` with the cause: for task groups whose tasks never end by themselves.
async::TaskGroup::OnFailure logs_failure(telemetry::Logger& log, std::string what);

/// alerting -> incident -> routing -> one commit -> outbox. Evaluates when a group is due and, for groups with urgent
/// rules, when a metric they read has arrived. Nothing is sent that is not committed. Thread: the io thread; rules are
/// evaluated on the pool, one step at a time.
class Pipeline {
 public:
  struct Context {
    async::asio::any_io_executor executor;
    const Clock& clock;
    telemetry::Logger& log;
    telemetry::Registry& metrics;
    async::BlockingPool& pool;
    HeadSink& head;
    RuleEngine& rules;
    Engine& incidents;
    Router& router;
    Outbox& outbox;
    StateWriter& writer;
    std::function<void()> sent_wake;        ///< rows were accepted into the outbox
    std::vector<AlertRow> stored_alerts{};  ///< as loaded at start, those that found no rule included
    std::vector<AlertState> ruleless{};     ///< those of stored_alerts that found no rule
    RuleCoverage coverage = RuleCoverage::whole;
    const ExpressionCompiler* compiler = nullptr;  ///< for the checks of decision trees; null: none are made
    std::shared_ptr<const Rulebook> book{};        ///< in force at start
    /// Alerts that are pending or firing and come by hear(), not from rules; may be empty.
    std::function<std::vector<AlertEvent>()> others{};
  };
  explicit Pipeline(Context context);

  void start();
  /// Cancels at once; returns when no step runs on the pool any more. The step under way is not told.
  async::Task<void> stop();
  /// One evaluation of what is due or has arrived, with all that follows from it. What start() repeats; a test calls it.
  async::Task<void> step();
  /// Samples became durable.
  void arrived() { wakeup_.wake(); }
  /// Takes new rules, and all that stands beside them, between two steps; what they end is told like any other end. Until
  /// rules are whole for the first time, what an earlier life told and no rule tells now is kept, not ended: its rule may
  /// only be late.
  void use_book(std::shared_ptr<const Rulebook> book, RuleCoverage coverage = RuleCoverage::whole);
  /// What a person asks of the router; answered when it is committed, in the next step. Errors: those of
  /// Router::perform(), overloaded, and unavailable when it could not be stored, or no step came in time.
  async::Task<Result<std::string>> perform(Command command);
  /// Transitions of alerts that no rule here makes (service levels). They take part in the next step.
  void hear(std::vector<AlertEvent> events);
  /// Committed with the next step.
  void audit(AuditEntry entry);

  /// Pending and firing alerts as of the last step; any thread.
  [[nodiscard]] std::shared_ptr<const std::vector<AlertEvent>> alerts() const;
  /// The rules and their health as of the last step; any thread.
  [[nodiscard]] std::shared_ptr<const RulesSnapshot> rules() const;
  [[nodiscard]] std::vector<Incident> open_incidents() const { return context_.incidents.open(); }
  [[nodiscard]] const Router& router() const { return context_.router; }
  /// In force as of the last step; null where there is none.
  [[nodiscard]] const std::shared_ptr<const Rulebook>& book() const { return context_.book; }
  [[nodiscard]] Time last_tick() const { return last_tick_; }
  [[nodiscard]] MonoTime last_progress() const { return last_progress_; }
  /// Whether state could be committed the last time.
  [[nodiscard]] const std::optional<Error>& trouble() const { return trouble_; }

 private:
  struct Asked;
  using AskedList = std::deque<std::shared_ptr<Asked>>;
  AskedList perform_asked(StateChange& change, Time now);
  static void tell(const AskedList& asked, const Status& stored);
  void begin_grace();
  async::Task<void> loop();
  async::Task<std::vector<AlertEvent>> evaluate(Time now);
  async::Task<void> advise(std::vector<Notice>* notices, Time now);
  async::Task<void> settle(std::vector<AlertEvent> events, Time now);
  void know_stored();
  [[nodiscard]] std::vector<AlertState> ruleless() const;
  void reloaded(RuleCoverage coverage, std::vector<AlertState> ruleless);
  [[nodiscard]] std::vector<AlertEvent> disowned();
  [[nodiscard]] std::vector<AlertEvent> untold();
  [[nodiscard]] std::vector<AlertEvent> heard();
  /// All that rules and others have now.
  [[nodiscard]] std::vector<AlertEvent> current() const;
  void save_alerts(StateChange& change);
  [[nodiscard]] milliseconds until_next(Time now) const;

  Context context_;
  async::Wakeup wakeup_;
  std::shared_ptr<const Rulebook> next_book_;
  std::vector<AlertEvent> heard_;
  RuleCoverage next_coverage_ = RuleCoverage::whole;
  std::map<AlertRowKey, std::string> saved_;    // alert rows as the store has them
  RuleCoverage coverage_;                       // once whole, for good
  std::map<AlertRowKey, AlertState> ruleless_;  // stored alerts that wait for their rule, while the rules are partial
  StateChange unsaved_;
  AskedList asked_;
  std::vector<AuditEntry> audit_;
  std::optional<MonoTime> inherited_until_;  // incidents of an earlier life may hold alerts that no rule tells any more
  std::optional<MonoTime> untold_at_;        // when to look for alerts of an earlier life whose incident could not be read
  Time last_tick_;
  MonoTime last_progress_{};
  std::optional<Error> trouble_;
  mutable std::mutex mutex_;
  std::shared_ptr<const std::vector<AlertEvent>> alerts_ WARD_GUARDED_BY(mutex_);
  std::shared_ptr<const RulesSnapshot> rules_ WARD_GUARDED_BY(mutex_);
  async::TaskGroup tasks_;
};

}  // namespace ward::collector
