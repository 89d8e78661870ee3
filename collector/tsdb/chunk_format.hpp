#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "collector/tsdb/chunk.hpp"

// What encoder and decoder of chunks share; docs/format/store.md describes it in words.

namespace ward::collector {

inline constexpr std::uint8_t kForecastEncoding = 2;
inline constexpr std::size_t kHeaderBytes = 2;
inline constexpr std::size_t kCountAt = 1;

/// Zeros before the 1 of an error; as many without a 1 announce a surprise: six bits of width - 1, then that many bits.
inline constexpr unsigned kSurprise = 16;
inline constexpr unsigned kWidthBits = 6;
/// Widths no error of a value has: they announce 64 bits of a value as it is, and a change of scale.
inline constexpr unsigned kRawWidth = 63;
inline constexpr unsigned kScaleWidth = 64;
inline constexpr unsigned kScaleBits = 3;
inline constexpr unsigned kMaxPlainBits = 40;

/// Decimal scales of whole numbers; the eighth number means XOR.
inline constexpr std::array<double, 7> kScales{1, 10, 100, 1e3, 1e4, 1e6, 1e9};
/// Whole numbers up to here are exact in a double.
inline constexpr double kMaxWhole = 9007199254740992.0;

inline constexpr unsigned kLeadingBits = 5;
inline constexpr unsigned kSignificantBits = 6;
inline constexpr unsigned kLeadingMax = (1U << kLeadingBits) - 1;

/// Signs into the lowest bit, so that small errors of either sign are small numbers.
constexpr std::uint64_t fold(std::uint64_t error) {
  return (error << 1) ^ static_cast<std::uint64_t>(static_cast<std::int64_t>(error) >> 63);
}
constexpr std::uint64_t unfold(std::uint64_t folded) { return (folded >> 1) ^ (0 - (folded & 1)); }

inline std::uint64_t load_big_endian(const std::uint8_t* at) {
  std::uint64_t v = 0;
  std::memcpy(&v, at, sizeof(v));
  if constexpr (std::endian::native == std::endian::little) v = __builtin_bswap64(v);
  return v;
}
inline void store_big_endian(std::uint8_t* at, std::uint64_t v) {
  if constexpr (std::endian::native == std::endian::little) v = __builtin_bswap64(v);
  std::memcpy(at, &v, sizeof(v));
}

inline unsigned Forecast::plain_bits() const {
  const auto usual = static_cast<unsigned>(std::bit_width((spread >> 4) | 1)) - 1;  // no branch: it changes often
  return usual < kMaxPlainBits ? usual : kMaxPlainBits;
}

inline void Forecast::learn(std::uint64_t actual, std::uint64_t folded) {
  drift += static_cast<std::int64_t>(actual - previous) - (drift >> 3);
  spread += 2 * folded - (spread >> 3);
  previous = actual;
}

/// One outlier teaches little: a counter that starts again, a gap. Several in a row do.
inline void Forecast::learn_surprise(std::uint64_t actual, std::uint64_t folded) {
  const std::uint64_t most = 16 * (spread + 16);
  const std::uint64_t felt = folded < most / 8 ? folded * 8 : most;
  if (felt > spread) spread = felt;
  previous = actual;
}

inline void Forecast::adopt(std::uint64_t step) {
  drift = static_cast<std::int64_t>(step << 3);
  spread = 0;
}

}  // namespace ward::collector
