#include "collector/store/sqlite/day_block.hpp"

#include <algorithm>
#include <utility>

#include "collector/tsdb/chunk.hpp"
#include "common/base/assert.hpp"

namespace ward::collector {

void DayBlockBuilder::add(SeriesRef series, Time t_min, Time t_max, std::uint32_t count, wire::ByteView bytes) {
  if (empty()) {
    block_.first = block_.last = series;
    block_.t_min = t_min;
    block_.t_max = t_max;
  }
  WARD_ASSERT(series >= block_.last);
  wire::ByteWriter w(index_);
  w.varint(series.get() - block_.last.get());
  w.varint(static_cast<std::uint64_t>(to_ms(t_max)) - static_cast<std::uint64_t>(to_ms(t_min)));
  w.varint(bytes.size());
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  block_.last = series;
  block_.t_min = std::min(block_.t_min, t_min);
  block_.t_max = std::max(block_.t_max, t_max);
  ++block_.chunks;
  block_.samples += count;
}

DayBlock DayBlockBuilder::take() {
  wire::ByteWriter w(block_.data);
  w.u32(static_cast<std::uint32_t>(index_.size()));
  w.raw(index_);
  w.raw(bytes_);
  index_.clear();
  bytes_.clear();
  DayBlock empty;
  empty.tenant = block_.tenant;
  return std::exchange(block_, std::move(empty));
}

bool read_block(wire::ByteView data, SeriesRef first, const std::function<void(const BlockChunk&)>& take) {
  wire::ByteReader whole(data);
  const auto index_size = whole.u32();
  wire::ByteReader index(whole.raw(index_size));
  auto series = first;
  while (whole.ok() && !index.at_end()) {
    const auto step = index.varint();
    const auto span = index.varint();
    const auto size = index.varint();
    if (!index.ok() || step > UINT32_MAX - series.get()) return false;
    series = SeriesRef{static_cast<std::uint32_t>(series.get() + step)};
    const auto bytes = whole.raw(size);
    const auto t_min = chunk_start(bytes);
    if (!whole.ok() || !t_min) return false;
    const auto t_max = static_cast<std::int64_t>(static_cast<std::uint64_t>(to_ms(*t_min)) + span);
    take({series, *t_min, from_ms(t_max), bytes});
  }
  return whole.ok() && whole.at_end();
}

}  // namespace ward::collector
