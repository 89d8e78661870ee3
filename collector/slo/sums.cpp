#include "collector/slo/sums.hpp"

#include <algorithm>

namespace ward::collector::slo {

Counting counting_of(const SloSpec& slo) {
  if (slo.budgeting == Budgeting::occurrences) return {};
  return {slo.budgeting, slo.slice.count(), slo.slice_target};
}

Sums Counting::count(std::span<const Cell> cells) const {
  Sums out;
  Sums events;
  for (const auto& cell : cells) {
    if ((cell.flags & Cell::kExcluded) != 0) {
      ++out.excluded;
      continue;
    }
    events.bad += cell.bad;
    events.total += cell.total;
    if (cell.total > 0)
      ++events.known;
    else if ((cell.flags & Cell::kDown) != 0 && (cell.flags & Cell::kUp) == 0)
      ++events.down;
  }
  if (budgeting == Budgeting::occurrences) return events + out;
  // A slice counts as a whole: all of its minutes that are not excluded, so that each slice weighs the same.
  const auto length = static_cast<std::int32_t>(cells.size()) - out.excluded;
  if (events.total <= 0) {
    if (events.down > 0) out.down = length;
    return out;
  }
  const auto told = static_cast<double>(events.known + events.down);
  const auto of_events = std::clamp(static_cast<double>(events.bad) / static_cast<double>(events.total), 0.0, 1.0);
  const auto bad = (of_events * static_cast<double>(events.known) + static_cast<double>(events.down)) / told;
  out.known = length;
  out.total = kOne * length;
  if (budgeting == Budgeting::ratio_timeslices)
    out.bad = std::llround(bad * static_cast<double>(out.total));
  else
    out.bad = 1 - bad < slice_target ? out.total : 0;
  return out;
}

}  // namespace ward::collector::slo
