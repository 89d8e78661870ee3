#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collector/routing/routing_table.hpp"
#include "common/config/node.hpp"

namespace ward::collector {

/// What an Operations document may name; nullopt: checked elsewhere.
struct OperationsNames {
  std::optional<std::set<std::string>> receivers;
  std::optional<std::set<std::string>> services;
};

/// Adds what routing has of an Operations document (its `spec`) to `into`: `owners`, `fallback_receiver`, `escalations`,
/// `class_escalations`, `acknowledge_within`, `repeat`, `schedules`, `inhibit_rules`, `time_intervals`, `route` and
/// `maintenance`. An owner that is there already is replaced; an escalation, a schedule or an interval of another document
/// is not. Problems stand at their place. Returns warnings: schedules with gaps, keys of `route` without effect. The caller
/// reads what else the document has, and closes the section.
std::vector<config::Problem> read_operations(config::Section& spec, const OperationsNames& names, RoutingTable& into);

}  // namespace ward::collector
