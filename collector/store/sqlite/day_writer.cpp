#include "collector/store/sqlite/day_writer.hpp"

#include <utility>

#include "collector/tsdb/chunk.hpp"

namespace ward::collector {
namespace {

/// Written at once: a transaction each day, and no query waits for it for long.
constexpr std::size_t kAtOnce = 8 << 20;

}  // namespace

Status DayWriter::add(const std::string& tenant, SeriesRef series, Time t_min, Time t_max, wire::ByteView chunk) {
  if (tenant != tenant_) {
    for (auto& [day, pending] : pending_) {
      close_block(pending);
      pending.builder = DayBlockBuilder(tenant);
    }
    tenant_ = tenant;
  }
  if (day_of(t_min) == day_of(t_max)) return put(day_of(t_min), series, t_min, t_max, chunk);
  const auto samples = decode_chunk(chunk);
  if (!samples) return fail(samples.error());
  for (auto from = samples->begin(); from != samples->end();) {
    auto to = from;
    while (to != samples->end() && day_of(to->t) == day_of(from->t)) ++to;
    const auto part = encode_chunk(std::span{from, to});
    if (auto done = put(day_of(from->t), series, from->t, (to - 1)->t, part); !done) return done;
    from = to;
  }
  return {};
}

Status DayWriter::put(Day day, SeriesRef series, Time t_min, Time t_max, wire::ByteView chunk) {
  auto& pending = pending_.try_emplace(day, Pending{DayBlockBuilder(tenant_), {}, {}, {}, true}).first->second;
  if (const auto stored = source_.stored(series); stored != day || days_.wants_labels(day)) {
    if (pending.last != series) pending.series.push_back({series.get() - 1, source_.labels(series)});
    if (!stored || day > *stored) {
      auto& newest = newest_.try_emplace(series, day).first->second;
      newest = std::max(newest, day);
    }
  }
  pending.last = series;
  pending.builder.add(series, t_min, t_max, chunk_count(chunk), chunk);
  if (!pending.builder.full()) return {};
  close_block(pending);
  return bytes_ >= kAtOnce ? flush() : Status{};
}

void DayWriter::close_block(Pending& pending) {
  if (pending.builder.empty()) return;
  pending.blocks.push_back(pending.builder.take());
  bytes_ += pending.blocks.back().data.size();
}

Status DayWriter::flush() {
  bytes_ = 0;
  for (auto& [day, pending] : pending_) {
    if (pending.blocks.empty()) continue;
    if (auto written = days_.write(day, pending.fresh, batch_, pending.blocks, pending.series); !written) return written;
    pending.blocks.clear();
    pending.series.clear();
    pending.fresh = false;
  }
  return {};
}

Status DayWriter::finish() {
  for (auto& [day, pending] : pending_) close_block(pending);
  return flush();
}

}  // namespace ward::collector
