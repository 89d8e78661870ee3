#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "collector/alerting/rule_file.hpp"
#include "collector/incident/engine.hpp"
#include "collector/incident/service_map.hpp"
#include "collector/routing/routing_table.hpp"
#include "collector/rulebook/decision_tree.hpp"
#include "collector/rulebook/readiness.hpp"
#include "collector/slo/slo.hpp"

namespace ward::collector {

/// Everything that rule files say, joined and checked against itself: one immutable version, which one evaluation sees
/// whole.
struct Rulebook {
  std::shared_ptr<const RuleSet> rules;  ///< with the tenants' exceptions
  ServiceMap services;
  std::map<std::string, DecisionTree, std::less<>> trees;
  std::map<std::string, Readiness, std::less<>> readiness;  ///< by service: what its recovery rests on
  EngineOptions correlation;
  RoutingTable routing;
  slo::SloSet slos;  ///< with the tenants' targets
};

/// Whether planned maintenance takes this time of the service out of its SLOs: what the SLO engine asks.
[[nodiscard]] bool is_excluded(const Rulebook& book, const std::string& service, Time at);

/// What collector.yaml says of the same things; its words count before those of documents.
struct RulebookOptions {
  RuleOptions rules;
  ServiceMapPart services;
  EngineOptions correlation;
  RoutingTable routing;
  std::optional<std::set<std::string>> receivers;  ///< that may be named; nullopt: not known here, and not checked
};

/// Result of a load. `book` is null when there are errors; warnings never keep one from loading.
struct RulebookLoad {
  std::shared_ptr<const Rulebook> book;
  std::vector<RuleProblem> errors;
  std::vector<RuleProblem> warnings;
  RuleCoverage coverage = RuleCoverage::whole;
  std::vector<RuleText> texts;  ///< as they were read from the disk
  [[nodiscard]] Error to_error() const;  ///< Errc::invalid, one line per error
};

/// Reads rule files with all their documents: groups of rules, then ServiceMap, Operations, OpenSLO's and BurnPolicy, Pack,
/// Test. Unknown kinds are
/// errors. Rules of class urgent and executive must name what exists: service, owner, decision tree; of lesser ones that is
/// a warning. Reports every problem at once.
RulebookLoad load_rulebook(std::span<const std::string> patterns, const ExpressionCompiler& compiler,
                           const RulebookOptions& options);
/// The same for files in memory.
RulebookLoad parse_rulebook(std::span<const RuleText> files, const ExpressionCompiler& compiler,
                            const RulebookOptions& options, const ReadFile& read);

}  // namespace ward::collector
