#include "collector/rulebook/route_overrides.hpp"

#include <utility>

namespace ward::collector {

void apply_route_overrides(RoutingTable& routing, std::span<const AlertOverride> alerts,
                           std::span<const OwnerOverride> owners, const ServiceMap& services,
                           const std::optional<std::set<std::string>>& receivers, config::Problems& problems) {
  const auto check_receiver = [&](const std::string& name, const config::Position& at) {
    if (!receivers || receivers->contains(name) || routing.schedules.contains(name)) return;
    problems.add(at, "'" + name + "' is neither a receiver nor an on-call schedule", "Name one of them.");
  };
  for (const auto& wanted : alerts) {
    if (wanted.receiver.empty() && wanted.escalation.empty()) continue;
    if (!wanted.receiver.empty()) check_receiver(wanted.receiver, wanted.at);
    if (!wanted.escalation.empty() && !routing.escalations.contains(wanted.escalation))
      problems.add(wanted.at, "the escalation '" + wanted.escalation + "' does not exist",
                   "Define it under escalations, or name another.");
    if (!wanted.receiver.empty() && !wanted.escalation.empty())
      problems.add(wanted.at, wanted.alert + " has both a receiver and an escalation here",
                   "Keep one: an escalation names its receivers itself.");
    routing.tenants[wanted.tenant].alerts[wanted.alert] = {wanted.receiver, wanted.escalation};
  }
  for (const auto& wanted : owners) {
    check_receiver(wanted.receiver, wanted.at);
    if (services.tenants() > 0 && services.tenant(wanted.tenant) == nullptr)
      problems.add(wanted.at, "tenant '" + wanted.tenant + "' is not in the service map",
                   "Add it under tenants, or mend its name.");
    if (!routing.owners.empty() && !routing.owners.contains(wanted.owner))
      problems.add(wanted.at, "'" + wanted.owner + "' is no owner",
                   "Name an owner of collector.yaml or of an Operations document.");
    const auto [at, fresh] = routing.tenants[wanted.tenant].owners.emplace(wanted.owner, wanted.receiver);
    if (!fresh)
      problems.add(wanted.at, "tenant '" + wanted.tenant + "' has a receiver for '" + wanted.owner + "' twice",
                   "Keep one of the two.");
  }
}

}  // namespace ward::collector
