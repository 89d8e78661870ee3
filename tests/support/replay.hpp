#pragma once
#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "collector/ingest/journal.hpp"

namespace ward::test {

/// Everything a journal has, read in small parts.
struct Replayed {
  std::uint64_t damaged = 0;
  std::uint64_t damaged_series = 0;
  std::optional<collector::SeriesId> highest;  ///< of the records
  std::optional<collector::SeriesId> written;  ///< of all series ever
};
inline Result<Replayed> replay(collector::Journal& journal, const collector::Journal::KnownSeries& series,
                               const std::function<void(std::vector<wire::IdSample>)>& samples) {
  const auto damaged = journal.replay_series(series);
  if (!damaged) return fail(damaged.error());
  Replayed out{damaged->damaged, damaged->damaged, {}, damaged->highest};
  for (collector::Journal::ReplayedRecords part; !part.end;) {
    auto next = journal.replay_records(part.last, 3, samples);
    if (!next) return fail(next.error());
    part = *next;
    out.damaged += part.damaged;
    if (part.highest) out.highest = std::max(out.highest.value_or(0), *part.highest);
  }
  return out;
}

}  // namespace ward::test
