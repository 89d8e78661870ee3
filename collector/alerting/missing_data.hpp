#pragma once
#include <vector>

#include "collector/tsdb/queryable.hpp"
#include "common/base/time.hpp"
#include "common/model/labels.hpp"

namespace ward::collector {

/// Whether the series of a selector that agree with `instance` have stopped coming without having ended: the last sample of
/// each is older than `lookback` or a stale marker, and at least one's, no stale marker, is younger than `within`. A store
/// that cannot be read says no.
bool is_silent(const Queryable& store, std::vector<Matcher> selector, const Labels& instance, Time at, milliseconds lookback,
               milliseconds within);

}  // namespace ward::collector
