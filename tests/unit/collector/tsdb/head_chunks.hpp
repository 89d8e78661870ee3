#pragma once
#include <vector>

#include "collector/tsdb/head.hpp"

namespace ward::collector {

/// What an archive does: takes all chunks that are not kept yet. `kept`: it succeeds.
inline std::vector<SealedChunk> file_chunks(Head& head, bool kept = true) {
  std::vector<SealedChunk> out;
  const auto series = head.close();
  for (const auto ref : series)
    head.take_unkept(ref, [&](const StoredChunk& c) {
      out.push_back({ref, c.t_min, c.t_max, c.count, {c.bytes().begin(), c.bytes().end()}});
    });
  head.settle(series, kept);
  return out;
}

/// Retention where nothing is on disk: what is older goes, and series without samples.
inline std::vector<SeriesRef> drop_before(Head& head, Time t) {
  head.release(t, t);
  return head.forget([](const std::string&, std::optional<Day>) { return true; });
}

}  // namespace ward::collector
