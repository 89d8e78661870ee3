#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "collector/event/alert.hpp"
#include "collector/incident/engine.hpp"
#include "collector/routing/operations.hpp"
#include "collector/rulebook/decision_tree.hpp"
#include "collector/rulebook/readiness.hpp"
#include "common/config/node.hpp"

namespace ward::collector {

/// What one tenant has otherwise, of the alerts of one name.
struct AlertOverride {
  std::string tenant;
  std::string alert;
  bool enabled = true;
  std::optional<double> threshold;  ///< instead of the number its expression is compared with
  std::optional<milliseconds> hold;
  std::optional<AlertClass> cls;
  std::string receiver;    ///< who hears of it instead; "" = as for others
  std::string escalation;  ///< likewise
  config::Position at;
};

/// Who hears of one tenant's incidents of an owner instead.
struct OwnerOverride {
  std::string tenant;
  std::string owner;
  std::string receiver;
  config::Position at;
};

/// The target of one SLO for one tenant.
struct SloOverride {
  std::string tenant;
  std::string slo;
  double target = 0;
  config::Position at;
};

/// An Operations document: how people are to act on what rules find.
struct Operations {
  std::map<std::string, DecisionTree, std::less<>> trees;
  std::map<std::string, config::Position, std::less<>> tree_places;
  std::map<std::string, Readiness, std::less<>> readiness;  ///< by service
  std::map<std::string, config::Position, std::less<>> readiness_places;
  std::vector<AlertOverride> overrides;
  std::vector<OwnerOverride> owner_overrides;
  std::vector<SloOverride> slo_overrides;
  std::optional<EngineOptions> correlation;
  config::Position correlation_at;
  std::vector<config::Problem> warnings;
};

/// Reads a whole document (kind, apiVersion, spec). What routing has of it is added to `routing`. Problems go to the
/// section's list.
Operations read_operations_document(config::Section& document, const TreeChecks& checks, const OperationsNames& names,
                                    RoutingTable& routing);

}  // namespace ward::collector
