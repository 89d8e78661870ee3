#include "collector/rehearsal/sandbox.hpp"

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
