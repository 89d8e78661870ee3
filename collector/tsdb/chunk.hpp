#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/sample.hpp"

namespace ward::collector {

/// Samples a chunk holds at most: two hours of 60 s data, 20 minutes of 10 s data.
inline constexpr std::size_t kChunkSamples = 120;

/// A row of whole numbers that mostly grow alike, coded as what a running forecast missed: times of samples, and values that
/// are whole at some decimal scale. Encoder and decoder keep the same state and so the same forecast.
struct Forecast {
  std::uint64_t previous = 0;
  std::int64_t drift = 0;    ///< eight times the usual growth
  std::uint64_t spread = 0;  ///< sixteen times the usual error, signs folded

  [[nodiscard]] std::uint64_t expected() const { return previous + static_cast<std::uint64_t>(drift >> 3); }
  /// Bits of an error that are written as they are; the rest is counted in zeros.
  [[nodiscard]] unsigned plain_bits() const;
  void learn(std::uint64_t actual, std::uint64_t folded);
  void learn_surprise(std::uint64_t actual, std::uint64_t folded);
  /// The first step is believed whole.
  void adopt(std::uint64_t step);
};

/// How the values of a chunk are coded: as whole numbers at a decimal scale, or as the XOR of their bits.
inline constexpr std::uint8_t kXorScale = 7;

/// Encodes one run of samples with strictly rising times, bit-exact for every double and every 64-bit time. The format is
/// described in docs/format/store.md. Thread: the one that owns it.
class ChunkAppender {
 public:
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] bool full() const { return count_ >= kChunkSamples; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {bytes_.get(), (bits_ + 7U) / 8U}; }
  /// Requires !empty().
  [[nodiscard]] Time first_time() const;
  [[nodiscard]] Time last_time() const { return from_ms(static_cast<std::int64_t>(time_.previous)); }
  void prefetch_end() const { __builtin_prefetch(bytes_.get() + bits_ / 8, 1); }
  /// Requires !full() and a time after the last one.
  void append(Sample s);
  /// Hands out the encoded chunk and starts an empty one.
  std::vector<std::uint8_t> take();
  /// Starts an empty one.
  void clear();

 private:
  void put_bits(std::uint64_t value, unsigned count);
  void put_wide(std::uint64_t value, unsigned count);
  void put_error(Forecast& forecast, std::uint64_t actual, bool first_step);
  void put_value(double v);
  void put_xor(std::uint64_t bits);
  void start_scale(double v, std::uint8_t scale);
  void reserve(std::size_t more_bits);

  std::unique_ptr<std::uint8_t[]> bytes_;  ///< zero behind the last bit
  std::uint16_t capacity_ = 0;
  std::uint16_t bits_ = 0;
  std::uint8_t count_ = 0;
  std::uint8_t scale_ = 0;
  std::uint8_t leading_ = 0;      ///< of the XOR window
  std::uint8_t significant_ = 0;  ///< 0: no XOR window yet
  bool first_step_ = false;       ///< the value's forecast has seen no step yet
  Forecast time_;
  Forecast value_;  ///< with kXorScale only `previous`: the bits of the last value
};

/// Decodes a chunk of any origin into `out` and returns how many samples it held; `corrupt` when bytes make no sense, after
/// the samples before them.
struct Decoded {
  std::size_t count = 0;
  bool corrupt = false;
};
Decoded decode_into(std::span<const std::uint8_t> bytes, std::span<Sample, kChunkSamples> out);

/// What a chunk's head says, without decoding it; nullopt when the bytes are too short for one.
[[nodiscard]] std::optional<Time> chunk_start(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::uint32_t chunk_count(std::span<const std::uint8_t> bytes);  ///< 0 when too short

/// All samples of a chunk. Errors: corrupt (unknown encoding, count over kChunkSamples, short or long bytes, times not
/// rising).
Result<std::vector<Sample>> decode_chunk(std::span<const std::uint8_t> bytes);
/// Requires at most kChunkSamples samples, times strictly rising.
std::vector<std::uint8_t> encode_chunk(std::span<const Sample> samples);

}  // namespace ward::collector
