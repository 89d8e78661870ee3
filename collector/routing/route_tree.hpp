#pragma once
#include <optional>
#include <string>
#include <vector>

#include "collector/routing/matcher.hpp"
#include "collector/routing/targets.hpp"
#include "collector/routing/time_interval.hpp"
#include "common/config/node.hpp"

namespace ward::collector {

/// A node of Alertmanager's `route`, with what it has of its parents.
struct RouteNode {
  std::string receiver;
  std::vector<LabelCondition> matchers;
  bool continues = false;  ///< the brothers after it are asked too
  ActiveTimes times;       ///< of this node alone: Alertmanager inherits none
  milliseconds repeat{0};  ///< 0 = never
  std::vector<RouteNode> routes;
};

/// The nodes that hear of these labels, in order: the deepest that match, `root` itself when no child does.
std::vector<const RouteNode*> matching_routes(const RouteNode& root, const Labels& labels);
/// Every receiver that the tree names, each once.
std::vector<std::string> receivers_of(const RouteNode& root);

/// A reading: the tree, and what it asks for that Ward does otherwise.
struct RouteReading {
  std::optional<RouteNode> root;  ///< empty when there is no `route`
  std::vector<config::Problem> warnings;
};
/// Reads `route` with `receiver`, `matchers`, `match`, `match_re`, `continue`, the names of time intervals,
/// `repeat_interval` and `routes`. `group_by`, `group_wait` and `group_interval` are understood and left: an incident is
/// one page already.
RouteReading read_route(config::Section& section, const NamedIntervals& intervals, const Targets& targets);

}  // namespace ward::collector
