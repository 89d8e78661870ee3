#pragma once
#include <span>
#include <string>
#include <vector>

#include "collector/event/incident.hpp"
#include "collector/routing/matcher.hpp"
#include "common/config/node.hpp"

namespace ward::collector {

/// While a source incident is open, matching target incidents are not told, if both agree on the labels in `equal`
/// (Alertmanager's inhibit_rules, on the labels of the roots). Absent labels agree.
struct InhibitRule {
  std::vector<LabelCondition> source;
  std::vector<LabelCondition> target;
  std::vector<std::string> equal;
};

/// The open incident that stands over `target`; null when none does. As with Alertmanager, a target that is a source of the
/// rule too is not held by another that is both. Of two that hold each other the older one is told: Alertmanager tells
/// neither.
const Incident* inhibitor(const std::vector<InhibitRule>& rules, const Incident& target, std::span<const Incident> open);

/// Reads `inhibit_rules: [{name, source_matchers, target_matchers, equal}]`, and Alertmanager's older `source_match`,
/// `source_match_re`, `target_match` and `target_match_re`.
std::vector<InhibitRule> read_inhibit_rules(config::Section& section);

}  // namespace ward::collector
