// The one place of this room that knows how documents of rule files become a service map, correlation and routing.
#include "collector/rehearsal/estate.hpp"

namespace ward::collector {
namespace {

void read_operations(const config::Node& document, Estate& estate, config::Problems& problems) {
  config::Section root(document, "", problems);
  root.choice("kind", {"Operations"}, 0);
  root.choice("apiVersion", {"ward/v1"}, 0);
  root.raw("metadata");
  auto spec = root.child("spec");
  if (spec.has("owners") || spec.has("fallback_receiver")) estate.routing = read_routing_table(spec);
  if (spec.has("correlation")) {
    auto correlation = spec.child("correlation");
    estate.correlation = read_engine_options(correlation);
  }
  // Read elsewhere, and no business of who gets which page.
  for (const char* key : {"escalations", "decisionTrees", "maintenance", "tenantOverrides", "time_intervals", "route"})
    spec.raw(key);
  spec.close();
  root.close();
}

}  // namespace

Estate read_estate(std::span<const OtherDocument> documents, Estate base, config::Problems& problems) {
  std::vector<ServiceMapPart> parts;
  for (const auto& [kind, node] : documents) {
    if (kind == "Operations") read_operations(node, base, problems);
    if (kind != "ServiceMap") continue;
    config::Section section(node, "", problems);
    parts.push_back(read_service_map_document(section));
  }
  // What is wrong with it stands in `problems` already.
  if (auto map = join_service_map(base.own, parts, problems)) base.services = std::move(*map);
  return base;
}

}  // namespace ward::collector
