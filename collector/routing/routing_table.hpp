#pragma once
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collector/event/alert.hpp"
#include "collector/routing/escalation.hpp"
#include "collector/routing/inhibition.hpp"
#include "collector/routing/maintenance.hpp"
#include "collector/routing/route_tree.hpp"
#include "collector/routing/schedule.hpp"
#include "common/config/node.hpp"

namespace ward::collector {

struct OwnerRoute {
  std::string receiver;  ///< or an on-call schedule
  std::string fallback;  ///< another owner, who takes what this one's receiver refuses or nobody acknowledges; "" = none
  friend bool operator==(const OwnerRoute&, const OwnerRoute&) = default;
};

/// Who hears of one tenant's incidents instead.
struct TenantRoutes {
  struct Alert {
    std::string receiver;    ///< or schedule; "" = as for others
    std::string escalation;  ///< "" = as for others
    friend bool operator==(const Alert&, const Alert&) = default;
  };
  std::map<std::string, std::string, std::less<>> owners;  ///< owner -> receiver or schedule
  std::map<std::string, Alert, std::less<>> alerts;        ///< by the root's alertname
  friend bool operator==(const TenantRoutes&, const TenantRoutes&) = default;
};

/// Who hears of what.
struct RoutingTable {
  std::map<std::string, OwnerRoute, std::less<>> owners;
  std::string fallback_receiver;  ///< for an owner the table does not name
  std::vector<InhibitRule> inhibit_rules;
  Escalations escalations;
  std::map<AlertClass, std::string> class_escalations;  ///< for an incident whose class has risen above its root's
  Schedules schedules;
  std::optional<RouteNode> route;  ///< instead of the owners' receivers
  std::map<std::string, TenantRoutes, std::less<>> tenants;
  std::vector<Maintenance> maintenance;
  NamedIntervals intervals;
  milliseconds acknowledge_within{std::chrono::minutes{5}};  ///< then the fallback owner hears of a page; 0 = never
  milliseconds repeat{0};                                    ///< of plans that do not say; 0 = never
  /// What fires so long after somebody took it on is told to those who know of it, once and waking nobody; 0 = never.
  milliseconds remind_after{std::chrono::minutes{30}};

  /// What a tenant has otherwise for the incident's owner and root, with "" where it has nothing; `tenant` may be "".
  [[nodiscard]] TenantRoutes::Alert exception(std::string_view tenant, std::string_view owner, std::string_view alert) const;
  /// Receiver -> the receiver that takes over when it refuses for good; what the outbox needs.
  [[nodiscard]] std::map<std::string, std::string> fallbacks() const;
  /// All that may be told, each once, by name.
  [[nodiscard]] std::set<std::string> receivers() const;
};

/// Whether anybody would be told of anything.
[[nodiscard]] bool has_receivers(const RoutingTable& table);

/// Reads `owners: {database: {receiver, fallback}}`, `fallback_receiver` (default: the receiver of owner platform) and
/// `inhibit_rules: [{source_matchers, target_matchers, equal}]`. An unknown fallback owner is a problem, and so is a table
/// without any fallback receiver. The caller closes the section.
RoutingTable read_routing_table(config::Section& section);

}  // namespace ward::collector
