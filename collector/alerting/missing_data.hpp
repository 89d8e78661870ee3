#pragma once
#include <vector>

#include "collector/tsdb/queryable.hpp"
#include "common/base/time.hpp"
#include "common/model/labels.hpp"

namespace ward::collector {

/// What counts as being heard of: so many samples in the time before, the last of them no stale marker.
struct Heard {
  milliseconds within;
  std::size_t samples = 1;
};

/// Whether the series of a selector that agree with `instance` have stopped coming without having ended: none is heard of,
/// none has ended since, and at least one's last sample is younger than `keep`. A store that cannot be read says no.
bool is_silent(const Queryable& store, std::vector<Matcher> selector, const Labels& instance, Time at, Heard heard,
               milliseconds keep);

}  // namespace ward::collector
