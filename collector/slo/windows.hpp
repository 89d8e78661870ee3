#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "collector/slo/ledger.hpp"
#include "collector/slo/slo.hpp"

namespace ward::collector::slo {

/// The windows of one SLO, each with an edge of its ledgers: what its alerts compare, what composites above it need, and the
/// period of the budget. Edge 0 is the end that all share.
struct WindowPlan {
  std::vector<minutes> lengths;  ///< rising, each once
  std::size_t period = 0;        ///< index of the budget's period; of a calendar one the edge lengths.size() + 1

  [[nodiscard]] std::size_t edges() const { return lengths.size() + 2; }
  [[nodiscard]] std::size_t index_of(minutes length) const;  ///< lengths.size() when it is not one
  [[nodiscard]] minutes longest() const;                     ///< nominal, the period's included
  friend bool operator==(const WindowPlan&, const WindowPlan&) = default;
};
/// `above`: windows that composites over this SLO need.
WindowPlan plan_windows(const SloSpec& slo, const std::vector<minutes>& above = {});

/// What one window says.
struct WindowState {
  Sums sums;
  std::int64_t length = 0;  ///< minutes of the window
  /// Nothing when there is nothing to judge by: never NaN. 0..1.
  std::optional<double> bad_ratio;
  double coverage = 0;  ///< share of the minutes, the excluded ones apart, of which something is known
};

/// `born`: minutes before were before the SLO had anything to count: they are no missing data. `grace`: of the unknown
/// minutes those that are so young that their samples may be on their way.
struct Missing {
  std::int64_t unborn = 0;
  std::int64_t grace = 0;
};
WindowState judge(const Sums& sums, std::int64_t length, NoData policy, Missing missing);

/// Parts of a path, each with its weight. all: it works when every part works, taken as independent of each other. A part
/// of which nothing is known is left out and lowers the coverage.
struct PartState {
  WindowState state;
  double weight = 1;
};
WindowState combine(const std::vector<PartState>& parts, Composition composition);

/// Times the rate that spends the budget in exactly one period.
[[nodiscard]] inline double burn_rate(double bad_ratio, double target) { return bad_ratio / (1 - target); }

}  // namespace ward::collector::slo
