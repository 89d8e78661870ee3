#pragma once
#include <vector>

#include "collector/alerting/expression.hpp"
#include "collector/event/incident.hpp"
#include "collector/rulebook/rulebook.hpp"
#include "common/base/world.hpp"

namespace ward::collector {

/// What a page is to be told beside its incident: where the decision tree of its cause leads, and how ready the service is
/// to be recovered.
struct Advice {
  Notice* notice = nullptr;
  const DecisionTree* tree = nullptr;    ///< null: none
  const Readiness* readiness = nullptr;  ///< null: none
};

/// For each page that has a tree or readiness checks. `notices` and `book` must outlive the result.
std::vector<Advice> advice_for(std::vector<Notice>& notices, const Rulebook& book);

/// Writes the answers into the notices. Pages wait for this: what is not answered soon is left to whoever is woken. Blocks.
void give(const std::vector<Advice>& advice, const ExpressionCompiler& compiler, const Clock& clock, Time now);

}  // namespace ward::collector
