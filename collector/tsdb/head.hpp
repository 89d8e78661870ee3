#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <vector>

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

/// A closed chunk on its way to or from the journal. `bytes` is decode_chunk's format.
struct SealedChunk {
  SeriesRef series;
  Time t_min;
  Time t_max;
  std::uint32_t count = 0;
  std::vector<std::uint8_t> bytes;
  friend bool operator==(const SealedChunk&, const SealedChunk&) = default;
};

struct HeadStats {
  std::size_t series = 0;
  std::size_t chunks = 0;
  std::size_t samples = 0;
  std::size_t bytes = 0;  ///< encoded samples, without labels and bookkeeping
  friend bool operator==(const HeadStats&, const HeadStats&) = default;
};

/// All samples in memory. Labels live in one index, samples in shards by ref, each under a lock of its own.
/// Thread: any. Lock order: index before shards, shards rising. An append is seen whole per shard, never half a sample.
class Head final : public Queryable {
 public:
  explicit Head(HeadOptions options = {});

  /// The labels include __name__ and tenant. A series without samples lives until the second drop_before().
  SeriesRef get_or_create(const Labels& labels);
  /// Start-up: makes a series the journal knows. Errors: invalid when the ref or the labels are taken by another series.
  Status restore(SeriesRef ref, const Labels& labels);
  [[nodiscard]] std::optional<SeriesRef> find(const Labels& labels) const;
  [[nodiscard]] Labels labels(SeriesRef ref) const;  ///< empty when unknown

  AppendCounts append(std::span<const RefSample> samples);
  [[nodiscard]] std::optional<Sample> last_sample(SeriesRef ref) const;

  [[nodiscard]] Result<std::vector<SeriesData>> select(std::span<const Matcher> matchers, Time from, Time to) const override;
  [[nodiscard]] std::unique_ptr<SeriesReader> reader() const override;
  /// Label sets that match, sorted, whatever their samples.
  [[nodiscard]] std::vector<Labels> series(std::span<const Matcher> matchers) const;
  [[nodiscard]] std::vector<std::string> label_names() const;
  [[nodiscard]] std::vector<std::string> label_values(std::string_view name) const;

  /// Closes every chunk that holds samples not handed out, and hands out all such chunks exactly once. The caller keeps them
  /// until they are durable.
  std::vector<SealedChunk> seal_unpersisted();
  /// Start-up: takes back a chunk handed out in an earlier life. Errors: corrupt, not_found (restore() its series first).
  Status load_chunk(const SealedChunk& chunk);
  /// Retention: drops whole chunks older than `t`, then series left without samples, whose refs it returns, rising.
  std::vector<SeriesRef> drop_before(Time t);
  [[nodiscard]] HeadStats stats() const;

 private:
  class Reader;
  static constexpr std::size_t kShards = 16;
  struct Series {
    SeriesSamples samples;
    bool spared = false;  ///< was empty at the last drop_before
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

  HeadOptions options_;
  mutable std::shared_mutex index_mutex_;
  LabelIndex index_ WARD_GUARDED_BY(index_mutex_);
  std::uint32_t next_ref_ WARD_GUARDED_BY(index_mutex_) = 1;
  std::unique_ptr<std::array<Shard, kShards>> shards_;
};

}  // namespace ward::collector
