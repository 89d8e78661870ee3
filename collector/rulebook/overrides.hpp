#pragma once
#include <span>

#include "collector/alerting/rule.hpp"
#include "collector/incident/service_map.hpp"
#include "collector/rulebook/operations.hpp"

namespace ward::collector {

/// Gives the rules the tenants' exceptions. Problems, at the override: a tenant (where the map names any) or alert that does
/// not exist, a threshold where the rule has none, two overrides of one alert for one tenant, and one that lets a
/// patient-safety workflow of the tenant be watched less: disabled, or of a lower class.
void apply_overrides(RuleSet& rules, std::span<const AlertOverride> overrides, const ServiceMap& services,
                     const ExpressionCompiler& compiler, config::Problems& problems);

/// What makes a workflow one on whose failure patients depend.
inline constexpr std::string_view kPatientSafety = "patient-safety";

}  // namespace ward::collector
