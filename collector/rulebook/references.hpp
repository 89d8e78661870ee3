#pragma once
#include <vector>

#include "collector/rulebook/rulebook.hpp"

namespace ward::collector {

/// What alert rules name and the book does not have. From class urgent on, it is an error when a rule has no owner (its own
/// or its service's) or no decision tree, when nobody but its owner's receiver would hear of it, and whatever unknown it
/// names; of lesser rules that is a warning.
void check_references(const Rulebook& book, std::vector<RuleProblem>& errors, std::vector<RuleProblem>& warnings);

}  // namespace ward::collector
