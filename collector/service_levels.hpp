#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "collector/head_sink.hpp"
#include "collector/ingest/catalogue.hpp"
#include "collector/promql/engine.hpp"
#include "collector/rulebook/rulebook.hpp"
#include "collector/slo/engine.hpp"
#include "collector/store/volume/volume.hpp"
#include "common/async/blocking.hpp"
#include "common/async/task_group.hpp"
#include "common/base/thread_annotations.hpp"
#include "common/telemetry/log.hpp"
#include "common/telemetry/metrics.hpp"

namespace ward::collector {

/// Drives the SLO engine: hands it series and samples as they are stored, judges at each tick, writes what it yields, keeps
/// its ledgers. Thread: the io thread; define() and append() any.
class ServiceLevels final : public SampleSink {
 public:
  struct Context {
    async::asio::any_io_executor executor;
    const Clock& clock;
    telemetry::Logger& log;
    telemetry::Registry& metrics;
    async::BlockingPool& pool;
    HeadSink& sink;
    const Catalogue& catalogue;
    const Queryable& history;
    const promql::Engine& promql;
    slo::LedgerStore& store;
    DataVolume& volume;
    milliseconds tick{slo::kTick};
    milliseconds keep{0};  ///< of ledgers; 0 = for ever
  };
  using Hear = std::function<void(std::vector<AlertEvent>)>;
  explicit ServiceLevels(Context context);

  /// At start, before the first define().
  Status begin(std::shared_ptr<const Rulebook> book);
  /// Gets the transitions of alerts. Before the first judge().
  void tell(Hear hear) { hear_ = std::move(hear); }
  /// The head has what the journal has: counting and judging begin.
  void start(Hear hear);
  /// One tick, with the transitions that follow from it. What start() repeats; a test calls it.
  async::Task<void> judge();
  /// Stores what was counted since the last time.
  async::Task<void> save();
  /// With the next tick.
  void use_book(std::shared_ptr<const Rulebook> book);
  /// Judges no more, and stores what was counted.
  async::Task<void> stop();

  void define(SeriesId id, const Labels& labels) override;
  void append(std::span<const wire::IdSample> samples) override { engine_.append(samples); }

  /// Pending and firing; any thread.
  [[nodiscard]] std::vector<AlertEvent> alerts() const { return engine_.alerts(); }
  [[nodiscard]] std::vector<slo::BudgetState> budgets() const { return engine_.budgets(); }
  /// SloEngine::visit_minutes(); blocking, any thread.
  void visit_minutes(slo::MinuteRange range, const std::function<void(const slo::LedgerMinutes&)>& visit) const {
    engine_.visit_minutes(range, visit);
  }

 private:
  async::Task<void> loop();
  async::Task<Status> on_pool(std::function<Status()> job);
  async::Task<void> prune();
  Status tick(Time now, std::vector<AlertEvent>& alerts);
  Status take_book(Time now, std::vector<AlertEvent>& alerts);
  void tell_series();
  [[nodiscard]] bool is_excluded(const std::string& service, Time at) const;
  [[nodiscard]] std::shared_ptr<const Rulebook> book() const;
  void report();

  Context context_;
  std::atomic<bool> stopping_{false};
  slo::SloEngine engine_;
  Hear hear_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Rulebook> book_ WARD_GUARDED_BY(mutex_);
  std::shared_ptr<const Rulebook> next_ WARD_GUARDED_BY(mutex_);
  std::vector<bool> known_ WARD_GUARDED_BY(mutex_);  // series, by number
  slo::EngineCounts reported_;
  bool save_fails_ = false;
  bool reload_fails_ = false;
  async::TaskGroup tasks_;
};

}  // namespace ward::collector
