#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "collector/event/alert.hpp"
#include "collector/slo/budget.hpp"
#include "collector/slo/ledger_store.hpp"
#include "collector/slo/promql_query.hpp"
#include "collector/slo/recount.hpp"
#include "collector/slo/series_table.hpp"
#include "collector/slo/slo.hpp"
#include "collector/slo/state.hpp"
#include "collector/tsdb/queryable.hpp"
#include "common/base/thread_annotations.hpp"
#include "common/wire/codec.hpp"

namespace ward::collector::slo {

/// How often SLOs are judged unless the owner says otherwise.
inline constexpr milliseconds kTick{std::chrono::seconds{15}};

struct EngineOptions {
  /// Of all SLOs together; each costs some 20 KiB for windows up to 30 days. What is refused is counted.
  std::size_t max_ledgers = 20'000;
  /// Samples further ahead of the last tick are refused: one wrong clock must not push everybody's minutes out.
  milliseconds max_ahead{std::chrono::minutes{10}};
  /// How long a sample may be on its way: unknown minutes this young are not taken for missing.
  milliseconds grace{std::chrono::minutes{2}};
  /// History read in one catch_up() step.
  milliseconds seed_step{std::chrono::hours{6}};
};

/// Whether a planned maintenance covers this service and group at this time.
using Maintenance = std::function<bool(const std::string& service, const Labels& group, Time at)>;

struct EngineCounts {
  std::uint64_t samples = 0;         ///< that matched a source and were counted
  std::uint64_t duplicates = 0;      ///< of a time that was counted already
  std::uint64_t invalid = 0;         ///< NaN or infinite, stale markers apart
  std::uint64_t too_old = 0;         ///< older than the ledger keeps, or its block could not be read
  std::uint64_t ahead = 0;           ///< beyond max_ahead
  std::uint64_t recounts = 0;        ///< ranges counted anew because a sample came too late to be put in
  std::uint64_t refused_groups = 0;  ///< groups beyond a bound, each once as far as memory for them reaches
  std::uint64_t query_failures = 0;
  std::uint64_t read_failures = 0;   ///< blocks that could not be read: their windows began at the block's border
  std::uint64_t damaged_blocks = 0;  ///< found at a load; they count as empty
  std::uint64_t failed_seeds = 0;    ///< steps whose history could not be read; they are tried again
  friend bool operator==(const EngineCounts&, const EngineCounts&) = default;
};

/// Counts service levels as samples arrive and judges them at each tick: no range queries, each window costs the same. A
/// state machine: its owner calls it and gives it time; history, ledgers on disk and PromQL are reached by the ports of its
/// Context only.
///
/// How to drive it: reload() with the rules, define() for every known series (after each reload that says so, and for each
/// new series), append() for every committed sample after the store has it, catch_up() until it says false, tick() each 15
/// to 60 s, save() once a minute and before the end.
///
/// Thread: any; calls exclude each other, but queries, history and the store run outside of the lock, so that append()
/// never waits for them. One caller at a time for reload(), tick(), catch_up() and save() together.
class SloEngine {
 public:
  struct Context {
    SliQuery query{};                    ///< empty: sources with PromQL stay unknown
    Maintenance maintenance{};           ///< empty: never
    const Queryable* history = nullptr;  ///< null: nothing is seeded or counted anew
    LedgerStore* store = nullptr;        ///< null: ledgers live in memory only
    EngineOptions options{};
  };
  struct Reloaded {
    std::vector<AlertEvent> ended;  ///< alerts whose SLO is gone or counts otherwise now
    bool needs_series = false;      ///< call define() for every known series
  };
  struct Tick {
    std::span<const SeriesValue> series;  ///< valid until the next tick(); what ended is a stale marker once
    std::vector<AlertEvent> alerts;       ///< transitions
  };

  explicit SloEngine(Context context);
  ~SloEngine();
  SloEngine(const SloEngine&) = delete;
  SloEngine& operator=(const SloEngine&) = delete;

  /// Replaces all SLOs. What counts as before (counting_identity) keeps its ledgers, alerts and place in each series; what
  /// is new is loaded from the store. Errors: the store's, and nothing is changed then.
  Result<Reloaded> reload(SloSet set, Time now);
  /// Twice for the same series does nothing. The number of a series that ended may name another one later.
  void define(std::uint32_t id, const Labels& labels);
  /// Samples of series that no SLO counts cost a look into an array.
  void append(std::span<const wire::IdSample> samples);

  /// One step of counting history: of new SLOs as far as their windows reach, after a start what came after the last save.
  /// False when nothing is left to do. Until then windows know less (coverage), and SLOs that were saved once keep the
  /// alerts they had.
  bool catch_up(Time now);
  [[nodiscard]] bool catches_up() const;

  /// A wall clock that goes backwards is followed: windows end where it says. Alerts never begin after `now`.
  Tick tick(Time now);

  /// Ledgers, alerts and what is seeded into the store; only blocks that changed. Errors: the store's; the next save
  /// repeats what this one did not.
  Status save();

  /// Pending and firing, as of the last tick.
  [[nodiscard]] std::vector<AlertEvent> alerts() const;
  /// One for each group; an SLO that has none yet is there with `counted` false.
  [[nodiscard]] std::vector<BudgetState> budgets() const;
  /// The minutes of [from, to) of every ledger, one ledger after the other, from the store where they are no longer kept in
  /// memory. The lock is held for one block at a time.
  void visit_minutes(MinuteRange range, const std::function<void(const LedgerMinutes&)>& visit) const;
  /// The same of the time [from, to) instead of the period, as far as ledgers reach back: what is left is then of the budget
  /// of that time. For reports: costs a few blocks a ledger.
  [[nodiscard]] std::vector<BudgetState> budgets_over(Time from, Time to) const;
  [[nodiscard]] EngineCounts counts() const;
  /// Ledgers and their memory.
  struct Size {
    std::size_t ledgers = 0;
    std::size_t ledger_bytes = 0;
    std::size_t series = 0;
    friend bool operator==(const Size&, const Size&) = default;
  };
  [[nodiscard]] Size size() const;

 private:
  struct Series {
    std::uint64_t labels_hash = 0;
    std::optional<std::uint64_t> starts;  ///< the process whose start this series tells
    std::vector<Slot> slots;
  };
  struct PromqlAnswer {
    SloState* slo = nullptr;
    std::size_t source = 0;
    std::vector<SeriesValue> values;
  };

  // engine.cpp
  Result<StoredSlos> load_new(const SloSet& set) const;
  std::unique_ptr<SloState> take_over(SloSpec spec, Time now, bool& fresh);
  void plan_all();
  void reshape(SloState& slo);
  void index_sources();
  void link_composites();
  void forget_gone_slots();
  void define_locked(std::uint32_t id, const Labels& labels);
  void drop_entry(std::uint32_t id);
  [[nodiscard]] std::vector<SourceRef> matches(const Labels& labels) const;
  [[nodiscard]] GroupState* group_of(SloState& slo, const Labels& series);
  GroupState& make_group(SloState& slo, Labels labels);
  [[nodiscard]] std::unique_ptr<Ledger> make_ledger(const SloState& slo, const Labels& group) const;
  // engine_saved.cpp
  void adopt(StoredSlos stored, Time now);
  void begin_seed(SloState& slo, Time now);
  LedgerChange take_changes();
  // engine_series.cpp
  void take(Slot& slot, Sample sample);
  Intake count(SloState& slo, GroupState& group, std::size_t source, SeriesMemory& memory, Sample sample, bool from_zero,
               Time count_from = Time::min());
  void add(GroupState& group, Time at, Amount bad, Amount total);
  void ask_again(const Slot& slot, Time late);
  [[nodiscard]] std::optional<Time> started(std::uint64_t process) const;
  std::vector<std::pair<SloState*, std::size_t>> due_queries(Time now);
  void feed(const std::vector<PromqlAnswer>& answers, Time now);
  void mark_maintenance(Time now);
  // recount.cpp
  Status seed_step(SloState& slo, Time now);
  void finish_seed(SloState& slo);
  void repair_some();
  Status repair(const Repair& repair);
  [[nodiscard]] Result<std::vector<std::vector<SeriesData>>> read_history(const SloState& slo, Time from, Time to) const;
  void apply_history(SloState& slo, SeedJob& job, std::size_t source, const std::vector<SeriesData>& series, Time count_to);
  [[nodiscard]] Slot* slot_of(const SloState& slo, std::size_t source, std::uint64_t labels_hash);
  // engine_budgets.cpp
  [[nodiscard]] std::vector<LedgerMinutes> ledgers_of(MinuteRange range) const;
  [[nodiscard]] std::optional<BlockCells> kept_block(const LedgerMinutes& of, std::string& identity,
                                                     BlockNumber number) const;
  // engine_rows.cpp
  void judge_all(Time now);
  void judge_group(SloState& slo, GroupState& group, Time now) const;
  void judge_composite(SloState& slo, GroupState& group, Time now) const;
  [[nodiscard]] WindowState judge_range(const SloState& slo, const GroupState& group, std::int64_t from,
                                        std::int64_t end) const;
  void refresh_composite_groups(SloState& slo);
  void make_rows(SloState& slo, GroupState& group);
  void set_rows(SloState& slo, GroupState& group);
  void remove_rows(GroupState& group);
  // engine_alerts.cpp
  void tell_all(Time now, std::vector<AlertEvent>& into);
  void tell_group(SloState& slo, GroupState& group, Time now, std::vector<AlertEvent>& into);
  void tell_absent(SloState& slo, Time now, std::vector<AlertEvent>& into);
  void tell_budget(SloState& slo, GroupState& group, Time now, std::vector<AlertEvent>& into);
  [[nodiscard]] bool path_is_healthy(const SloState& slo, const GroupState& group) const;
  void end_alerts(SloState& slo, Time now, std::vector<AlertEvent>& into);
  void restore_alerts(std::vector<StoredSloAlert> stored);

  Context context_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<SloState>> slos_ WARD_GUARDED_BY(mutex_);
  std::map<std::string, std::vector<SourceRef>, std::less<>> by_metric_ WARD_GUARDED_BY(mutex_);
  std::vector<SourceRef> by_other_ WARD_GUARDED_BY(mutex_);      // sources without the metric's name
  std::vector<std::uint32_t> entry_of_ WARD_GUARDED_BY(mutex_);  // by series id: index + 1 into series_
  std::vector<Series> series_ WARD_GUARDED_BY(mutex_);
  std::vector<std::uint32_t> free_series_ WARD_GUARDED_BY(mutex_);
  std::unordered_map<std::uint64_t, std::uint32_t> by_labels_ WARD_GUARDED_BY(mutex_);  // hash of labels: index into series_
  std::unordered_map<std::uint64_t, Time> started_ WARD_GUARDED_BY(mutex_);             // processes, by hash of their labels
  std::vector<StoredSloAlert> orphans_ WARD_GUARDED_BY(mutex_);  // stored alerts whose group has not come yet
  std::size_t ledgers_ WARD_GUARDED_BY(mutex_) = 0;
  std::vector<Repair> repairs_ WARD_GUARDED_BY(mutex_);
  SeriesTable table_ WARD_GUARDED_BY(mutex_);
  Time last_tick_ WARD_GUARDED_BY(mutex_);
  bool ticked_ WARD_GUARDED_BY(mutex_) = false;
  bool loaded_ WARD_GUARDED_BY(mutex_) = false;  ///< the first reload() is over
  Minute marked_through_ WARD_GUARDED_BY(mutex_);
  Time counted_through_ WARD_GUARDED_BY(mutex_);
  EngineCounts counts_ WARD_GUARDED_BY(mutex_);
};

}  // namespace ward::collector::slo
