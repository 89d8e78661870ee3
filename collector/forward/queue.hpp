#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "collector/forward/metrics.hpp"
#include "collector/forward/queue_row.hpp"
#include "collector/ingest/recorder.hpp"
#include "common/base/thread_annotations.hpp"
#include "common/base/world.hpp"
#include "common/sqlite/database.hpp"

namespace ward::collector {

/// Records that wait to be sent on, in one SQLite file (docs/format/store.md): written before the journal's commit, read
/// once that has succeeded, and a position for each target. What the journal does not have at the next start is taken back
/// before anything is sent, so the queue holds what the journal held, each record once. It never fails a commit: a file that
/// takes nothing costs samples, which are counted for each target, and is opened again. Thread: any; one mutex, because
/// SQLite takes one caller at a time. Only backlog() and newest() never wait for a disk.
class ForwardQueue final : public RecordTap {
 public:
  struct Target {
    std::string name;
    std::uint64_t max_bytes = 1ULL << 30;  ///< of records that wait, without the block that is being sent
  };
  struct Options {
    std::string path;
    std::string vfs;              ///< "" = the real file system
    std::vector<Target> targets;  ///< at least one
    milliseconds reopen_after{10'000};
  };
  struct Context {
    const Clock& clock;
    telemetry::Registry& metrics;
    std::function<Labels(SeriesId)> labels;  ///< of the catalogue
    /// Whether the collector takes it: not one that it has, nor another value at a time that has one. Senders that did not
    /// hear an answer send again, and a receiver may refuse a whole request for one such sample. May be empty: all are.
    std::function<bool(SeriesId, const Sample&)> is_new;
    std::function<void()> arrived;                  ///< something can be sent; from the thread that confirmed it
    std::function<void(const Error&)> failed;       ///< the file takes nothing, told once until it does again
    std::function<Status(const Error&)> set_aside;  ///< the file is damaged: moves it out of the way
  };
  ForwardQueue(Options options, Context context);
  ~ForwardQueue() override;

  /// Once, before the first commit, with what the journal has. Fails with Errc::denied alone (a newer release wrote the
  /// file); what else is wrong with the file is told and tried again.
  Status start(std::vector<StreamState> journaled);

  void offer(std::span<const JournalEntry> entries) override;
  void confirm(std::span<const JournalEntry> entries) override;

  struct Row {
    std::uint64_t samples = 0;
    std::uint64_t bytes = 0;                             ///< on the disk
    std::optional<std::vector<wire::IdSample>> content;  ///< ids are QueueSeries; nullopt: damaged
  };
  /// Some rows on end, the same after a restart until they are done(): then what was sent before is sent again in the same
  /// requests.
  struct Block {
    std::int64_t last = 0;
    bool repeated = false;  ///< parts of it may have been sent before
    std::uint64_t samples = 0;
    Time newest;
    std::vector<Row> rows;
  };
  /// The next rows for a target, with about `samples` samples; nullopt when there are none. After it comes done().
  Result<std::optional<Block>> take(std::size_t target, std::uint64_t samples);
  /// All of the block is answered: never again.
  Status done(std::size_t target, const Block& block);
  /// Label sets by number; nullopt for one whose row cannot be read.
  Result<std::vector<std::optional<Labels>>> labels(std::span<const QueueSeries> numbers);

  struct Backlog {
    std::uint64_t samples = 0;
    std::uint64_t bytes = 0;
  };
  /// What waits to be taken. Never blocks.
  [[nodiscard]] Backlog backlog(std::size_t target) const;
  /// Newest time of a sample that is or was to be sent; the epoch before the first. Never blocks.
  [[nodiscard]] Time newest() const { return from_ms(newest_.load()); }
  /// Newest time that the target has answered, over restarts; the epoch before the first.
  [[nodiscard]] Time sent(std::size_t target);

 private:
  /// What a row takes beside its payload.
  static constexpr std::uint64_t kRowBytes = 48;
  struct Statements;
  /// done <= handed <= next: rows up to done are answered, then the block under way, then rows that were dropped.
  struct Positions {
    std::int64_t done = 0, handed = 0, next = 0;
    Time sent;
  };
  struct State {
    State(const Target& target, telemetry::Registry& registry)
        : name(target.name), max_bytes(target.max_bytes), metrics(registry, target.name) {}
    const std::string name;
    const std::uint64_t max_bytes;
    ForwardMetrics metrics;
    Positions at;
    std::atomic<std::uint64_t> samples = 0, bytes = 0;  // of rows behind next
  };
  struct Named {
    QueueSeries number = 0;
    std::uint32_t used_in = 0;  // generation
    std::int64_t row = 0;       // the last that names it
  };
  /// Rows of the last offer(), until they are confirmed or taken back.
  struct Group {
    std::int64_t first = 0, last = 0;
    StreamRow stream;
    Sequence seq;
    std::uint64_t samples = 0, bytes = 0;
    Time newest;
  };
  struct Cut {
    std::int64_t next = 0;
    std::uint64_t samples = 0, bytes = 0;
  };

  // All of these with the mutex held.
  Status ensure_open();
  Status open_file();
  Status load(sqlite::Database& db);
  Status load_mark(sqlite::Database& db);
  Status load_targets(sqlite::Database& db);
  Status load_backlog(sqlite::Database& db);
  [[nodiscard]] bool journal_has(StreamRow stream, Sequence seq) const;
  Status note(Status status);
  void recovered();
  void close();
  Status append(std::span<const JournalEntry> entries);
  /// `known`: the collector's own samples, which it has had since they were made.
  Status put_record(const wire::Record& record, bool known, Group& group);
  Result<QueueSeries> number_of(SeriesId id, std::int64_t row);
  Result<std::optional<QueueSeries>> find_series(const Labels& labels);
  Result<std::optional<Labels>> read_labels(QueueSeries number);
  Result<Cut> cut_for(const State& target, std::uint64_t coming);
  Status put_target(const std::string& name, const Positions& at);
  Status save_positions(State& target);
  Result<Block> read_block(const State& target, bool repeated, std::uint64_t samples);
  Result<bool> trim(std::uint64_t rows);
  Status drop_unused_series();
  void drop_all(ForwardDrop reason, std::uint64_t samples);

  const Options options_;
  const Context context_;
  telemetry::Gauge& failing_gauge_;
  std::atomic<std::int64_t> newest_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<State>> targets_;
  std::optional<sqlite::Database> db_ WARD_GUARDED_BY(mutex_);
  std::unique_ptr<Statements> statements_ WARD_GUARDED_BY(mutex_);
  QueueCodec codec_ WARD_GUARDED_BY(mutex_);
  std::optional<std::vector<StreamState>> journaled_ WARD_GUARDED_BY(mutex_);  // until the file was opened once
  std::unordered_map<SeriesId, Named> numbers_ WARD_GUARDED_BY(mutex_);
  std::unordered_map<SeriesId, QueueSeries> fresh_ WARD_GUARDED_BY(mutex_);  // of the transaction under way
  std::unordered_set<QueueSeries> unseen_ WARD_GUARDED_BY(mutex_);           // of earlier processes, not named in this one
  std::optional<Group> tail_ WARD_GUARDED_BY(mutex_);
  Status offered_ WARD_GUARDED_BY(mutex_);
  std::int64_t next_row_ WARD_GUARDED_BY(mutex_) = 1;
  std::int64_t confirmed_ WARD_GUARDED_BY(mutex_) = 0;
  std::int64_t unseen_until_ WARD_GUARDED_BY(mutex_) = 0;  // newest row when unseen_ was read
  std::uint32_t next_series_ WARD_GUARDED_BY(mutex_) = 0;
  std::uint32_t generation_ WARD_GUARDED_BY(mutex_) = 0;
  MonoTime retry_at_ WARD_GUARDED_BY(mutex_){};
  MonoTime tidied_at_ WARD_GUARDED_BY(mutex_){};
  bool trim_due_ WARD_GUARDED_BY(mutex_) = false;
  bool damaged_ WARD_GUARDED_BY(mutex_) = false;  // to be set aside before it is opened again
  bool told_ WARD_GUARDED_BY(mutex_) = false;
};

}  // namespace ward::collector
