#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "collector/store/sqlite/day_files.hpp"
#include "collector/tsdb/archive.hpp"
#include "collector/tsdb/head.hpp"
#include "common/base/thread_annotations.hpp"

namespace ward::collector {

/// The chunks of all days, one SQLite file a day in one folder. The journal's number of the last settled batch decides what
/// of them counts: write a batch (DayWriter), let the journal settle it together with the trimming of its rows, then
/// settled() (why: docs/decisions/0008-day-files.md). Thread: any for reading; one writer at a time.
class Days final : public ChunkArchive {
 public:
  /// `known`: the days to read; `journal` and `batch` as the journal says.
  Days(DayFiles::Options options, std::int64_t journal, std::int64_t batch, const std::vector<Day>& known);
  ~Days() override;

  [[nodiscard]] std::unique_ptr<Cursor> cursor() const override;

  /// Blocks of a batch to one day, on disk when it returns; for DayWriter. `fresh`: its first to this day, so what an
  /// attempt before left under the same number goes. A damaged file is set aside for a new one.
  Status write(Day day, bool fresh, std::int64_t batch, std::span<DayBlock> blocks, std::span<const NewSeries> series);
  /// Whether the day's file is newer than what the head knows of it, because the one before was set aside or taken away:
  /// then labels have to come with every chunk.
  [[nodiscard]] bool wants_labels(Day day) const;
  /// The journal has settled this batch: it counts.
  void settled(std::int64_t batch);

  /// Retention: removes files of days before `day`.
  Status drop_before(Day day);
  /// Takes the tenants that `expired` names out of the days before `day`. A day is looked into once for each `round`.
  Status drop_tenants(Day day, std::int64_t round, const std::function<bool(const std::string&, Day)>& expired);
  /// Removes the oldest files until all together take no more than `bytes`, never the newest.
  Status shrink_to(std::uint64_t bytes);

  /// Chunks of settled batches that end at `from` or later, the newest first; of all days or of one. What is damaged is left
  /// out and told.
  Status each_chunk_since(Time from, const std::function<void(const SealedChunk&)>& take);
  Status each_chunk_of(Day day, Time from, const std::function<void(const SealedChunk&)>& take);
  /// Labels of all series of all our days, the newest day first; of one day, ours or not.
  void each_series(const std::function<void(Day, SeriesId, Labels)>& take);
  Status each_series_of(Day day, const std::function<void(SeriesId, Labels)>& take);

  /// At a start, before anything is written: takes back what was never settled, and returns the days that another journal
  /// wrote; nothing of those is read or written before adopt(). A day that cannot be looked into is told as damaged.
  Result<std::vector<Day>> begin();
  /// Makes such a file ours: each of its series gets the number that `number` says. One that is damaged is set aside.
  Status adopt(Day day, const std::function<SeriesId(const Labels&)>& number);
  /// How much room the files take, for stats(). Looks at each.
  void measure();

  struct Stats {
    std::size_t files = 0;
    std::uint64_t bytes = 0;
    std::optional<Day> first;
    std::size_t damaged_blocks = 0;             ///< met by queries since start
    std::map<std::string, std::string> damage;  ///< file name -> what is wrong
  };
  [[nodiscard]] Stats stats() const;
  [[nodiscard]] std::optional<Day> first() const;
  [[nodiscard]] std::optional<Day> last() const;

 private:
  class DayCursor;

  [[nodiscard]] std::vector<Day> days_between(Day from, Day to) const;
  Result<std::shared_ptr<const DayDirectory>> directory(Day day) const;
  Result<std::optional<wire::Buffer>> read_data(Day day, const DayBlock& block) const;
  /// Not where retention has just taken the day away.
  void damaged(Day day, const std::string& what) const;
  [[nodiscard]] bool has(Day day) const;
  Status try_write(Day day, bool fresh, std::int64_t batch, std::span<DayBlock> blocks, std::span<const NewSeries> series);
  Status prepare(Day day, DayFile& file, std::int64_t batch);
  Status set_aside(Day day, const Error& why);
  Status drop_tenants_of(Day day, const std::function<bool(const std::string&)>& expired);
  Status try_adopt(Day day, const std::function<SeriesId(const Labels&)>& number, std::uint64_t& given_up);
  Status take_back(Day day);
  [[nodiscard]] std::int64_t settled() const;
  [[nodiscard]] Result<std::pair<std::int64_t, std::int64_t>> owner_of(Day day) const;  // journal, last batch
  Status remove(Day day);

  DayFiles files_;
  const std::int64_t journal_;
  mutable std::mutex mutex_;                                  // never held while the disk is asked
  std::map<Day, std::int64_t> days_ WARD_GUARDED_BY(mutex_);  ///< with the round of drop_tenants() that saw it last
  std::int64_t settled_ WARD_GUARDED_BY(mutex_);
  std::set<Day> wants_labels_ WARD_GUARDED_BY(mutex_);
  std::uint64_t bytes_ WARD_GUARDED_BY(mutex_) = 0;
  mutable std::set<std::pair<Day, std::int64_t>> damaged_blocks_ WARD_GUARDED_BY(mutex_);
  mutable std::map<std::string, std::string> damage_ WARD_GUARDED_BY(mutex_);
};

}  // namespace ward::collector
