#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/sample.hpp"

namespace ward::collector {

/// Samples a chunk holds at most: two hours of 60 s data, 20 minutes of 10 s data.
inline constexpr std::size_t kChunkSamples = 120;

/// Encodes one run of samples with strictly rising times: delta-of-delta times and XOR values (Pelkonen et al., "Gorilla",
/// VLDB 2015), bit-exact for every double and every 64-bit time.
/// Bytes: encoding (1), sample count, then the bit stream, most significant bit first, zero-padded to a whole byte.
/// Thread: the one that owns it.
class ChunkAppender {
 public:
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] bool full() const { return count_ >= kChunkSamples; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return bytes_; }
  /// Requires !full() and a time after the last one.
  void append(Sample s);
  /// Hands out the encoded chunk and starts an empty one.
  std::vector<std::uint8_t> take();

 private:
  void put_bits(std::uint64_t value, unsigned count);
  void put_time(std::uint64_t delta_of_delta);
  void put_value(std::uint64_t bits);

  std::vector<std::uint8_t> bytes_;
  std::uint64_t time_ = 0;
  std::uint64_t delta_ = 0;
  std::uint64_t value_ = 0;
  std::uint8_t free_bits_ = 0;  ///< unused bits of the last byte
  std::uint8_t leading_ = 0;
  std::uint8_t significant_ = 0;  ///< width of the current XOR window; 0 before the first one
  std::uint8_t count_ = 0;
};

/// Reads a chunk of any origin. `next()` is false at the end and at the first byte that makes no sense; corrupt() tells
/// which. The bytes must outlive the iterator.
class ChunkIterator {
 public:
  explicit ChunkIterator(std::span<const std::uint8_t> bytes);
  bool next();
  [[nodiscard]] Sample at() const;
  [[nodiscard]] bool corrupt() const { return corrupt_; }

 private:
  [[nodiscard]] std::uint64_t take_bits(unsigned count);
  std::uint64_t take_delta_of_delta();
  void take_value();
  bool finish(bool is_corrupt);

  std::span<const std::uint8_t> bytes_;
  std::size_t bit_ = 0;
  std::uint64_t time_ = 0;
  std::uint64_t delta_ = 0;
  std::uint64_t value_ = 0;
  unsigned leading_ = 0;
  unsigned significant_ = 0;
  unsigned read_ = 0;
  unsigned count_ = 0;
  bool corrupt_ = false;
};

/// All samples of a chunk. Errors: corrupt (unknown encoding, count over kChunkSamples, short or long bytes, times not
/// rising).
Result<std::vector<Sample>> decode_chunk(std::span<const std::uint8_t> bytes);
/// Requires at most kChunkSamples samples, times strictly rising.
std::vector<std::uint8_t> encode_chunk(std::span<const Sample> samples);

}  // namespace ward::collector
