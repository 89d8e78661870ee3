#include "collector/rehearsal/slo_stage.hpp"

#include <algorithm>
#include <utility>

#include "common/base/assert.hpp"

namespace ward::collector {
namespace {

/// While it seeds: often enough for maintenance, which is marked up to a day back.
constexpr milliseconds kSeedStep = std::chrono::hours{1};

slo::Maintenance maintenance_of(std::shared_ptr<const Rulebook> book) {
  if (!book) return {};
  return [book = std::move(book)](const std::string& service, const Labels&, Time at) {
    return is_excluded(*book, service, at);
  };
}

}  // namespace

SloStage::SloStage(Sandbox& sandbox, Setting setting, Time since)
    : sandbox_(sandbox),
      setting_(std::move(setting)),
      reads_(RuleSet{}, setting_.slos),
      engine_({.query = slo::make_sli_query(sandbox.promql(), sandbox.store()),
               .maintenance = maintenance_of(setting_.book),
               .options = {.max_ahead = 2 * kSeedStep}}),  // samples come in their time here
      next_tick_(since) {
  const auto loaded = engine_.reload(setting_.slos, since);
  WARD_ASSERT(loaded.has_value());  // only a store can refuse, and there is none
}

void SloStage::arrive(const Labels& series, std::span<const Sample> samples) {
  if (samples.empty()) return;
  const auto [at, fresh] = ids_.emplace(series.hash(), std::nullopt);
  if (fresh && reads_.counts(series)) {
    at->second = next_id_++;
    engine_.define(*at->second, series);
  }
  if (!at->second) return;
  sorted_ = sorted_ && (next_ == waiting_.size() || waiting_.back().t <= samples.front().t);
  for (const auto& sample : samples) waiting_.push_back({*at->second, sample.t, sample.v});
}

void SloStage::write(Time at, std::span<const SeriesValue> series) {
  for (const auto& [labels, value] : series) {
    const Sample sample{at, value};
    arrive(labels, {&sample, 1});
  }
  sandbox_.store().write(at, series);
}

void SloStage::count_until(Time now) {
  const auto first = waiting_.begin() + static_cast<std::ptrdiff_t>(next_);
  if (!sorted_) std::stable_sort(first, waiting_.end(), [](const auto& a, const auto& b) { return a.t < b.t; });
  sorted_ = true;
  const auto end =
      std::upper_bound(first, waiting_.end(), now, [](Time t, const wire::IdSample& sample) { return t < sample.t; });
  engine_.append(std::span(waiting_).subspan(next_, static_cast<std::size_t>(end - first)));
  next_ = static_cast<std::size_t>(end - waiting_.begin());
  if (next_ * 2 < waiting_.size()) return;
  waiting_.erase(waiting_.begin(), end);
  next_ = 0;
}

void SloStage::seed(Time until) {
  while (next_tick_ < until) {
    next_tick_ = std::min(until, next_tick_ + kSeedStep);
    const auto now = next_tick_ - milliseconds{1};
    count_until(now);
    engine_.tick(now);
  }
  seeded_ = engine_.alerts();
}

std::vector<AlertEvent> SloStage::tick(Time now) {
  if (now < next_tick_) return {};
  while (next_tick_ <= now) next_tick_ += setting_.tick;
  count_until(now);
  auto judged = engine_.tick(now);
  store(now, judged.series);
  auto events = std::exchange(seeded_, {});
  events.insert(events.end(), std::make_move_iterator(judged.alerts.begin()), std::make_move_iterator(judged.alerts.end()));
  note(events);
  return events;
}

void SloStage::store(Time now, std::span<const SeriesValue> series) {
  if (!setting_.writes) return write(now, series);
  std::vector<SeriesValue> worth;
  std::copy_if(series.begin(), series.end(), std::back_inserter(worth),
               [&](const SeriesValue& one) { return setting_.writes(one.series); });
  if (!worth.empty()) write(now, worth);
}

void SloStage::note(const std::vector<AlertEvent>& events) {
  for (const auto& event : events) {
    const auto name = event.labels.get("slo");
    if (event.phase != AlertPhase::firing || event.labels.get("alertname") != name) continue;
    const auto cls = class_of(event.labels);
    const auto at = burned_.emplace(name, cls).first;
    at->second = std::max(at->second, cls);
  }
}

}  // namespace ward::collector
