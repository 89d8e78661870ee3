#include "collector/head_sink.hpp"

#include <utility>

#include "common/wire/series.hpp"

namespace ward::collector {
namespace {

constexpr std::size_t kMostOwn = 200'000;  // samples, 24 bytes each

SeriesRef ref_of(SeriesId id) { return SeriesRef{id + 1}; }

}  // namespace

HeadSink::HeadSink(Head& head, Catalogue& catalogue, telemetry::Registry& metrics)
    : head_(head),
      catalogue_(catalogue),
      stored_(metrics.counter("ward_tsdb_samples_appended_total", "Samples taken into the head.")),
      metrics_(metrics) {}

void HeadSink::define(SeriesId id, const Labels& labels) {
  if (!head_.restore(ref_of(id), labels)) return;
  if (follower_ != nullptr) follower_->define(id, labels);
  const std::scoped_lock lock(mutex_);
  const auto [at, fresh] = name_ids_.emplace(labels.name(), static_cast<std::uint32_t>(names_.size()));
  if (fresh) {
    names_.emplace_back(labels.name());
    arrived_.push_back(false);
  }
  if (id >= name_of_.size()) name_of_.resize(static_cast<std::size_t>(id) + 1);
  name_of_[id] = at->second;
}

void HeadSink::count(const AppendCounts& counts) {
  stored_.add(static_cast<double>(counts.appended));
  count_refused("conflicting", counts.conflicting);
  count_refused("too_old", counts.too_old);
  count_refused("unknown_series", counts.unknown_series);
}

void HeadSink::count_refused(const char* reason, std::size_t samples) {
  if (samples == 0) return;
  metrics_.counter("ward_tsdb_samples_refused_total", "Samples the head did not take.", Labels{{"reason", reason}})
      .add(static_cast<double>(samples));
}

void HeadSink::append(std::span<const wire::IdSample> samples) {
  if (holds_back_.load(std::memory_order_relaxed)) return;
  std::vector<RefSample> refs;
  refs.reserve(samples.size());
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& sample : samples) {
      refs.push_back({ref_of(sample.id), {sample.t, sample.v}});
      if (sample.id < name_of_.size()) arrived_[name_of_[sample.id]] = true;
    }
  }
  auto counts = head_.append(refs);
  if (counts.unknown_series > 0) {
    // Retention dropped a quiet series that speaks again: the journal still knows its labels.
    for (const auto& sample : samples)
      if (const auto labels = catalogue_.revive(sample.id); !labels.empty()) define(sample.id, labels);
    // All of it again: what went in just now is a duplicate, what was refused is refused again.
    const auto before = counts.appended;
    counts = head_.append(refs);
    counts.appended += before;
  }
  count(counts);
  if (follower_ != nullptr) follower_->append(samples);
}

void HeadSink::replayed(std::span<const RefSample> samples) { count(head_.append(samples)); }

void HeadSink::write(Time at, std::span<const SeriesValue> series) {
  std::vector<wire::IdSample> samples;
  for (const auto& [labels, value] : series) {
    if (wire::text_size(labels) > kMaxLabelText) {
      count_refused("label_limits", 1);
      continue;
    }
    const auto id = catalogue_.resolve_own(labels);
    define(id, labels);
    samples.push_back({id, at, value});
  }
  append(samples);
  const std::scoped_lock lock(mutex_);
  if (keeps_own_) own_.insert(own_.end(), samples.begin(), samples.end());
}

void HeadSink::keep_own(bool keep) {
  const std::scoped_lock lock(mutex_);
  keeps_own_ = keep;
}

void HeadSink::keep_own_again(std::span<const wire::IdSample> samples) {
  const std::scoped_lock lock(mutex_);
  if (own_.size() < kMostOwn) own_.insert(own_.end(), samples.begin(), samples.end());
}

std::vector<wire::IdSample> HeadSink::take_own() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(own_, {});
}

std::vector<std::string> HeadSink::take_arrived() {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < arrived_.size(); ++i) {
    if (!arrived_[i]) continue;
    arrived_[i] = false;
    out.push_back(names_[i]);
  }
  return out;
}

}  // namespace ward::collector
