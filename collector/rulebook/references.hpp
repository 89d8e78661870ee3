#pragma once
#include <vector>

#include "collector/rulebook/rulebook.hpp"

namespace ward::collector {

/// What alert rules name and the book does not have. From class urgent on, a rule without an owner (its own or its
/// service's) or a decision tree is an error, and so is an unknown service; of lesser rules that is a warning.
void check_references(const Rulebook& book, std::vector<RuleProblem>& errors, std::vector<RuleProblem>& warnings);

}  // namespace ward::collector
