#pragma once
#include <cstdint>
#include <vector>

#include "common/model/batch.hpp"
#include "common/wire/codec.hpp"

namespace ward::wire {

enum class RecordKind : std::uint8_t { samples = 1, events = 2 };

/// What is numbered, spooled, sent, acknowledged and stored as one: samples of one probe run, or events. Ids are those of
/// the dictionary of whoever holds it (the spool's on the agent, the journal's on the collector).
struct Record {
  Sequence seq;
  RecordKind kind = RecordKind::samples;
  DataClass data_class = DataClass::raw;
  Time t_min;
  Time t_max;
  std::uint32_t digest = 0;  ///< over the agent's ids, so that two collectors can compare
  std::vector<IdSample> samples;
  Events events;
  friend bool operator==(const Record&, const Record&) = default;
};

/// Limits a peer is held to (facts: security 1.3).
inline constexpr std::size_t kMaxRecordBytes = 64 << 10;
inline constexpr std::size_t kMaxRecordSamples = 16'384;
inline constexpr std::size_t kMaxRecordEvents = 1'024;
inline constexpr std::size_t kMaxLabels = 32;
inline constexpr std::size_t kMaxLabelName = 128;
inline constexpr std::size_t kMaxLabelValue = 256;
/// Sequences and numbers of samples stay below: stores keep them in 64 signed bits and add them up.
inline constexpr std::uint64_t kMaxPosition = std::uint64_t{1} << 53;

/// A sequence or a number of samples; fails the reader at kMaxPosition.
std::uint64_t read_position(ByteReader& in);
/// A time as ms; fails the reader beyond kMaxTime (codec.hpp).
Time read_time(ByteReader& in);

/// Label sets as bytes: count, then name and value texts. read_labels fails the reader past the limits above.
void write_labels(ByteWriter& out, const Labels& labels);
Labels read_labels(ByteReader& in);

/// The self-contained form of a record's content that spool and journal keep: nothing but the bytes is needed to read it.
/// Not thread-safe: the scratch state inside is reused between calls.
class RecordCodec {
 public:
  [[nodiscard]] Buffer encode(const Record& record);
  /// `header` brings seq, kind, class, times and digest; the content is filled in. Errc::corrupt when it does not decode.
  Status decode(ByteView payload, Record& header);

 private:
  SampleEncoder encoder_;
  SampleDecoder decoder_;
};

void write_events(ByteWriter& out, const Events& events);
Events read_events(ByteReader& in);

}  // namespace ward::wire
