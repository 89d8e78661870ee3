#include <algorithm>

#include "collector/incident/service_map.hpp"

namespace ward::collector {
namespace {

Service read_service(const std::string& name, config::Section& from) {
  Service s{.name = name, .owner = from.text("owner"), .depends_on = {}, .scope = from.texts("scope")};
  for (auto& edge : from.children("dependsOn")) {
    Dependency d;
    d.to = edge.text("to");
    static constexpr DependencyMode kModes[] = {DependencyMode::hard, DependencyMode::soft, DependencyMode::async};
    d.mode = kModes[edge.choice("mode", {"hard", "soft", "async"}, 0)];
    d.on = edge.texts("on");
    d.lag = edge.duration("lag", d.lag);
    edge.close();
    if (!d.to.empty()) s.depends_on.push_back(std::move(d));
  }
  // How many members may fail before the service itself counts as failing is judged by the rules that count them.
  auto redundancy = from.child("redundancy");
  redundancy.whole("min", 1, 1);
  redundancy.close();
  from.close();
  return s;
}

Workflow read_workflow(const std::string& name, config::Section& from) {
  Workflow w{.name = name, .criticality = from.text("criticality", ""), .path = from.texts("path")};
  w.executive_after = from.duration("executiveAfter", w.executive_after);
  from.close();
  return w;
}

void read_tenants(config::Section& section, const std::vector<Workflow>& workflows) {
  for (auto& [name, tenant] : section.named_children("tenants")) {
    tenant.text("tz", "UTC");
    for (const auto& used : tenant.texts("workflows"))
      if (std::none_of(workflows.begin(), workflows.end(), [&](const Workflow& w) { return w.name == used; }))
        section.problems().add(tenant.at("workflows"),
                               "tenant '" + name + "' names the workflow '" + used + "', which is not in the map",
                               "Add '" + used + "' under workflows, or remove it here.");
    tenant.close();
  }
}

Result<ServiceMap> read_body(config::Section& section) {
  const auto problems_before = section.problems().list().size();
  std::vector<Service> services;
  std::vector<Workflow> workflows;
  std::map<std::string, config::Position> places;
  for (auto& [name, from] : section.named_children("services")) {
    places[name] = from.at();
    services.push_back(read_service(name, from));
  }
  for (auto& [name, from] : section.named_children("workflows")) {
    places[name] = from.at();
    workflows.push_back(read_workflow(name, from));
  }
  read_tenants(section, workflows);
  for (auto& flaw : ServiceMap::flaws(services, workflows))
    section.problems().add(places[flaw.service], std::move(flaw.what), std::move(flaw.fix));
  if (section.problems().list().size() != problems_before) return fail(section.problems().to_error());
  return ServiceMap::make(std::move(services), std::move(workflows));
}

}  // namespace

Result<ServiceMap> read_service_map(config::Section& section) {
  if (!section.has("spec")) return read_body(section);
  section.choice("kind", {"ServiceMap"}, 0);
  section.choice("apiVersion", {"ward/v1"}, 0);
  section.raw("metadata");
  auto spec = section.child("spec");
  auto map = read_body(spec);
  const auto problems_before = section.problems().list().size();
  spec.close();
  section.close();
  if (section.problems().list().size() != problems_before) return fail(section.problems().to_error());
  return map;
}

}  // namespace ward::collector
