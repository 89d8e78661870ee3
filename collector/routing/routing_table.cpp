#include "collector/routing/routing_table.hpp"

namespace ward::collector {

std::map<std::string, std::string> RoutingTable::fallbacks() const {
  std::map<std::string, std::string> out;
  for (const auto& [owner, from] : owners) {
    const auto next = owners.find(from.fallback);
    auto to = next != owners.end() ? next->second.receiver : fallback_receiver;
    // Who is on call then is not known now.
    if (schedules.contains(to)) to = fallback_receiver;
    const auto add = [&](const std::string& receiver) {
      if (!to.empty() && to != receiver) out.emplace(receiver, to);
    };
    const auto schedule = schedules.find(from.receiver);
    if (schedule == schedules.end()) {
      add(from.receiver);
      continue;
    }
    for (const auto& layer : schedule->second.layers)
      for (const auto& who : layer.rotation) add(who);
    for (const auto& one : schedule->second.overrides) add(one.who);
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
