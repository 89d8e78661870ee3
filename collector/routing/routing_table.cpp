#include "collector/routing/routing_table.hpp"

namespace ward::collector {

TenantRoutes::Alert RoutingTable::exception(std::string_view tenant, std::string_view owner, std::string_view alert) const {
  const auto known = tenants.find(tenant);
  if (tenant.empty() || known == tenants.end()) return {};
  TenantRoutes::Alert out;
  if (const auto by_alert = known->second.alerts.find(alert); by_alert != known->second.alerts.end()) out = by_alert->second;
  const auto by_owner = known->second.owners.find(owner);
  if (out.receiver.empty() && by_owner != known->second.owners.end()) out.receiver = by_owner->second;
  return out;
}

std::map<std::string, std::string> RoutingTable::fallbacks() const {
  std::map<std::string, std::string> out;
  const auto add_all = [&](const std::string& receiver, const std::string& to) {
    const auto add = [&](const std::string& one) {
      if (!to.empty() && to != one) out.emplace(one, to);
    };
    const auto schedule = schedules.find(receiver);
    if (schedule == schedules.end()) {
      add(receiver);
      return;
    }
    for (const auto& layer : schedule->second.layers)
      for (const auto& who : layer.rotation) add(who);
    for (const auto& one : schedule->second.overrides) add(one.who);
  };
  for (const auto& [owner, from] : owners) {
    const auto next = owners.find(from.fallback);
    auto to = next != owners.end() ? next->second.receiver : fallback_receiver;
    // Who is on call then is not known now.
    if (schedules.contains(to)) to = fallback_receiver;
    add_all(from.receiver, to);
  }
  // Whoever all others' pages of that owner go to knows what to do with one tenant's.
  for (const auto& [tenant, routes] : tenants) {
    for (const auto& [owner, receiver] : routes.owners) {
      const auto at = owners.find(owner);
      const auto& usual = at != owners.end() ? at->second.receiver : fallback_receiver;
      add_all(receiver, schedules.contains(usual) ? fallback_receiver : usual);
    }
    for (const auto& [alert, to] : routes.alerts)
      if (!to.receiver.empty()) add_all(to.receiver, fallback_receiver);
  }
  return out;
}

std::set<std::string> RoutingTable::receivers() const {
  std::set<std::string> out;
  const auto add = [&](const std::string& name) {
    const auto schedule = schedules.find(name);
    if (schedule == schedules.end()) {
      if (!name.empty()) out.insert(name);
      return;
    }
    for (const auto& layer : schedule->second.layers) out.insert(layer.rotation.begin(), layer.rotation.end());
    for (const auto& one : schedule->second.overrides) out.insert(one.who);
  };
  for (const auto& [owner, to] : owners) add(to.receiver);
  for (const auto& [name, plan] : escalations)
    for (const auto& step : plan.steps) add(step.to);
  if (route)
    for (const auto& name : receivers_of(*route)) add(name);
  for (const auto& [tenant, routes] : tenants) {
    for (const auto& [owner, receiver] : routes.owners) add(receiver);
    for (const auto& [alert, to] : routes.alerts) add(to.receiver);
  }
  add(fallback_receiver);
  return out;
}

bool has_receivers(const RoutingTable& table) {
  return !table.owners.empty() || !table.fallback_receiver.empty() || table.route;
}

RoutingTable read_routing_table(config::Section& section) {
  RoutingTable table;
  auto owners = section.named_children("owners");
  for (auto& [owner, from] : owners) {
    table.owners[owner] = {.receiver = from.text("receiver"), .fallback = from.text("fallback", "")};
    from.close();
  }
  for (auto& [owner, from] : owners) {
    const auto& fallback = table.owners[owner].fallback;
    if (!fallback.empty() && !table.owners.contains(fallback))
      from.problems().add(from.at("fallback"),
                          "owner '" + owner + "' falls back to '" + fallback + "', which is no owner here",
                          "Add '" + fallback + "' under owners, or name one that is there.");
  }
  const auto platform = table.owners.find("platform");
  table.fallback_receiver =
      section.text("fallback_receiver", platform == table.owners.end() ? "" : platform->second.receiver);
  if (table.fallback_receiver.empty())
    section.problems().add(section.at(), "an incident of an unknown owner would reach nobody",
                           "Add the owner 'platform', or set fallback_receiver.");
  table.inhibit_rules = read_inhibit_rules(section);
  return table;
}

}  // namespace ward::collector
