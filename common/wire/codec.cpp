#include "common/wire/codec.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "common/base/crc32c.hpp"

namespace ward::wire {
namespace {

// Header byte of a sample: iittvvvv.
constexpr std::uint8_t kIdNext = 0x00;   // previous id + 1
constexpr std::uint8_t kIdDelta = 0x40;  // zigzag varint difference follows
constexpr std::uint8_t kIdMask = 0xc0;
constexpr std::uint8_t kTimeSame = 0x00;   // as the previous sample
constexpr std::uint8_t kTimeDelta = 0x10;  // zigzag varint difference in ms follows
constexpr std::uint8_t kTimeMask = 0x30;
constexpr std::uint8_t kKindMask = 0x0f;

enum Kind : std::uint8_t {
  kSame = 0,  // the series' last value
  kZero = 1,  // +0.0
  kOne = 2,
  kStale = 3,           // Prometheus' stale marker
  kMantissaDelta8 = 4,  // one signed byte added to the mantissa
  kMantissaDelta = 5,   // zigzag varint added to the mantissa
  kMantissa = 6,        // scale byte, zigzag varint mantissa
  kXor = 7,             // one byte (trailing zero bytes << 4 | byte count), then the bytes of last XOR value
  kRaw = 8,             // eight bytes
  kRun = 9,             // varint n: n more samples, each next id, same time, same value; valid only with id-next, same time
};

constexpr std::array<double, 10> kPow10{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
constexpr std::array<std::uint8_t, 5> kScales{0, 2, 3, 6, 9};  // whole, jiffies, ms, us, ns: what the ecosystem exports
constexpr double kMaxMantissa = 9007199254740992.0;            // 2^53: integers up to here are exact in a double

bool in_range(std::int64_t ms) { return ms <= kMaxTime.count() && ms >= -kMaxTime.count(); }

std::uint64_t bits(double v) { return std::bit_cast<std::uint64_t>(v); }

/// True when v is exactly mantissa / 10^scale, so that the decoder gets the same bits.
bool as_decimal(double v, std::uint8_t scale, std::int64_t& mantissa) {
  const double scaled = v * kPow10[scale];
  if (!(std::fabs(scaled) < kMaxMantissa)) return false;
  mantissa = std::llround(scaled);
  return bits(static_cast<double>(mantissa) / kPow10[scale]) == bits(v);
}

std::size_t xor_size(std::uint64_t x) {
  const auto trailing = static_cast<std::size_t>(std::countr_zero(x)) / 8;
  const auto leading = static_cast<std::size_t>(std::countl_zero(x)) / 8;
  return 1 + 8 - trailing - leading;
}

void put_xor(ByteWriter& w, std::uint64_t x) {
  const auto trailing = static_cast<unsigned>(std::countr_zero(x)) / 8;
  const auto count = static_cast<unsigned>(xor_size(x)) - 1;
  w.u8(static_cast<std::uint8_t>(trailing << 4 | count));
  x >>= trailing * 8;
  for (unsigned i = 0; i < count; ++i, x >>= 8) w.u8(static_cast<std::uint8_t>(x));
}

void remember(SeriesState& s, double v) {
  s.last = v;
  s.decimal = false;
}

void remember(SeriesState& s, double v, std::int64_t mantissa, std::uint8_t scale) {
  s.last = v;
  s.mantissa = mantissa;
  s.scale = scale;
  s.decimal = true;
}

}  // namespace

SeriesState& CodecState::of(std::uint32_t id) {
  if (id >= states_.size()) states_.resize(static_cast<std::size_t>(id) + 1 + id / 8);
  auto& state = states_[id];
  if (state.generation != generation_) {
    state = SeriesState{};
    state.generation = generation_;
  }
  return state;
}

void SampleEncoder::encode_value(SeriesState& s, double v, Buffer& out, std::size_t header_at) {
  ByteWriter w(out);
  const auto kind = [&](Kind k) { out[header_at] = static_cast<std::uint8_t>(out[header_at] | k); };
  if (bits(v) == bits(s.last)) return kind(kSame);
  std::int64_t mantissa = 0;
  const auto changed = bits(v) ^ bits(s.last);
  if (s.decimal && as_decimal(v, s.scale, mantissa)) {
    const auto delta = mantissa - s.mantissa;
    if (delta >= -128 && delta <= 127) {
      kind(kMantissaDelta8);
      w.u8(static_cast<std::uint8_t>(delta));
    } else if (varint_size(zigzag(delta)) <= xor_size(changed)) {
      kind(kMantissaDelta);
      w.svarint(delta);
    } else {
      kind(kXor);
      put_xor(w, changed);
    }
    return remember(s, v, mantissa, s.scale);
  }
  if (is_stale(v)) {
    kind(kStale);
    return remember(s, v);
  }
  for (const auto scale : kScales) {
    if (!as_decimal(v, scale, mantissa)) continue;
    if (1 + varint_size(zigzag(mantissa)) > xor_size(changed)) break;
    if (mantissa == 0 || (mantissa == 1 && scale == 0)) {
      kind(mantissa == 0 ? kZero : kOne);
    } else {
      kind(kMantissa);
      w.u8(scale);
      w.svarint(mantissa);
    }
    return remember(s, v, mantissa, scale);
  }
  if (xor_size(changed) < 8) {
    kind(kXor);
    put_xor(w, changed);
  } else {
    kind(kRaw);
    w.u64(bits(v));
  }
  remember(s, v);
}

void SampleEncoder::encode(std::span<const IdSample> samples, Time base, Buffer& out) {
  ByteWriter w(out);
  std::uint32_t previous_id = ~std::uint32_t{0};  // so that id 0 is "next" at the start
  Time previous_time = base;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto& sample = samples[i];
    const bool next_id = sample.id == previous_id + 1;
    const bool same_time = sample.t == previous_time;
    // A quiet host repeats itself: a run of unchanged neighbours costs two or three bytes whatever its length.
    if (next_id && same_time) {
      std::size_t run = 0;
      while (i + run < samples.size() && samples[i + run].id == previous_id + 1 + run &&
             samples[i + run].t == previous_time && bits(state_.of(samples[i + run].id).last) == bits(samples[i + run].v))
        ++run;
      if (run >= 3) {
        w.u8(kRun);
        w.varint(run);
        previous_id += static_cast<std::uint32_t>(run);
        i += run - 1;
        continue;
      }
    }
    const auto header_at = out.size();
    w.u8(static_cast<std::uint8_t>((next_id ? kIdNext : kIdDelta) | (same_time ? kTimeSame : kTimeDelta)));
    if (!next_id) w.svarint(static_cast<std::int64_t>(sample.id) - static_cast<std::int64_t>(previous_id));
    if (!same_time) w.svarint((sample.t - previous_time).count());
    encode_value(state_.of(sample.id), sample.v, out, header_at);
    previous_id = sample.id;
    previous_time = sample.t;
  }
}

bool SampleDecoder::decode_value(ByteReader& in, SeriesState& s, std::uint8_t kind) {
  switch (kind) {
    case kSame: return true;
    case kZero: remember(s, 0.0, 0, 0); return true;
    case kOne: remember(s, 1.0, 1, 0); return true;
    case kStale: remember(s, stale_marker()); return true;
    case kMantissaDelta8:
    case kMantissaDelta: {
      if (!s.decimal) return false;
      const auto delta = kind == kMantissaDelta8 ? static_cast<std::int8_t>(in.u8()) : in.svarint();
      std::int64_t mantissa = 0;
      if (__builtin_add_overflow(s.mantissa, delta, &mantissa)) return false;
      remember(s, static_cast<double>(mantissa) / kPow10[s.scale], mantissa, s.scale);
      return in.ok();
    }
    case kMantissa: {
      const auto scale = in.u8();
      const auto mantissa = in.svarint();
      if (!in.ok() || scale >= kPow10.size()) return false;
      remember(s, static_cast<double>(mantissa) / kPow10[scale], mantissa, scale);
      return true;
    }
    case kXor: {
      const auto shape = in.u8();
      const unsigned trailing = shape >> 4, count = shape & 15;
      if (count == 0 || trailing + count > 8) return false;
      std::uint64_t x = 0;
      for (unsigned i = 0; i < count; ++i) x |= static_cast<std::uint64_t>(in.u8()) << (8 * i);
      const double v = std::bit_cast<double>(bits(s.last) ^ x << (8 * trailing));
      std::int64_t mantissa = 0;
      // The encoder keeps the decimal view across an XOR when it still holds; do the same.
      if (s.decimal && as_decimal(v, s.scale, mantissa))
        remember(s, v, mantissa, s.scale);
      else
        remember(s, v);
      return in.ok();
    }
    case kRaw: remember(s, std::bit_cast<double>(in.u64())); return in.ok();
    default: return false;
  }
}

Status SampleDecoder::decode(ByteView view, std::uint32_t count, Time base, std::uint32_t id_limit,
                             std::vector<IdSample>& out) {
  const auto corrupt = [](const char* what) {
    return fail(Errc::corrupt, std::string("a sample block is damaged: ") + what,
                "Upgrade the older of agent and collector.");
  };
  ByteReader in(view);
  std::uint32_t id = ~std::uint32_t{0};
  std::int64_t time = to_ms(base);
  const auto wanted = out.size() + count;
  if (!in_range(time)) return corrupt("a time out of range");
  // Each coded byte yields samples only through a run, which is checked against `count`: no reserve() on a peer's word.
  while (out.size() < wanted) {
    const auto header = in.u8();
    if (!in.ok()) return corrupt("it ends early");
    if ((header & kKindMask) == kRun) {
      const auto run = in.varint();
      if (!in.ok() || header != kRun || run == 0 || run > wanted - out.size()) return corrupt("a run is too long");
      for (std::uint64_t i = 0; i < run; ++i) {
        if (++id >= id_limit) return corrupt("an unknown series");
        out.push_back({id, from_ms(time), state_.of(id).last});
      }
      continue;
    }
    if ((header & kIdMask) == kIdNext)
      ++id;
    else if ((header & kIdMask) == kIdDelta)
      id += static_cast<std::uint32_t>(in.svarint());
    else
      return corrupt("an unknown id form");
    if ((header & kTimeMask) == kTimeDelta) {
      if (__builtin_add_overflow(time, in.svarint(), &time) || !in_range(time)) return corrupt("a time out of range");
    } else if ((header & kTimeMask) != kTimeSame) {
      return corrupt("an unknown time form");
    }
    if (!in.ok() || id >= id_limit) return corrupt("an unknown series");
    auto& state = state_.of(id);
    if (!decode_value(in, state, header & kKindMask)) return corrupt("a value does not decode");
    out.push_back({id, from_ms(time), state.last});
  }
  if (!in.at_end()) return corrupt("bytes are left over");
  return {};
}

void SampleDigest::add(const IdSample& sample) {
  std::array<std::uint8_t, 20> packed{};
  const auto ms = to_ms(sample.t);
  std::memcpy(packed.data(), &sample.id, 4);
  std::memcpy(packed.data() + 4, &ms, 8);
  std::memcpy(packed.data() + 12, &sample.v, 8);
  crc_ = crc32c(packed, crc_);
}

std::uint32_t digest(std::span<const IdSample> samples) {
  SampleDigest out;
  for (const auto& sample : samples) out.add(sample);
  return out.value();
}

}  // namespace ward::wire
