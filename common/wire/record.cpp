#include "common/wire/record.hpp"

#include <algorithm>
#include <limits>

#include "common/base/crc32c.hpp"

namespace ward::wire {

std::uint64_t read_position(ByteReader& in) {
  const auto v = in.varint();
  if (v >= kMaxPosition) in.fail();
  return in.ok() ? v : 0;
}

Time read_time(ByteReader& in) {
  const auto t = from_ms(in.svarint()).time_since_epoch();
  if (t > kMaxTime || t < -kMaxTime) in.fail();
  return in.ok() ? Time{t} : Time{};
}

void write_labels(ByteWriter& out, const Labels& labels) {
  out.varint(labels.size());
  for (const auto& [name, value] : labels) {
    out.text(name);
    out.text(value);
  }
}

Labels read_labels(ByteReader& in) {
  const auto count = in.varint();
  if (count > kMaxLabels) in.fail();
  std::vector<Label> labels;
  for (std::uint64_t i = 0; in.ok() && i < count; ++i) {
    const auto name = in.text();
    const auto value = in.text();
    if (name.empty() || name.size() > kMaxLabelName || value.size() > kMaxLabelValue) in.fail();
    if (in.ok()) labels.emplace_back(name, value);
  }
  return Labels{std::move(labels)};
}

void write_events(ByteWriter& out, const Events& events) {
  out.varint(events.size());
  for (const auto& event : events) {
    out.svarint(to_ms(event.t));
    out.text(event.kind);
    write_labels(out, event.attributes);
  }
}

Events read_events(ByteReader& in) {
  const auto count = in.varint();
  if (count > kMaxRecordEvents) in.fail();
  Events events;
  for (std::uint64_t i = 0; in.ok() && i < count; ++i) {
    Event event;
    event.t = read_time(in);
    const auto kind = in.text();
    if (kind.size() > kMaxLabelName) in.fail();
    event.kind = kind;
    event.attributes = read_labels(in);
    if (in.ok()) events.push_back(std::move(event));
  }
  return events;
}

std::uint32_t digest(const Events& events) {
  Buffer bytes;
  ByteWriter w(bytes);
  write_events(w, events);
  return crc32c(bytes);
}

/// Of a record that stands alone: room for nearly all of them, so that the buffer seldom grows.
constexpr std::size_t kUsualSampleBytes = 8;

Buffer RecordCodec::encode(const Record& record) {
  Buffer out;
  ByteWriter w(out);
  if (record.kind == RecordKind::events) {
    write_events(w, record.events);
    return out;
  }
  out.reserve(kUsualSampleBytes * record.samples.size() + 16);
  w.varint(record.samples.size());
  w.svarint(to_ms(record.t_min));
  encoder_.reset();
  encoder_.encode(record.samples, record.t_min, out);
  return out;
}

Status RecordCodec::decode(ByteView payload, Record& header) {
  ByteReader in(payload);
  if (header.kind == RecordKind::events) {
    header.events = read_events(in);
    if (!in.ok() || !in.at_end()) return fail(Errc::corrupt, "an event block is damaged", "");
    return {};
  }
  const auto count = in.varint();
  const auto base = read_time(in);
  if (!in.ok() || count > kMaxRecordSamples) return fail(Errc::corrupt, "a sample block is damaged: its head", "");
  decoder_.reset();
  header.samples.clear();
  return decoder_.decode(in.raw(in.left()), static_cast<std::uint32_t>(count), base,
                         std::numeric_limits<std::uint32_t>::max() >> 8, header.samples);
}

}  // namespace ward::wire
