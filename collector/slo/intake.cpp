#include "collector/slo/intake.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace ward::collector::slo {
namespace {

constexpr std::array<std::string_view, 9> kSourceLabels{"agent",     "cluster", "container", "instance", "job",
                                                        "namespace", "node",    "pod",       "tenant"};
// Longer than the usual intervals: series of one process that are scraped apart must not take each other for new.
constexpr milliseconds kEarlierRound{std::chrono::minutes{5}};
// A source that was away for longer may have counted meanwhile what nobody saw begin.
constexpr milliseconds kAway{std::chrono::minutes{5}};
constexpr milliseconds kFreshProcess{std::chrono::minutes{5}};

Amount grown(double from, double to) { return to < from ? to_amount(to) : to_amount(to) - to_amount(from); }

}  // namespace

void SeriesMemory::insert(std::size_t at, Sample sample) {
  if (size_ == kKept) {
    std::move(samples_.begin() + 1, samples_.begin() + static_cast<std::ptrdiff_t>(at), samples_.begin());
    samples_[at - 1] = sample;
    whole_ = false;
    return;
  }
  std::move_backward(samples_.begin() + static_cast<std::ptrdiff_t>(at), samples_.begin() + size_,
                     samples_.begin() + size_ + 1);
  samples_[at] = sample;
  ++size_;
}

Amount SeriesMemory::growth(std::size_t at) const {
  if (at > 0) return grown(samples_[at - 1].v, samples_[at].v);
  return from_zero_ ? to_amount(samples_[0].v) : 0;
}

Intake SeriesMemory::gauge(Sample sample) {
  if (!std::isfinite(sample.v)) return Intake::invalid;
  if (size_ == 0 || sample.t > newest().t) {
    insert(size_, sample);
    return Intake::counted;
  }
  std::size_t at = 0;
  while (samples_[at].t < sample.t) ++at;
  if (samples_[at].t == sample.t) return Intake::duplicate;
  if (at == 0 && (!whole_ || size_ == kKept)) return Intake::too_late;
  insert(at, sample);
  return Intake::counted;
}

Intake SeriesMemory::counter(Sample sample, bool from_zero, Gains& gains) {
  if (!std::isfinite(sample.v)) return Intake::invalid;
  if (size_ == 0) {
    from_zero_ = from_zero;
    samples_[size_++] = sample;
    gains.add(sample.t, growth(0));
    return Intake::counted;
  }
  if (sample.t > newest().t) {
    gains.add(sample.t, grown(newest().v, sample.v));
    insert(size_, sample);
    return Intake::counted;
  }
  std::size_t at = 0;
  while (samples_[at].t < sample.t) ++at;
  if (samples_[at].t == sample.t) return Intake::duplicate;
  // Before the first one that is remembered, what came between is not known, unless nothing did.
  if (at == 0 && (!whole_ || size_ == kKept)) return Intake::too_late;
  const auto successor = samples_[at];
  const auto taken = growth(at);
  const auto own = at == 0 ? (from_zero_ ? to_amount(sample.v) : 0) : grown(samples_[at - 1].v, sample.v);
  gains.add(successor.t, grown(sample.v, successor.v) - taken);
  gains.add(sample.t, own);
  insert(at, sample);
  return Intake::counted;
}

Labels Sources::labels_of(const Labels& series) {
  std::vector<Label> out;
  for (const auto& [name, value] : series)
    if (std::binary_search(kSourceLabels.begin(), kSourceLabels.end(), name)) out.emplace_back(name, value);
  return Labels{std::move(out)};
}

Sources::Index Sources::find_or_add(const Labels& series) {
  const auto labels = labels_of(series);
  const auto process = labels.hash();
  const auto [at, fresh] =
      index_.try_emplace(labels.with(kNameLabel, series.name()).hash(), static_cast<Index>(sources_.size()));
  if (fresh) sources_.push_back({.first_seen = {}, .last_seen = {}, .process = process});
  return at->second;
}

void Sources::seen(Index index, Time at) {
  auto& source = sources_[index];
  source.first_seen = source.was_seen ? std::min(source.first_seen, at) : at;
  source.last_seen = source.was_seen ? std::max(source.last_seen, at) : at;
  source.was_seen = true;
}

bool Sources::start_is_known(Index index, Time first, std::optional<Time> started) const {
  if (started && *started <= first && first - *started <= kFreshProcess) return true;
  const auto& source = sources_[index];
  return source.was_seen && source.first_seen + kEarlierRound <= first && source.last_seen + kAway >= first;
}

}  // namespace ward::collector::slo
