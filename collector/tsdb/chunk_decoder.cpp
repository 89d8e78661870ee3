#include <cmath>
#include <string>

#include "collector/tsdb/chunk_format.hpp"

// Decoding is most of what a query over many series does: one sample is a few words of arithmetic and two table-free codes.

namespace ward::collector {
namespace {

/// Bits from the highest on. Reading past the end gives zeros and is told by overrun().
class BitReader {
 public:
  explicit BitReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  /// The next bits, at least 57 of them, in the high end.
  [[nodiscard]] std::uint64_t peek() const {
    const std::size_t byte = bit_ / 8;
    if (byte + 8 <= bytes_.size()) [[likely]]
      return load_big_endian(bytes_.data() + byte) << (bit_ % 8);
    return tail(byte) << (bit_ % 8);
  }
  void skip(unsigned count) { bit_ += count; }
  [[nodiscard]] std::size_t position() const { return bit_; }
  void move_to(std::size_t bit) { bit_ = bit; }
  [[nodiscard]] const std::uint8_t* data() const { return bytes_.data(); }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] std::uint64_t take(unsigned count) {
    if (count == 0) return 0;
    if (count > 32) {
      const auto high = take(count - 32);
      return high << 32 | take(32);
    }
    const auto v = peek() >> (64 - count);
    bit_ += count;
    return v;
  }
  [[nodiscard]] bool overrun() const { return bit_ > bytes_.size() * 8; }
  [[nodiscard]] bool at_end() const { return (bit_ + 7) / 8 == bytes_.size(); }

 private:
  [[nodiscard]] std::uint64_t tail(std::size_t byte) const {
    std::uint64_t v = 0;
    for (std::size_t i = 0; i < 8; ++i) v = v << 8 | (byte + i < bytes_.size() ? bytes_[byte + i] : 0U);
    return v;
  }
  std::span<const std::uint8_t> bytes_;
  std::size_t bit_ = 0;
};

/// The next bits in a register. The bytes that fill it up are loaded from a place known a step before, so that no sample
/// waits for memory.
class Window {
 public:
  static constexpr unsigned kFilled = 56;
  explicit Window(const BitReader& bits) : next_(bits.data() + bits.position() / 8), end_(bits.data() + bits.size()) {
    if (fill()) consume(static_cast<unsigned>(bits.position() % 8));
    start_ = bits.data();
  }
  /// At least kFilled bits, or false near the end.
  bool fill() {
    if (end_ - next_ < 8) return false;
    word_ |= load_big_endian(next_) >> have_;
    next_ += (63 - have_) >> 3;
    have_ |= kFilled;
    return true;
  }
  void consume(unsigned count) {
    word_ <<= count;
    have_ -= count;
  }
  [[nodiscard]] std::uint64_t word() const { return word_; }
  [[nodiscard]] bool surprise() const { return word_ >> (64 - kSurprise) == 0; }
  [[nodiscard]] std::size_t position() const { return static_cast<std::size_t>(next_ - start_) * 8 - have_; }

 private:
  const std::uint8_t* start_ = nullptr;
  const std::uint8_t* next_;
  const std::uint8_t* end_;
  std::uint64_t word_ = 0;
  unsigned have_ = 0;
};

class Decoder {
 public:
  Decoder(std::span<const std::uint8_t> bytes, std::span<Sample, kChunkSamples> out)
      : bits_(bytes.subspan(kHeaderBytes)), out_(out), count_(bytes[kCountAt]) {}

  Decoded run() {
    if (count_ == 0) return {0, true};
    std::size_t n = 0;
    for (; n < count_; ++n) {
      if (n > 1 && scale_ != kXorScale && !first_step_) {
        n = usual_samples(n);
        if (n == count_) break;
      }
      if (n == 0)
        first();
      else if (!next(n == 1))
        break;
      if (bits_.overrun() || broken_) break;
      out_[n] = {from_ms(static_cast<std::int64_t>(time_.previous)), v_};
    }
    return {n, n != count_ || !bits_.at_end()};
  }

 private:
  /// What nearly all samples are: no surprise, values at one scale, words to read from. All state is in registers. Returns
  /// where it stopped: at the end, or at a sample that needs a closer look.
  std::size_t usual_samples(std::size_t n) {
    Window window{bits_};
    Forecast time = time_;
    Forecast value = value_;
    const std::size_t from = n;
    for (; n < count_; ++n) {
      if (!window.fill() || window.surprise()) break;
      const auto t = split(window.word(), time.plain_bits());
      const auto t_actual = time.expected() + unfold(t.folded);
      const auto rest = window.word() << t.length;
      if (rest >> (64 - kSurprise) == 0) break;
      const auto v = split(rest, value.plain_bits());
      if (t.length + v.length > Window::kFilled ||
          static_cast<std::int64_t>(t_actual) <= static_cast<std::int64_t>(time.previous))
        break;
      window.consume(t.length + v.length);
      time.learn(t_actual, t.folded);
      value.learn(value.expected() + unfold(v.folded), v.folded);
      out_[n] = {from_ms(static_cast<std::int64_t>(t_actual)),
                 static_cast<double>(static_cast<std::int64_t>(value.previous))};
    }
    if (n == from) return n;
    bits_.move_to(window.position());
    time_ = time;
    value_ = value;
    if (scale_ != 0)
      for (std::size_t i = from; i < n; ++i) out_[i].v /= divisor_;
    return n;
  }

  struct Code {
    std::uint64_t folded;
    unsigned length;
  };
  static Code split(std::uint64_t word, unsigned plain) {
    const auto zeros = static_cast<unsigned>(std::countl_zero(word));
    const auto low = (word << zeros << 1) >> 1 >> (63 - plain);
    return {static_cast<std::uint64_t>(zeros) << plain | low, zeros + 1 + plain};
  }

  void first() {
    time_ = {bits_.take(64), 0, 0};
    start_scale();
  }

  bool next(bool first_step) {
    const auto before = time_.previous;
    if (!take_error(time_, first_step)) {
      const auto width = static_cast<unsigned>(bits_.take(kWidthBits)) + 1;
      surprise(time_, width, first_step);
    }
    if (static_cast<std::int64_t>(time_.previous) <= static_cast<std::int64_t>(before)) return false;
    scale_ == kXorScale ? take_xor() : take_whole();
    return true;
  }

  /// False when a surprise comes instead, its zeros taken.
  bool take_error(Forecast& forecast, bool first_step) {
    const auto word = bits_.peek();
    if (word >> (64 - kSurprise) == 0) {
      bits_.skip(kSurprise);
      return false;
    }
    const auto [folded, length] = split(word, forecast.plain_bits());
    bits_.skip(length);
    const auto before = forecast.previous;
    forecast.learn(forecast.expected() + unfold(folded), folded);
    if (first_step) [[unlikely]]
      forecast.adopt(forecast.previous - before);
    return true;
  }

  void surprise(Forecast& forecast, unsigned width, bool first_step) {
    const auto folded = bits_.take(width);
    const auto before = forecast.previous;
    forecast.learn_surprise(forecast.expected() + unfold(folded), folded);
    if (first_step) forecast.adopt(forecast.previous - before);
  }

  void take_whole() {
    if (!take_error(value_, first_step_)) {
      const auto width = static_cast<unsigned>(bits_.take(kWidthBits)) + 1;
      if (width == kScaleWidth) return start_scale();
      if (width == kRawWidth) {
        v_ = std::bit_cast<double>(bits_.take(64));
        return;
      }
      surprise(value_, width, first_step_);
    }
    first_step_ = false;
    v_ = static_cast<double>(static_cast<std::int64_t>(value_.previous)) / divisor_;
  }

  void start_scale() {
    scale_ = static_cast<std::uint8_t>(bits_.take(kScaleBits));
    const auto bits = bits_.take(64);
    v_ = std::bit_cast<double>(bits);
    first_step_ = true;
    if (scale_ == kXorScale) {
      value_ = {bits, 0, 0};
      return;
    }
    divisor_ = kScales[scale_];
    const double scaled = v_ * divisor_;
    broken_ = !(std::abs(scaled) < kMaxWhole);  // never written so
    value_ = {broken_ ? 0 : static_cast<std::uint64_t>(std::llround(scaled)), 0, 0};
  }

  void take_xor() {
    if (bits_.take(1) == 0) return;
    if (bits_.take(1) == 1) {
      leading_ = static_cast<unsigned>(bits_.take(kLeadingBits));
      significant_ = static_cast<unsigned>(bits_.take(kSignificantBits));
      if (significant_ == 0) significant_ = 64;
    }
    if (significant_ == 0 || leading_ + significant_ > 64) {
      broken_ = true;
      return;
    }
    value_.previous ^= bits_.take(significant_) << (64 - leading_ - significant_);
    v_ = std::bit_cast<double>(value_.previous);
  }

  BitReader bits_;
  std::span<Sample, kChunkSamples> out_;
  std::size_t count_;
  Forecast time_;
  Forecast value_;
  double v_ = 0;
  double divisor_ = 1;
  unsigned leading_ = 0;
  unsigned significant_ = 0;
  std::uint8_t scale_ = 0;
  bool first_step_ = true;
  bool broken_ = false;
};

}  // namespace

Decoded decode_into(std::span<const std::uint8_t> bytes, std::span<Sample, kChunkSamples> out) {
  if (bytes.size() < kHeaderBytes || bytes[0] != kForecastEncoding || bytes[kCountAt] > kChunkSamples) return {0, true};
  return Decoder{bytes, out}.run();
}

std::optional<Time> chunk_start(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kHeaderBytes + sizeof(std::uint64_t)) return std::nullopt;
  return from_ms(static_cast<std::int64_t>(load_big_endian(bytes.data() + kHeaderBytes)));
}

std::uint32_t chunk_count(std::span<const std::uint8_t> bytes) { return bytes.size() < kHeaderBytes ? 0 : bytes[kCountAt]; }

Result<std::vector<Sample>> decode_chunk(std::span<const std::uint8_t> bytes) {
  std::array<Sample, kChunkSamples> samples;
  const auto decoded = decode_into(bytes, samples);
  if (decoded.corrupt)
    return fail(
        Errc::corrupt,
        "a chunk of " + std::to_string(bytes.size()) + " bytes is damaged after sample " + std::to_string(decoded.count),
        "Check the disk under data_dir; a damaged chunk can only come from there.");
  return std::vector<Sample>(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(decoded.count));
}

}  // namespace ward::collector
