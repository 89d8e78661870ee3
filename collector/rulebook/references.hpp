#pragma once
#include <vector>

#include "collector/rulebook/rulebook.hpp"

namespace ward::collector {

/// What alert rules and SLOs name and the book does not have. From class urgent on, it is an error when one has no owner
/// (its own or its service's) or no decision tree, when nobody but its owner's receiver would hear of it, and whatever
/// unknown it names; of lesser ones that is a warning, and so is what an SLO lacks: OpenSLO documents of elsewhere load as
/// they are. The runbooks of SLOs that may page are looked into, those of rules were.
void check_references(const Rulebook& book, const ReadFile& read, std::vector<RuleProblem>& errors,
                      std::vector<RuleProblem>& warnings);

}  // namespace ward::collector
