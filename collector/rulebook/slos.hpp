#pragma once
#include <span>

#include "collector/incident/service_map.hpp"
#include "collector/rulebook/operations.hpp"
#include "collector/slo/slo.hpp"

namespace ward::collector {

/// Gives the SLOs the tenants' targets, and an owner where the document names none: that of the service. Problems, at the
/// override: an SLO that does not exist, a target that is none, and one that asks less of a patient-safety workflow than all
/// others get.
void apply_slo_overrides(slo::SloSet& set, std::span<const SloOverride> overrides, const ServiceMap& services,
                         config::Problems& problems);

}  // namespace ward::collector
