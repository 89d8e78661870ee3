#pragma once
#include <cmath>

#include "collector/promql/function/call_frame.hpp"

namespace ward::promql {

/// Says so when a quantile asked for is none; the result is then an infinity or NaN.
inline void warn_of_quantiles(CallFrame& frame, std::size_t argument, const StepScalar& quantiles) {
  for (const double q : quantiles)
    if (std::isnan(q) || q < 0 || q > 1)
      frame.warn(argument, "quantile value should be between 0 and 1, got " + go_number(q));
}

}  // namespace ward::promql
