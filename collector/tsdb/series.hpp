#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "collector/tsdb/chunk.hpp"

namespace ward::collector {

/// Whether the archive has a closed chunk.
enum class Keep : std::uint8_t {
  fresh,  ///< only memory (and the journal) has it
  taken,  ///< an attempt to store it is under way
  kept,   ///< it is on disk and may leave memory
};

/// A closed chunk in memory: exactly its bytes, no spare room.
struct StoredChunk {
  Time t_min;
  Time t_max;
  std::unique_ptr<std::uint8_t[]> data;
  std::uint32_t size = 0;
  std::uint16_t count = 0;
  Keep keep = Keep::fresh;
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {data.get(), size}; }
};

/// Copies of the encoded chunks of one series that touch a time range, taken under a lock and decoded outside of it.
class SeriesSnapshot {
 public:
  void add(std::span<const std::uint8_t> chunk) {
    bytes_.insert(bytes_.end(), chunk.begin(), chunk.end());
    ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
  }
  void add(Sample late) { late_.push_back(late); }
  [[nodiscard]] bool empty() const { return ends_.empty() && late_.empty(); }
  /// Samples in [from, to], times strictly rising; of two samples with one time the older chunk's wins.
  [[nodiscard]] std::vector<Sample> read(Time from, Time to) const;

 private:
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint32_t> ends_;
  std::vector<Sample> late_;
};

/// The samples of one series: closed chunks, one open chunk for what comes in order, and a small sorted buffer for what
/// comes late. Late samples never change a closed chunk, for the journal may hold it already; reading merges. Thread: not
/// safe, its shard guards it.
class SeriesSamples {
 public:
  enum class Outcome : std::uint8_t { appended, late, duplicate, conflicting, too_old };
  /// `max_age`: how far behind the newest sample a late one may be; 0 for any.
  Outcome append(Sample s, milliseconds max_age);
  [[nodiscard]] bool empty() const { return chunks_.empty() && open_.empty() && !late_; }
  /// Requires !empty().
  [[nodiscard]] Sample last() const { return last_; }
  [[nodiscard]] SeriesSnapshot snapshot(Time from, Time to) const;
  /// Adds the samples in [from, to] to `out`, their times strictly rising; of two with one time the older chunk's wins.
  void read(Time from, Time to, std::vector<Sample>& out) const;
  /// Hints before read() and append(), in this order: each asks for memory that the next one looks at.
  void prefetch_chunks() const {
    if (!chunks_.empty()) __builtin_prefetch(&chunks_.back());
  }
  void prefetch_bytes(Time from, Time to) const;
  void prefetch_end() const { open_.prefetch_end(); }
  /// Closes the open chunk and the late buffer.
  void close();
  [[nodiscard]] bool has_unkept() const;
  /// Calls `take` for every chunk that is not kept, which is taken from then on.
  void take_unkept(const std::function<void(const StoredChunk&)>& take);
  /// Ends the attempt: what was taken is kept, or fresh again.
  void settle(bool kept);
  /// A chunk of an earlier life. Requires decodable bytes with at least one sample.
  void load(StoredChunk chunk, Sample newest);
  /// Drops kept chunks whose newest sample is before `t`.
  void release(Time t);
  /// Drops chunks whose newest sample is before `t`, kept or not.
  void drop_before(Time t);

  struct Size {
    std::size_t chunks = 0;
    std::size_t samples = 0;
    std::size_t bytes = 0;
  };
  [[nodiscard]] Size size() const;

 private:
  Outcome insert_late(Sample s);
  [[nodiscard]] const Sample* find_late(Time t) const;
  /// The first of the newest chunks that may hold samples from `from` on.
  [[nodiscard]] std::size_t first_chunk(Time from) const;
  void insert(std::vector<StoredChunk>::iterator at, StoredChunk chunk);
  void close_open();
  void close_late();
  void store(std::span<const std::uint8_t> bytes, Time t_min, Time t_max, std::size_t count);

  std::vector<StoredChunk> chunks_;  ///< by t_min
  bool late_chunks_ = false;         ///< some chunks overlap in time
  ChunkAppender open_;
  Sample last_;
  std::unique_ptr<std::vector<Sample>> late_;  ///< null or not empty, sorted, at most kChunkSamples
};

}  // namespace ward::collector
