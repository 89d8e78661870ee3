#pragma once
#include "collector/alerting/expression.hpp"
#include "collector/rulebook/decision_tree.hpp"

namespace ward::collector {

/// Answers the checks of a decision tree for one incident, at one moment: only series of its tenant and cluster count, and
/// those that belong to none. A check that fails counts as not known. The compiler must outlive it.
Ask ask_store(const ExpressionCompiler& compiler, Labels scope, Time at);

}  // namespace ward::collector
