#include "collector/tsdb/chunk.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "common/base/assert.hpp"

namespace ward::collector {
namespace {

constexpr std::uint8_t kXorEncoding = 1;
constexpr std::size_t kHeaderBytes = 2;
constexpr std::size_t kCountAt = 1;
constexpr unsigned kLeadingBits = 5;
constexpr unsigned kSignificantBits = 6;
constexpr unsigned kLeadingMax = (1U << kLeadingBits) - 1;

/// Delta-of-delta classes: a prefix of `ones` one-bits and a zero, then a signed number of `width` bits.
struct TimeClass {
  unsigned ones;
  unsigned width;
};
constexpr std::array kTimeClasses{TimeClass{1, 14}, TimeClass{2, 17}, TimeClass{3, 20}};
constexpr unsigned kWideOnes = 4;  ///< four ones without a zero: 64 bits follow

constexpr std::uint64_t low_mask(unsigned bits) { return bits >= 64 ? ~0ULL : (1ULL << bits) - 1; }

bool fits(std::int64_t value, unsigned width) {
  const std::int64_t half = std::int64_t{1} << (width - 1);
  return value >= -half && value < half;
}

std::uint64_t sign_extend(std::uint64_t value, unsigned width) {
  const std::uint64_t sign = 1ULL << (width - 1);
  return (value ^ sign) - sign;
}

}  // namespace

void ChunkAppender::put_bits(std::uint64_t value, unsigned count) {
  while (count > 0) {
    if (free_bits_ == 0) {
      bytes_.push_back(0);
      free_bits_ = 8;
    }
    const unsigned n = std::min<unsigned>(count, free_bits_);
    const std::uint64_t part = (value >> (count - n)) & low_mask(n);
    bytes_.back() = static_cast<std::uint8_t>(bytes_.back() | (part << (free_bits_ - n)));
    free_bits_ = static_cast<std::uint8_t>(free_bits_ - n);
    count -= n;
  }
}

void ChunkAppender::put_time(std::uint64_t delta_of_delta) {
  if (delta_of_delta == 0) return put_bits(0, 1);
  for (const auto& c : kTimeClasses) {
    if (!fits(static_cast<std::int64_t>(delta_of_delta), c.width)) continue;
    put_bits(low_mask(c.ones) << 1, c.ones + 1);
    return put_bits(delta_of_delta, c.width);
  }
  put_bits(low_mask(kWideOnes), kWideOnes);
  put_bits(delta_of_delta, 64);
}

void ChunkAppender::put_value(std::uint64_t bits) {
  const std::uint64_t diff = bits ^ value_;
  if (diff == 0) return put_bits(0, 1);
  const unsigned leading = std::min<unsigned>(static_cast<unsigned>(std::countl_zero(diff)), kLeadingMax);
  const unsigned trailing = static_cast<unsigned>(std::countr_zero(diff));
  if (significant_ != 0) {
    const unsigned window_trailing = 64U - leading_ - significant_;
    if (leading >= leading_ && trailing >= window_trailing) {
      put_bits(0b10, 2);
      return put_bits(diff >> window_trailing, significant_);
    }
  }
  leading_ = static_cast<std::uint8_t>(leading);
  significant_ = static_cast<std::uint8_t>(64 - leading - trailing);
  put_bits(0b11, 2);
  put_bits(leading_, kLeadingBits);
  put_bits(significant_, kSignificantBits);  // 64 is written as 0: a width of 0 cannot occur
  put_bits(diff >> trailing, significant_);
}

void ChunkAppender::append(Sample s) {
  WARD_ASSERT(!full());
  // Unsigned arithmetic throughout: differences of extreme times wrap and wrap back.
  const auto time = static_cast<std::uint64_t>(to_ms(s.t));
  const auto value = std::bit_cast<std::uint64_t>(s.v);
  if (count_ == 0) {
    bytes_ = {kXorEncoding, 0};
    put_bits(time, 64);
    put_bits(value, 64);
  } else {
    WARD_ASSERT(static_cast<std::int64_t>(time) > static_cast<std::int64_t>(time_));
    const std::uint64_t delta = time - time_;
    put_time(delta - delta_);
    delta_ = delta;
    put_value(value);
  }
  time_ = time;
  value_ = value;
  bytes_[kCountAt] = ++count_;
}

std::vector<std::uint8_t> ChunkAppender::take() {
  auto done = std::move(bytes_);
  done.shrink_to_fit();
  *this = ChunkAppender{};
  return done;
}

ChunkIterator::ChunkIterator(std::span<const std::uint8_t> bytes) : bytes_(bytes) {
  corrupt_ = bytes.size() < kHeaderBytes || bytes[0] != kXorEncoding || bytes[kCountAt] > kChunkSamples;
  if (corrupt_) return;
  count_ = bytes[kCountAt];
  bit_ = kHeaderBytes * 8;
}

std::uint64_t ChunkIterator::take_bits(unsigned count) {
  if (bytes_.size() * 8 - bit_ < count) {
    corrupt_ = true;
    return 0;
  }
  std::uint64_t value = 0;
  while (count > 0) {
    const auto in_byte = static_cast<unsigned>(bit_ % 8);
    const unsigned n = std::min(count, 8 - in_byte);
    const std::uint64_t part = (static_cast<unsigned>(bytes_[bit_ / 8]) >> (8 - in_byte - n)) & low_mask(n);
    value = (value << n) | part;
    bit_ += n;
    count -= n;
  }
  return value;
}

std::uint64_t ChunkIterator::take_delta_of_delta() {
  unsigned ones = 0;
  while (ones < kWideOnes && take_bits(1) == 1) ++ones;
  if (ones == 0) return 0;
  if (ones == kWideOnes) return take_bits(64);
  const unsigned width = kTimeClasses[ones - 1].width;
  return sign_extend(take_bits(width), width);
}

void ChunkIterator::take_value() {
  if (take_bits(1) == 0) return;
  if (take_bits(1) == 1) {
    leading_ = static_cast<unsigned>(take_bits(kLeadingBits));
    significant_ = static_cast<unsigned>(take_bits(kSignificantBits));
    if (significant_ == 0) significant_ = 64;
  }
  if (significant_ == 0 || leading_ + significant_ > 64) {
    corrupt_ = true;
    return;
  }
  value_ ^= take_bits(significant_) << (64 - leading_ - significant_);
}

bool ChunkIterator::finish(bool is_corrupt) {
  corrupt_ = is_corrupt;
  count_ = read_;
  return false;
}

bool ChunkIterator::next() {
  if (corrupt_) return false;
  if (read_ == count_) return finish(count_ == 0 ? bytes_.size() != kHeaderBytes : (bit_ + 7) / 8 != bytes_.size());
  if (read_ == 0) {
    time_ = take_bits(64);
    value_ = take_bits(64);
  } else {
    delta_ += take_delta_of_delta();
    const std::uint64_t time = time_ + delta_;
    if (static_cast<std::int64_t>(time) <= static_cast<std::int64_t>(time_)) return finish(true);
    time_ = time;
    take_value();
  }
  if (corrupt_) return finish(true);
  ++read_;
  return true;
}

Sample ChunkIterator::at() const { return {from_ms(static_cast<std::int64_t>(time_)), std::bit_cast<double>(value_)}; }

Result<std::vector<Sample>> decode_chunk(std::span<const std::uint8_t> bytes) {
  std::vector<Sample> samples;
  ChunkIterator it{bytes};
  while (it.next()) samples.push_back(it.at());
  if (it.corrupt())
    return fail(
        Errc::corrupt,
        "a chunk of " + std::to_string(bytes.size()) + " bytes is damaged after sample " + std::to_string(samples.size()),
        "Run 'wardctl doctor' on the store; a damaged chunk can only come from the disk.");
  return samples;
}

std::vector<std::uint8_t> encode_chunk(std::span<const Sample> samples) {
  ChunkAppender appender;
  for (const auto& s : samples) appender.append(s);
  return appender.take();
}

}  // namespace ward::collector
