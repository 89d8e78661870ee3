#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "collector/bulk_append.hpp"
#include "collector/config.hpp"
#include "collector/head_sink.hpp"
#include "collector/store/sqlite/days.hpp"
#include "collector/store/sqlite/journal.hpp"
#include "collector/tsdb/head.hpp"
#include "collector/tsdb/history.hpp"

namespace ward::collector {

/// All samples and what feeds them: the journal on disk, the head in memory, the days behind it, the catalogue of series.
/// A sample is in the journal and the head, then in a day and the head, then in the day alone. Thread: the parts say;
/// replay_some(), tidy() and store_chunks() beside no commit.
class Store {
 public:
  Store(const CollectorConfig& config, telemetry::Registry& metrics, std::unique_ptr<SqliteJournal> opened,
        std::unique_ptr<Days> on_disk);

  /// Reads series, the newest chunks and the journal back into the head. Returns damaged rows that were left out.
  Result<std::uint64_t> replay(Time now);
  /// The same in parts, so that samples are taken meanwhile: begin(), then replay_some() until replaying() ends. What is
  /// committed between comes by way of the journal. Both return damaged rows that were left out.
  Result<std::uint64_t> begin(Time now);
  Result<std::uint64_t> replay_some(std::size_t enough = kReplayedAtOnce);
  [[nodiscard]] bool replaying() const { return replaying_; }                   ///< any thread
  [[nodiscard]] std::uint64_t replayed_rows() const { return replayed_rows_; }  ///< of the journal; any thread
  /// Days that another journal wrote, as begin() found them: their samples are not seen yet.
  [[nodiscard]] const std::vector<Day>& foreign_days() const { return foreign_; }
  /// Takes one of those over: its series get numbers of this journal.
  Status adopt(Day day);

  /// Closes chunks, files them by day and takes the rows they cover off the journal; on an error they wait for the next
  /// time.
  Status store_chunks();
  /// Retention, on disk and in memory; lets go of what is in memory and on disk both. On a full disk it makes room. A step
  /// that fails keeps no other from being done; the first error is returned.
  Status tidy(Time now);

  const std::unique_ptr<SqliteJournal> journal;
  const std::unique_ptr<Days> days;
  Head head;
  History history;
  Catalogue catalogue;
  HeadSink sink;

  /// Of samples that are on disk, so long the newest stay in memory too: what rules and most dashboards ask for.
  static constexpr std::chrono::hours kInMemory{2};

  /// Samples; commits wait meanwhile, up to a tenth of a second.
  static constexpr std::size_t kReplayedAtOnce = 1'000'000;

 private:
  /// Chunks on disk that the journal may have settled, or not.
  struct Attempt {
    std::int64_t batch = 0;
    std::vector<SeriesRef> series;
    std::map<SeriesRef, Day> newest;
  };
  Status resolve_attempt();
  Status write_chunks(Attempt& attempt);
  Status settle(Attempt attempt);
  void complete(const Attempt& attempt);
  Status drop_old_days(Time now);
  [[nodiscard]] Time trusted(Time now) const;
  void release(Time now);
  Status drop_series(Time now);
  void recover_series();

  const Retention retention_;
  Journal::Position replayed_{};
  std::atomic<bool> replaying_{false};
  std::atomic<std::uint64_t> replayed_rows_{0};
  const milliseconds in_memory_;
  std::optional<Attempt> attempt_;
  std::vector<Day> foreign_;
  BulkAppend appending_;  // of replay_some(); the last member: it uses the others
};

}  // namespace ward::collector
