#pragma once
#include <optional>
#include <string>
#include <vector>

#include "collector/rehearsal/backtest.hpp"
#include "collector/rulebook/rulebook.hpp"

namespace ward::cli {

/// A change of one rule that a review proposes.
struct RuleChange {
  std::string rule;
  bool remove = false;
  std::optional<milliseconds> hold;  ///< another `for`
};

/// What it would have made of the past.
struct TriedChange {
  std::string rule;
  std::size_t pages_before = 0;
  std::size_t pages_after = 0;
  std::size_t incidents_before = 0;
  std::size_t incidents_after = 0;
  std::size_t gone = 0;  ///< incidents that were there before, and are not with the change
  std::size_t fresh = 0;
  friend bool operator==(const TriedChange&, const TriedChange&) = default;
};

struct TrialSetting {
  std::vector<std::string> patterns;  ///< of rule files
  collector::RulebookOptions options;
  std::string external_url;
  collector::BacktestOptions time;
};

/// Plays the samples once with the rules as they are and once for each change. A change of a rule that is not there is left
/// out. Errors: invalid rules, nobody to be told; what reading samples says.
Result<std::vector<TriedChange>> try_changes(const TrialSetting& setting, const std::vector<RuleChange>& changes,
                                             collector::SampleSource& samples);

}  // namespace ward::cli
