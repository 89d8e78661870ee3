#include "collector/forward/split.hpp"

#include <algorithm>
#include <limits>
#include <span>

#include "common/remote_write/content.hpp"
#include "common/remote_write/encode.hpp"

namespace ward::collector {
namespace {

constexpr auto kAny = std::numeric_limits<std::size_t>::max();

std::shared_ptr<const SendBatch> batch_of(std::span<const remote_write::OutgoingSeries> series) {
  auto out = std::make_shared<SendBatch>();
  for (const auto& one : series) {
    out->samples += one.samples.size();
    for (const auto& sample : one.samples) out->newest = std::max(out->newest, sample.t);
  }
  out->body = remote_write::pack(remote_write::encode(remote_write::Message::v1, series));
  return out;
}

}  // namespace

std::vector<std::shared_ptr<const SendBatch>> split(const SendBatch& batch) {
  const auto bytes = remote_write::unpack(batch.body, kAny);
  if (!bytes) return {};
  const auto read = remote_write::decode(remote_write::Message::v1, *bytes, {kAny, kAny, kAny});
  if (!read || !read->refused.empty() || read->series.empty()) return {};
  std::vector<Labels> labels;
  for (const auto& series : read->series) {
    std::vector<Label> of_series;
    for (const auto& [name, value] : read->labels_of(series)) of_series.emplace_back(name, value);
    labels.emplace_back(std::move(of_series));
  }
  std::vector<remote_write::OutgoingSeries> all;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto samples = read->samples_of(read->series[i]);
    all.push_back({&labels[i], {samples.begin(), samples.end()}, {}});
  }
  if (all.size() > 1) {
    const auto half = all.size() / 2;
    return {batch_of(std::span(all).first(half)), batch_of(std::span(all).subspan(half))};
  }
  const auto samples = std::span(all[0].samples);
  if (samples.size() < 2) return {};
  const auto older = samples.first(samples.size() / 2), newer = samples.subspan(samples.size() / 2);
  const remote_write::OutgoingSeries halves[] = {{&labels[0], {older.begin(), older.end()}, {}},
                                                 {&labels[0], {newer.begin(), newer.end()}, {}}};
  return {batch_of(std::span(halves).first(1)), batch_of(std::span(halves).last(1))};
}

}  // namespace ward::collector
