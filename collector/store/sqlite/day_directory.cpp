#include "collector/store/sqlite/day_directory.hpp"

#include <algorithm>

namespace ward::collector {

DayDirectory::DayDirectory(std::span<const DayFile::Entry> entries) {
  places_.reserve(entries.size());
  for (const auto& [block, batch] : entries) {
    // Attempts that were settled late may overlap under one number: then it is another run.
    const bool goes_on = !runs_.empty() && runs_.back().tenant == block.tenant && runs_.back().batch == batch &&
                         places_.back().last <= block.first;
    if (!goes_on) runs_.push_back({block.tenant, batch, places_.size(), places_.size()});
    places_.push_back({block.id, block.first, block.last, block.t_min, block.t_max});
    runs_.back().end = places_.size();
  }
}

void DayDirectory::find(std::string_view tenant, SeriesRef first, SeriesRef last, Time from, Time to,
                        const std::function<void(const DayBlock&)>& take) const {
  for (const auto& run : runs_) {
    if (run.tenant != tenant) continue;
    const auto begin = places_.begin() + static_cast<std::ptrdiff_t>(run.begin);
    const auto end = places_.begin() + static_cast<std::ptrdiff_t>(run.end);
    auto at = std::lower_bound(begin, end, first, [](const Place& place, SeriesRef ref) { return place.last < ref; });
    for (; at != end && at->first <= last; ++at) {
      if (at->t_max < from || at->t_min > to) continue;
      take(block(run, *at));
    }
  }
}

bool DayDirectory::has_tenant(const std::function<bool(const std::string&)>& which) const {
  return std::any_of(runs_.begin(), runs_.end(), [&](const Run& run) { return which(run.tenant); });
}

void DayDirectory::each_from_newest(const std::function<void(const DayBlock&)>& take) const {
  std::vector<const Run*> order;
  for (const auto& run : runs_) order.push_back(&run);
  std::stable_sort(order.begin(), order.end(), [](const Run* a, const Run* b) { return a->batch > b->batch; });
  for (const auto* run : order)
    for (auto at = run->begin; at < run->end; ++at) take(block(*run, places_[at]));
}

DayBlock DayDirectory::block(const Run& run, const Place& place) {
  DayBlock out;
  out.id = place.id;
  out.tenant = run.tenant;
  out.first = place.first;
  out.last = place.last;
  out.t_min = place.t_min;
  out.t_max = place.t_max;
  return out;
}

}  // namespace ward::collector
