#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace ward::promql {

/// The q-quantile with linear interpolation between ranks; NaN sorts first. Outside of [0, 1] it is -Inf or +Inf.
inline double quantile(double q, std::vector<double> values) {
  if (values.empty() || std::isnan(q)) return std::numeric_limits<double>::quiet_NaN();
  if (q < 0) return -std::numeric_limits<double>::infinity();
  if (q > 1) return std::numeric_limits<double>::infinity();
  std::sort(values.begin(), values.end(), [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; });
  const double rank = q * static_cast<double>(values.size() - 1);
  const auto lower = static_cast<std::size_t>(std::max(0.0, std::floor(rank)));
  const auto upper = std::min(values.size() - 1, lower + 1);
  const double weight = rank - std::floor(rank);
  return values[lower] * (1 - weight) + values[upper] * weight;
}

}  // namespace ward::promql
