#pragma once
#include <string>

#include "collector/promql/ast.hpp"
#include "collector/promql/season.hpp"

namespace ward::promql {

/// ward_baseline() or ward_baseline_mad(): Ward's own functions, which Prometheus does not have.
[[nodiscard]] bool is_baseline(const Call& call);
/// The options of such a call. Errors: invalid, not_found for a time zone.
Result<Season> season_of(const Call& call);

}  // namespace ward::promql
