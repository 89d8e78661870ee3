#include "collector/tsdb/chunk.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "collector/tsdb/chunk_format.hpp"
#include "common/base/assert.hpp"

namespace ward::collector {
namespace {

constexpr std::size_t kSlackBytes = 8;    ///< a write stores a whole word
constexpr std::size_t kGrowth = 48;       ///< bytes: about 24 samples
constexpr std::size_t kSampleBits = 184;  ///< more than any sample takes

/// v at a scale as a whole number, when it comes back exactly.
bool whole_at(double v, std::uint8_t scale, std::int64_t& out) {
  const double scaled = v * kScales[scale];
  if (!(std::abs(scaled) < kMaxWhole)) return false;
  out = std::llround(scaled);
  return std::bit_cast<std::uint64_t>(static_cast<double>(out) / kScales[scale]) == std::bit_cast<std::uint64_t>(v);
}

std::uint8_t best_scale(double v, std::uint8_t from) {
  std::int64_t whole = 0;
  for (std::uint8_t scale = from; scale < kScales.size(); ++scale)
    if (whole_at(v, scale, whole)) return scale;
  return kXorScale;
}

}  // namespace

void ChunkAppender::reserve(std::size_t more_bits) {
  const std::size_t needed = (bits_ + more_bits + 7) / 8 + kSlackBytes;
  if (needed <= capacity_) return;
  const std::size_t capacity = needed + kGrowth;
  WARD_ASSERT(capacity <= std::numeric_limits<std::uint16_t>::max() / 8);
  auto bigger = std::make_unique<std::uint8_t[]>(capacity);
  std::copy_n(bytes_.get(), (bits_ + 7U) / 8U, bigger.get());
  bytes_ = std::move(bigger);
  capacity_ = static_cast<std::uint16_t>(capacity);
}

void ChunkAppender::put_bits(std::uint64_t value, unsigned count) {
  std::uint8_t* const at = bytes_.get() + bits_ / 8;
  store_big_endian(at, load_big_endian(at) | value << (64 - bits_ % 8 - count));
  bits_ = static_cast<std::uint16_t>(bits_ + count);
}

void ChunkAppender::put_wide(std::uint64_t value, unsigned count) {
  if (count > 32) {
    put_bits(value >> 32 & (count == 64 ? 0xffff'ffffU : (1ULL << (count - 32)) - 1), count - 32);
    count = 32;
  }
  if (count > 0) put_bits(value & ((1ULL << count) - 1), count);
}

void ChunkAppender::put_error(Forecast& forecast, std::uint64_t actual, bool first_step) {
  const std::uint64_t before = forecast.previous;
  const std::uint64_t folded = fold(actual - forecast.expected());
  const unsigned plain = forecast.plain_bits();
  const std::uint64_t zeros = folded >> plain;
  if (zeros < kSurprise) {
    put_bits((1ULL << plain) | (folded & ((1ULL << plain) - 1)), static_cast<unsigned>(zeros) + 1 + plain);
    forecast.learn(actual, folded);
    if (first_step) forecast.adopt(actual - before);
    return;
  }
  const auto width = static_cast<unsigned>(std::bit_width(folded));
  put_bits(width - 1, kSurprise + kWidthBits);
  put_wide(folded, width);
  forecast.learn_surprise(actual, folded);
  if (first_step) forecast.adopt(actual - before);
}

void ChunkAppender::start_scale(double v, std::uint8_t scale) {
  put_bits(scale, kScaleBits);
  const auto bits = std::bit_cast<std::uint64_t>(v);
  put_wide(bits, 64);
  scale_ = scale;
  std::int64_t whole = 0;
  if (scale != kXorScale) whole_at(v, scale, whole);
  value_ = {scale == kXorScale ? bits : static_cast<std::uint64_t>(whole), 0, 0};
  first_step_ = true;
}

void ChunkAppender::put_value(double v) {
  if (scale_ == kXorScale) return put_xor(std::bit_cast<std::uint64_t>(v));
  std::int64_t whole = 0;
  if (whole_at(v, scale_, whole))
    return put_error(value_, static_cast<std::uint64_t>(whole), std::exchange(first_step_, false));
  if (std::isfinite(v)) {
    put_bits(kScaleWidth - 1, kSurprise + kWidthBits);
    return start_scale(v, best_scale(v, scale_));
  }
  put_bits(kRawWidth - 1, kSurprise + kWidthBits);
  put_wide(std::bit_cast<std::uint64_t>(v), 64);
}

void ChunkAppender::put_xor(std::uint64_t bits) {
  const std::uint64_t diff = bits ^ value_.previous;
  value_.previous = bits;
  if (diff == 0) return put_bits(0, 1);
  const unsigned leading = std::min(static_cast<unsigned>(std::countl_zero(diff)), kLeadingMax);
  const auto trailing = static_cast<unsigned>(std::countr_zero(diff));
  if (significant_ != 0) {
    const unsigned window_trailing = 64U - leading_ - significant_;
    if (leading >= leading_ && trailing >= window_trailing) {
      put_bits(0b10, 2);
      return put_wide(diff >> window_trailing, significant_);
    }
  }
  leading_ = static_cast<std::uint8_t>(leading);
  significant_ = static_cast<std::uint8_t>(64 - leading - trailing);
  put_bits(0b11, 2);
  put_bits(leading_, kLeadingBits);
  put_bits(significant_ & 63U, kSignificantBits);  // 64 is written as 0: a width of 0 cannot occur
  put_wide(diff >> trailing, significant_);
}

void ChunkAppender::append(Sample s) {
  WARD_ASSERT(!full());
  reserve(kSampleBits);
  // Unsigned arithmetic throughout: differences of extreme times wrap and wrap back.
  const auto time = static_cast<std::uint64_t>(to_ms(s.t));
  if (count_ == 0) {
    put_bits(static_cast<std::uint64_t>(kForecastEncoding) << 8, 16);
    put_wide(time, 64);
    time_ = {time, 0, 0};
    start_scale(s.v, std::isfinite(s.v) ? best_scale(s.v, 0) : kXorScale);
  } else {
    WARD_ASSERT(static_cast<std::int64_t>(time) > static_cast<std::int64_t>(time_.previous));
    put_error(time_, time, count_ == 1);
    put_value(s.v);
  }
  bytes_[kCountAt] = ++count_;
}

Time ChunkAppender::first_time() const {
  return from_ms(static_cast<std::int64_t>(load_big_endian(bytes_.get() + kHeaderBytes)));
}

void ChunkAppender::clear() { *this = ChunkAppender{}; }

std::vector<std::uint8_t> ChunkAppender::take() {
  const auto done = bytes();
  std::vector<std::uint8_t> out(done.begin(), done.end());
  clear();
  return out;
}

std::vector<std::uint8_t> encode_chunk(std::span<const Sample> samples) {
  ChunkAppender appender;
  for (const auto& s : samples) appender.append(s);
  return appender.take();
}

}  // namespace ward::collector
