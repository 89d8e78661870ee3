#pragma once
#include <string>
#include <vector>

#include "collector/slo/budget.hpp"

namespace ward::collector::review {

/// A stretch in which a service level was worse than promised.
struct BadStretch {
  slo::Minute from;
  slo::Minute to;    ///< excluded
  double worth = 0;  ///< share of the error budget that the whole reviewed time has
  friend bool operator==(const BadStretch&, const BadStretch&) = default;
};

/// What one ledger says of the reviewed time.
struct SloTime {
  std::string slo;
  std::string service;
  Labels group;
  std::vector<BadStretch> bad;  ///< oldest first
  friend bool operator==(const SloTime&, const SloTime&) = default;
};

/// Minutes that were worse than the target; those with at most `gap` between them are one stretch. Minutes of which nothing
/// is known, or that maintenance excludes, are neither good nor bad, unless the SLO's no-data policy says so; before the
/// first minute with anything there was no SLO.
SloTime bad_time(const slo::LedgerMinutes& ledger, slo::minutes gap = slo::minutes{5});

}  // namespace ward::collector::review
