#include "collector/bulk_append.hpp"

#include <algorithm>
#include <utility>

namespace ward::collector {

void BulkAppend::append(std::span<const wire::IdSample> samples) {
  auto dealt = deal(samples);
  finish();
  for (std::size_t n = 0; n < kThreads; ++n)
    running_[n] = std::async(std::launch::async, [this, some = std::move(dealt[n])] { sink_.replayed(some); });
}

void BulkAppend::finish() {
  for (auto& each : running_)
    if (each.valid()) each.get();
}

/// By series, the order within each kept: rows have a sample of very many, and appending them as they stand waits for memory
/// at each sample. The head's shards have an even number, so that the threads do not wait for each other's locks.
BulkAppend::Dealt BulkAppend::deal(std::span<const wire::IdSample> samples) {
  SeriesId highest = 0;
  for (const auto& sample : samples) highest = std::max(highest, sample.id);
  std::vector<std::size_t> next(static_cast<std::size_t>(highest) + 1 + kThreads);
  for (const auto& sample : samples) ++next[sample.id + kThreads];
  for (std::size_t n = kThreads; n < next.size(); ++n) next[n] += next[n - kThreads];
  Dealt out;
  for (std::size_t n = 0; n < kThreads; ++n) out[(highest + 1 + n) % kThreads].resize(next[highest + 1 + n]);
  for (const auto& sample : samples)
    out[sample.id % kThreads][next[sample.id]++] = {SeriesRef{sample.id + 1}, {sample.t, sample.v}};
  return out;
}

}  // namespace ward::collector
