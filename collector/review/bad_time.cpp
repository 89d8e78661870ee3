#include "collector/review/bad_time.hpp"

#include <algorithm>
#include <optional>

namespace ward::collector::review {
namespace {

using slo::Cell;
using slo::NoData;
using slo::Sums;

/// One slice as it counts: how many minutes of it are bad, of how many.
struct Judged {
  double bad = 0;
  double of = 0;
};

std::optional<Judged> judged(const Sums& sums, std::int64_t length, NoData policy) {
  const auto counted = static_cast<double>(length - sums.excluded);
  if (counted <= 0) return std::nullopt;
  if (sums.total > 0) {
    const auto ratio = std::clamp(static_cast<double>(sums.bad) / static_cast<double>(sums.total), 0.0, 1.0);
    return Judged{.bad = ratio * counted, .of = counted};
  }
  if (sums.down > 0) return Judged{.bad = counted, .of = counted};
  switch (policy) {
    case NoData::unknown: return std::nullopt;
    case NoData::bad: return Judged{.bad = counted, .of = counted};
    case NoData::good: return Judged{.bad = 0, .of = counted};
  }
  return std::nullopt;
}

/// Events of a mean minute, so that a busy minute costs more of the budget than a quiet one.
double usual_events(const slo::LedgerMinutes& ledger) {
  double events = 0;
  std::size_t known = 0;
  for (const auto& cell : ledger.cells) {
    if (cell.total <= 0 || (cell.flags & Cell::kExcluded) != 0) continue;
    events += slo::to_events(cell.total);
    ++known;
  }
  return known == 0 ? 0 : events / static_cast<double>(known);
}

}  // namespace

SloTime bad_time(const slo::LedgerMinutes& ledger, slo::minutes gap) {
  SloTime out{.slo = ledger.slo, .service = ledger.service, .group = ledger.group, .bad = {}};
  const auto& cells = ledger.cells;
  const auto born = std::find_if(cells.begin(), cells.end(), [](const Cell& c) { return !c.empty(); });
  const auto slice = static_cast<std::size_t>(std::max<std::int64_t>(1, ledger.counting.slice));
  const auto usual = usual_events(ledger);
  const auto tolerated = 1 - ledger.target;
  const auto budget = tolerated * static_cast<double>(cells.size());
  auto at = static_cast<std::size_t>(born - cells.begin()) / slice * slice;
  for (; at + slice <= cells.size() && budget > 0; at += slice) {
    const std::span<const Cell> part{cells.data() + at, slice};
    const auto sums = ledger.counting.count(part);
    const auto one = judged(sums, static_cast<std::int64_t>(slice), ledger.no_data);
    if (!one || one->bad <= tolerated * one->of) continue;
    // Of events by how many there were; of time by how long it was.
    const bool by_events = ledger.counting.budgeting == slo::Budgeting::occurrences && sums.total > 0 && usual > 0;
    const auto cost = by_events ? slo::to_events(std::clamp<slo::Amount>(sums.bad, 0, sums.total)) / usual : one->bad;
    const auto from = ledger.range.from + slo::minutes{static_cast<std::int64_t>(at)};
    const auto to = from + slo::minutes{static_cast<std::int64_t>(slice)};
    if (out.bad.empty() || from - out.bad.back().to > gap) out.bad.push_back({.from = from, .to = to, .worth = 0});
    out.bad.back().to = to;
    out.bad.back().worth += cost / budget;
  }
  return out;
}

}  // namespace ward::collector::review
