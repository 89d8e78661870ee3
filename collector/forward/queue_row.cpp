#include "collector/forward/queue_row.hpp"

#include <unordered_map>

#include "common/base/crc32c.hpp"

namespace ward::collector {
wire::Buffer QueueCodec::encode(const wire::Record& record, const std::function<QueueSeries(std::uint32_t)>& number_of) {
  wire::Record local;
  local.t_min = record.t_min;
  local.t_max = record.t_max;
  local.samples.reserve(record.samples.size());
  std::vector<QueueSeries> numbers;
  std::unordered_map<std::uint32_t, std::uint32_t> places;
  for (const auto& sample : record.samples) {
    const auto [at, fresh] = places.emplace(sample.id, static_cast<std::uint32_t>(numbers.size()));
    if (fresh) numbers.push_back(number_of(sample.id));
    local.samples.push_back({at->second, sample.t, sample.v});
  }
  wire::Buffer out;
  wire::ByteWriter w(out);
  w.varint(numbers.size());
  std::int64_t before = 0;
  for (const auto number : numbers) {
    w.svarint(std::int64_t{number} - before);
    before = number;
  }
  w.raw(records_.encode(local));
  return out;
}

std::optional<std::vector<wire::IdSample>> QueueCodec::decode(wire::ByteView payload) {
  wire::ByteReader in(payload);
  const auto count = in.varint();
  if (!in.ok() || count > wire::kMaxRecordSamples) return std::nullopt;
  std::vector<QueueSeries> numbers;
  std::int64_t before = 0;
  for (std::uint64_t i = 0; in.ok() && i < count; ++i) {
    const auto step = in.svarint();
    if (step < -before || step > std::int64_t{UINT32_MAX} - before) in.fail();
    before += in.ok() ? step : 0;
    numbers.push_back(static_cast<QueueSeries>(before));
  }
  wire::Record record;
  if (!in.ok() || !records_.decode(in.raw(in.left()), record)) return std::nullopt;
  for (auto& sample : record.samples) {
    if (sample.id >= numbers.size()) return std::nullopt;
    sample.id = numbers[sample.id];
  }
  return std::move(record.samples);
}

std::int64_t queue_crc(wire::ByteView bytes, std::int64_t id, std::int64_t samples) {
  wire::Buffer head;
  wire::ByteWriter w(head);
  w.u64(static_cast<std::uint64_t>(id));
  w.u64(static_cast<std::uint64_t>(samples));
  return crc32c(bytes, crc32c(head));
}

}  // namespace ward::collector
