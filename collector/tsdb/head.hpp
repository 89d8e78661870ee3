#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "collector/tsdb/day.hpp"
#include "collector/tsdb/label_index.hpp"
#include "collector/tsdb/queryable.hpp"
#include "collector/tsdb/series.hpp"
#include "common/base/thread_annotations.hpp"

namespace ward::collector {

struct HeadOptions {
  /// How far behind the newest sample of its series a sample may be. Longer accepts later data at the cost of a decode per
  /// late sample; 0 accepts any time (backfill, tests).
  milliseconds max_sample_age{std::chrono::hours{1}};
};

struct RefSample {
  SeriesRef series;
  Sample sample;
  friend bool operator==(const RefSample&, const RefSample&) = default;
};

/// What became of the samples of one append; the given samples are the sum of all but `out_of_order`.
struct AppendCounts {
  std::size_t appended = 0;        ///< stored, in order or late
  std::size_t out_of_order = 0;    ///< of the appended, those that came late
  std::size_t duplicate = 0;       ///< same time, same bits: nothing to do
  std::size_t conflicting = 0;     ///< refused: same time, another value
  std::size_t too_old = 0;         ///< refused: older than max_sample_age
  std::size_t unknown_series = 0;  ///< refused: the series was dropped; ask get_or_create again
  friend bool operator==(const AppendCounts&, const AppendCounts&) = default;
};

/// A closed chunk from the disk. `bytes` is decode_chunk's format.
struct SealedChunk {
  SeriesRef series;
  Time t_min;
  Time t_max;
  std::uint32_t count = 0;
  std::vector<std::uint8_t> bytes;
  friend bool operator==(const SealedChunk&, const SealedChunk&) = default;
};

struct HeadStats {
  std::size_t series = 0;  ///< with samples here
  std::size_t quiet = 0;   ///< known by their labels only
  std::size_t chunks = 0;
  std::size_t samples = 0;
  std::size_t bytes = 0;  ///< encoded samples, without labels and bookkeeping
  friend bool operator==(const HeadStats&, const HeadStats&) = default;
};

/// The newest samples, in memory, and the labels of all series. Labels live in one index, samples in shards by ref, each
/// under a lock of its own. A series whose samples are all on disk is quiet: nothing but its labels is here.
/// Thread: any. Lock order: index before shards, shards rising. An append is seen whole per shard, never half a sample.
class Head final : public Queryable {
 public:
  explicit Head(HeadOptions options = {});

  /// The labels include __name__ and tenant. A series without samples lives until the second release().
  SeriesRef get_or_create(const Labels& labels);
  /// Makes a series the journal knows, or wakes a quiet one. Errors: invalid when the ref or the labels are taken by
  /// another.
  Status restore(SeriesRef ref, const Labels& labels);
  [[nodiscard]] std::optional<SeriesRef> find(const Labels& labels) const;
  [[nodiscard]] bool knows(SeriesRef ref) const;
  [[nodiscard]] Labels labels(SeriesRef ref) const;                             ///< empty when unknown
  [[nodiscard]] std::string label(SeriesRef ref, std::string_view name) const;  ///< "" when it has none

  AppendCounts append(std::span<const RefSample> samples);
  [[nodiscard]] std::optional<Sample> last_sample(SeriesRef ref) const;

  [[nodiscard]] Result<std::vector<SeriesData>> select(std::span<const Matcher> matchers, Time from, Time to) const override;
  [[nodiscard]] std::unique_ptr<SeriesReader> reader() const override;
  /// Label sets that match, sorted, whatever their samples.
  [[nodiscard]] std::vector<Labels> series(std::span<const Matcher> matchers) const;
  [[nodiscard]] std::vector<std::string> label_names() const;
  [[nodiscard]] std::vector<std::string> label_values(std::string_view name) const;

  /// Closes every open chunk. The series that hold chunks which are not on disk yet, rising.
  std::vector<SeriesRef> close();
  /// Hands out the chunks of a series that are not on disk; they are taken until settle() ends the attempt.
  void take_unkept(SeriesRef ref, const std::function<void(const StoredChunk&)>& take);
  /// What was taken of these series is on disk now, or is not.
  void settle(std::span<const SeriesRef> series, bool kept);
  /// A chunk that is on disk, into memory. Errors: corrupt, not_found (restore() its series first).
  Status load_chunk(const SealedChunk& chunk);

  /// The newest day of which the disk has samples of this series; nullopt: none.
  [[nodiscard]] std::optional<Day> last_day(SeriesRef ref) const;
  void set_last_day(SeriesRef ref, Day day);
  /// Drops chunks that are on disk and older than `t`, and all that are older than `horizon`. Series left without samples
  /// become quiet, those here and now are returned, rising.
  std::vector<SeriesRef> release(Time t, Time horizon);
  /// Takes away the quiet series of which the disk has nothing any more: those for whose tenant and last day `gone` says so.
  /// Rising. `gone` may not call the head.
  std::vector<SeriesRef> forget(const std::function<bool(const std::string& tenant, std::optional<Day>)>& gone);
  [[nodiscard]] HeadStats stats() const;

 private:
  class Reader;
  static constexpr std::size_t kShards = 16;
  struct Series {
    SeriesSamples samples;
    std::optional<Day> last_day;
    bool spared = false;  ///< was empty at the last release
  };
  struct Shard {
    mutable std::shared_mutex mutex;
    std::vector<std::unique_ptr<Series>> series WARD_GUARDED_BY(mutex);  ///< by ref / kShards
    [[nodiscard]] Series* find(SeriesRef ref) const;
  };
  /// Asks the processor for a series before it is needed: waiting for memory is most of what many series cost.
  static void prefetch(const Series* series) {
    if (series == nullptr) return;
    __builtin_prefetch(series);
    __builtin_prefetch(reinterpret_cast<const char*>(series) + sizeof(Series) - 1);
  }
  [[nodiscard]] Shard& shard(SeriesRef ref) const { return (*shards_)[ref.get() % kShards]; }
  void insert(SeriesRef ref, const Labels& labels);
  void wake(SeriesRef ref);
  [[nodiscard]] std::string label_of(SeriesRef ref, std::string_view name) const;
  void silence(SeriesRef ref, std::vector<SeriesRef>& quiet);

  HeadOptions options_;
  mutable std::shared_mutex index_mutex_;
  LabelIndex index_ WARD_GUARDED_BY(index_mutex_);
  std::unordered_map<SeriesRef, std::optional<Day>> quiet_ WARD_GUARDED_BY(index_mutex_);  ///< with their last day
  std::uint32_t next_ref_ WARD_GUARDED_BY(index_mutex_) = 1;
  std::unique_ptr<std::array<Shard, kShards>> shards_;
};

}  // namespace ward::collector
