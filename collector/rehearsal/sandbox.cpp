#include "collector/rehearsal/sandbox.hpp"

#include "common/base/assert.hpp"

namespace ward::collector {

SandboxStore::SandboxStore() { clear(); }

void SandboxStore::clear() { head_ = std::make_unique<Head>(HeadOptions{.max_sample_age = milliseconds{0}}); }

void SandboxStore::put(const Labels& series, std::span<const Sample> samples) {
  const auto ref = head_->get_or_create(series);
  std::vector<RefSample> batch;
  batch.reserve(samples.size());
  for (const auto& sample : samples) batch.push_back({ref, sample});
  head_->append(batch);
}

void SandboxStore::put_chunk(const Labels& series, std::span<const std::uint8_t> chunk, std::span<const Sample> decoded) {
  SealedChunk sealed{.series = head_->get_or_create(series),
                     .t_min = decoded.front().t,
                     .t_max = decoded.back().t,
                     .count = static_cast<std::uint32_t>(decoded.size()),
                     .bytes = {chunk.begin(), chunk.end()}};
  const auto loaded = head_->load_chunk(sealed);
  WARD_ASSERT(loaded.has_value());
}

void SandboxStore::drop_before(Time t) {
  head_->release(t, t);
  head_->forget([](const std::string&, std::optional<Day>) { return true; });
}

void SandboxStore::write(Time at, std::span<const SeriesValue> series) {
  std::vector<RefSample> batch;
  batch.reserve(series.size());
  for (const auto& [labels, value] : series) batch.push_back({head_->get_or_create(labels), {at, value}});
  head_->append(batch);
}

Result<std::vector<SeriesData>> SandboxStore::select(std::span<const Matcher> matchers, Time from, Time to) const {
  return head_->select(matchers, from, to);
}

Result<Vector> Sandbox::query(std::string_view expr, Time at) const {
  const auto compiled = compiler_.compile(expr);
  if (!compiled) return fail(compiled.error());
  return (*compiled)->evaluate(at);
}

}  // namespace ward::collector
