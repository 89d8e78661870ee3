#include "collector/rulebook/operations.hpp"

namespace ward::collector {
namespace {

AlertOverride read_alert_override(const std::string& tenant, const std::string& alert, config::Section& from) {
  AlertOverride out{.tenant = tenant,
                    .alert = alert,
                    .threshold = {},
                    .hold = {},
                    .cls = {},
                    .receiver = from.text("receiver", ""),
                    .escalation = from.text("escalation", ""),
                    .at = from.at()};
  out.enabled = from.flag("enabled", true);
  const auto threshold = from.real("threshold", 0);
  if (from.has("threshold")) out.threshold = threshold;
  const auto hold = from.duration("for", milliseconds{0});
  if (from.has("for")) out.hold = hold;
  const auto cls = from.choice("class", {"informational", "actionable", "urgent", "executive"}, 1);
  if (from.has("class")) out.cls = static_cast<AlertClass>(cls);
  from.close();
  return out;
}

}  // namespace

Operations read_operations_document(config::Section& document, const TreeChecks& checks, const OperationsNames& names,
                                    RoutingTable& routing) {
  Operations out;
  document.choice("kind", {"Operations"}, 0);
  document.choice("apiVersion", {"ward/v1"}, 0);
  document.raw("metadata");
  auto spec = document.child("spec");
  out.warnings = read_operations(spec, names, routing);
  auto trees = spec.child("decisionTrees");
  for (const auto& [name, from] : spec.named_children("decisionTrees")) {
    out.trees.emplace(name, read_decision_tree(name, trees, checks));
    out.tree_places.emplace(name, from.at());
  }
  auto readiness = spec.child("readiness");
  for (const auto& [service, from] : spec.named_children("readiness")) {
    if (names.services && !names.services->contains(service))
      from.problems().add(from.at(), "readiness is of the service '" + service + "', which no ServiceMap has",
                          "Name a service of the map.");
    out.readiness.emplace(service, read_readiness(service, readiness, checks));
    out.readiness_places.emplace(service, from.at());
  }
  if (spec.has("correlation")) {
    auto correlation = spec.child("correlation");
    out.correlation_at = correlation.at();
    out.correlation = read_engine_options(correlation);
  }
  for (auto& each : spec.children("tenantOverrides")) {
    const auto tenant = each.text("tenant");
    for (auto& [alert, from] : each.named_children("alert"))
      out.overrides.push_back(read_alert_override(tenant, alert, from));
    for (auto& [owner, receiver] : each.text_map("receivers"))
      out.owner_overrides.push_back(
          {.tenant = tenant, .owner = owner, .receiver = std::move(receiver), .at = each.at("receivers")});
    for (auto& [slo, from] : each.named_children("slo")) {
      out.slo_overrides.push_back({.tenant = tenant, .slo = slo, .target = from.real("target", 0), .at = from.at()});
      from.close();
    }
    each.close();
  }
  spec.close();
  document.close();
  return out;
}

}  // namespace ward::collector
