#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/sample.hpp"
#include "common/wire/bytes.hpp"

namespace ward::wire {

/// Times lie within this distance of 1970, either way: differences of two never overflow, dates stay printable.
inline constexpr milliseconds kMaxTime{std::int64_t{1} << 53};

/// A sample of a series known by its number in a dictionary.
struct IdSample {
  std::uint32_t id = 0;
  Time t;
  double v = 0;
  friend bool operator==(const IdSample& a, const IdSample& b) {
    return a.id == b.id && Sample{a.t, a.v} == Sample{b.t, b.v};
  }
};

/// What both sides remember of a series between samples. `mantissa / 10^scale` is exactly `last` when `decimal` is set.
struct SeriesState {
  double last = 0;
  std::int64_t mantissa = 0;
  std::uint32_t generation = 0;
  std::uint8_t scale = 0;
  bool decimal = true;  ///< a fresh series stands at 0 = 0 / 10^0
};

/// The states of a dictionary, forgotten in O(1) by reset().
class CodecState {
 public:
  /// Grows as needed; a state not used since the last reset() is fresh.
  SeriesState& of(std::uint32_t id);
  void reset() { ++generation_; }
  [[nodiscard]] std::size_t size() const { return states_.size(); }

 private:
  std::vector<SeriesState> states_;
  std::uint32_t generation_ = 1;
};

/// Codes samples by what changed since the series' last value (docs/format/wire.md, "Samples"). With a state that lives
/// as long as a session it gives about 2 bytes a sample; after reset() the result stands alone (spool, journal).
class SampleEncoder {
 public:
  void reset() { state_.reset(); }
  /// `base` is written by the caller next to the count; times are relative to it.
  void encode(std::span<const IdSample> samples, Time base, Buffer& out);

 private:
  void encode_value(SeriesState& state, double v, Buffer& out, std::size_t header_at);
  CodecState state_;
};

class SampleDecoder {
 public:
  void reset() { state_.reset(); }
  /// Appends exactly `count` samples to `out` or fails (Errc::corrupt) without reading past `in`. Ids at or above
  /// `id_limit` are corrupt: they bound the memory a peer can make us take.
  Status decode(ByteView in, std::uint32_t count, Time base, std::uint32_t id_limit, std::vector<IdSample>& out);

 private:
  bool decode_value(ByteReader& in, SeriesState& state, std::uint8_t kind);
  CodecState state_;
};

/// CRC-32C over the decoded samples with the agent's ids: equal on every collector and in every session, whatever the
/// coding.
class SampleDigest {
 public:
  void add(const IdSample& sample);
  [[nodiscard]] std::uint32_t value() const { return crc_; }

 private:
  std::uint32_t crc_ = 0;
};
std::uint32_t digest(std::span<const IdSample> samples);
std::uint32_t digest(const Events& events);

}  // namespace ward::wire
