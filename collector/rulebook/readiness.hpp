#pragma once
#include <map>
#include <string>
#include <vector>

#include "collector/rulebook/decision_tree.hpp"

namespace ward::collector {

/// Something that the recovery of a service rests on: a standby that follows, a backup that is young, a restore that was
/// proven.
struct ReadinessCheck {
  std::string what;   ///< in a person's words
  std::string check;  ///< PromQL that holds while it is so
  friend bool operator==(const ReadinessCheck&, const ReadinessCheck&) = default;
};
using Readiness = std::vector<ReadinessCheck>;

/// Reads `SERVICE: {WHAT: PROMQL}`. Problems: a check that does not parse, a service without any.
Readiness read_readiness(const std::string& service, config::Section& section, const TreeChecks& checks);

/// For a page: `1 of 3 hold. Not: a backup of the last day. No data: a proven restore`.
std::string in_words(const Readiness& readiness, const Ask& ask);

}  // namespace ward::collector
