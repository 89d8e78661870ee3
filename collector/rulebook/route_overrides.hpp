#pragma once
#include <optional>
#include <set>
#include <span>
#include <string>

#include "collector/incident/service_map.hpp"
#include "collector/rulebook/operations.hpp"

namespace ward::collector {

/// Gives the table who hears of a tenant's incidents instead. Problems, at the override: a receiver, escalation, owner or
/// tenant that does not exist. `receivers`: nullopt when they are checked elsewhere. That the alerts exist is
/// apply_overrides()' to say.
void apply_route_overrides(RoutingTable& routing, std::span<const AlertOverride> alerts,
                           std::span<const OwnerOverride> owners, const ServiceMap& services,
                           const std::optional<std::set<std::string>>& receivers, config::Problems& problems);

}  // namespace ward::collector
