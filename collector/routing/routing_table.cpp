#include "collector/routing/routing_table.hpp"

namespace ward::collector {
namespace {

std::vector<LabelCondition> read_conditions(config::Section& rule, std::string_view key) {
  std::vector<LabelCondition> out;
  for (const auto& text : rule.texts(key)) {
    if (auto condition = LabelCondition::parse(text)) {
      out.push_back(std::move(*condition));
    } else {
      rule.problems().add(rule.at(key), condition.error().what, condition.error().fix);
    }
  }
  // Without a condition every incident would match, and silence everything.
  if (out.empty())
    rule.problems().add(rule.at(), "this inhibit rule has no valid " + std::string(key),
                        "Add one, for example '" + std::string(key) + ": [alertname=NodeDown]'.");
  return out;
}

}  // namespace

std::map<std::string, std::string> RoutingTable::fallbacks() const {
  std::map<std::string, std::string> out;
  for (const auto& [owner, route] : owners) {
    const auto next = owners.find(route.fallback);
    const auto& to = next != owners.end() ? next->second.receiver : fallback_receiver;
    if (!to.empty() && to != route.receiver) out.emplace(route.receiver, to);
  }
  return out;
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
  for (auto& rule : section.children("inhibit_rules")) {
    table.inhibit_rules.push_back({.source = read_conditions(rule, "source_matchers"),
                                   .target = read_conditions(rule, "target_matchers"),
                                   .equal = rule.texts("equal")});
    rule.text("name", "");
    rule.close();
  }
  return table;
}

}  // namespace ward::collector
