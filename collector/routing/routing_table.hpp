#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "collector/routing/matcher.hpp"
#include "common/config/node.hpp"

namespace ward::collector {

/// While a source incident is open, matching target incidents are not told, if both agree on the labels in `equal`
/// (Alertmanager's inhibit_rules, on the labels of the roots).
struct InhibitRule {
  std::vector<LabelCondition> source;
  std::vector<LabelCondition> target;
  std::vector<std::string> equal;
};

struct OwnerRoute {
  std::string receiver;
  std::string fallback;  ///< another owner, whose receiver takes what this one's refuses; "" = none
  friend bool operator==(const OwnerRoute&, const OwnerRoute&) = default;
};

/// Who hears of what.
struct RoutingTable {
  std::map<std::string, OwnerRoute, std::less<>> owners;
  std::string fallback_receiver;  ///< for an owner the table does not name
  std::vector<InhibitRule> inhibit_rules;

  /// Receiver -> the receiver that takes over when it refuses for good; what the outbox needs.
  [[nodiscard]] std::map<std::string, std::string> fallbacks() const;
};

/// Reads `owners: {database: {receiver, fallback}}`, `fallback_receiver` (default: the receiver of owner platform) and
/// `inhibit_rules: [{source_matchers, target_matchers, equal}]`. An unknown fallback owner is a problem, and so is a table
/// without any fallback receiver. The caller closes the section.
RoutingTable read_routing_table(config::Section& section);

}  // namespace ward::collector
