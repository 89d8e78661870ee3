#include "probes/data/reading_set.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "probes/data/label_guard.hpp"

namespace ward::probes::data {
namespace {

/// Identifiers the server makes itself: numbers or digests, never a person. `le` and `quantile` are ours.
constexpr std::array<std::string_view, 5> kExempt{"datid", "queryid", "run_id", "le", "quantile"};

bool exempt(std::string_view label) { return std::ranges::find(kExempt, label) != kExempt.end(); }

}  // namespace

Labels ReadingSet::filtered(const Labels& labels) {
  Labels safe = labels;
  for (const auto& [name, value] : labels) {
    if (exempt(name)) continue;
    auto kept = guarded(value);
    if (kept == value) continue;
    if (kept == kRedacted) ++drops_->redacted;
    safe.set(name, kept);
  }
  return safe;
}

void ReadingSet::add(std::string_view metric, Labels labels, double value, Twice twice) {
  auto safe = filtered(labels);
  auto series = safe.with(kNameLabel, metric);
  if (const auto known = index_.find(series); known != index_.end()) {
    auto& held = readings_[known->second].value;
    switch (twice) {
      case Twice::drop: count_drop("duplicate"); break;
      case Twice::sum: held += value; break;
      case Twice::max: held = std::max(held, value); break;
    }
    return;
  }
  if (readings_.size() >= caps_.per_target) return count_drop("target_cap");
  auto& of_metric = per_metric_[std::string(metric)];
  if (of_metric >= caps_.per_metric) return count_drop("metric_cap");
  ++of_metric;
  index_.emplace(std::move(series), readings_.size());
  readings_.push_back({std::string(metric), std::move(safe), value});
}

void ReadingSet::count_drop(std::string_view reason, std::uint64_t count) { drops_->dropped[std::string(reason)] += count; }

Readings ReadingSet::take() {
  auto out = std::exchange(readings_, {});
  per_metric_.clear();
  index_.clear();
  for (const auto& [reason, count] : drops_->dropped)
    out.push_back({"ward_series_dropped_total", {{"reason", reason}}, static_cast<double>(count)});
  if (drops_->redacted > 0) out.push_back({"ward_label_values_redacted_total", {}, static_cast<double>(drops_->redacted)});
  return out;
}

}  // namespace ward::probes::data
