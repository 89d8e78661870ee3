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
  auto redundancy = from.child("redundancy");
  s.redundancy.min = redundancy.whole("min", s.redundancy.min, 1, 10'000);
  s.redundancy.members = redundancy.whole("members", 0, 0, 10'000);
  s.redundancy.by = redundancy.text("by", s.redundancy.by);
  if (s.redundancy.members != 0 && s.redundancy.members < s.redundancy.min)
    redundancy.problems().add(redundancy.at("members"), "service '" + name + "' has fewer members than must be well",
                              "Let 'members' be the number there is, and 'min' how many of them are needed.");
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

/// Adds what a part names and tells what is named already.
template <class T>
void take(std::vector<T>& all, const std::vector<T>& some, const ServiceMapPart& part,
          std::map<std::string, config::Position>& places, config::Problems& problems, const char* kind) {
  for (const auto& each : some) {
    const auto same = [&](const T& other) { return other.name == each.name; };
    if (std::any_of(all.begin(), all.end(), same)) {
      problems.add(part.places.at(each.name),
                   std::string(kind) + " '" + each.name + "' is defined at " + to_string(places[each.name]) + " too",
                   "Keep one of the two; what collector.yaml says of it counts before both.");
      continue;
    }
    all.push_back(each);
    places[each.name] = part.places.at(each.name);
  }
}

}  // namespace

ServiceMapPart read_service_map_part(config::Section& section) {
  ServiceMapPart part;
  for (auto& [name, from] : section.named_children("services")) {
    part.places[name] = from.at();
    part.services.push_back(read_service(name, from));
  }
  for (auto& [name, from] : section.named_children("workflows")) {
    part.places[name] = from.at();
    part.workflows.push_back(read_workflow(name, from));
  }
  for (auto& [name, from] : section.named_children("tenants")) {
    part.places[name] = from.at();
    part.tenants.push_back({.name = name, .tz = from.text("tz", "UTC"), .workflows = from.texts("workflows")});
    from.close();
  }
  return part;
}

ServiceMapPart read_service_map_document(config::Section& section) {
  section.choice("kind", {"ServiceMap"}, 0);
  section.choice("apiVersion", {"ward/v1"}, 0);
  section.raw("metadata");
  auto spec = section.child("spec");
  auto part = read_service_map_part(spec);
  spec.close();
  section.close();
  return part;
}

Result<ServiceMap> join_service_map(const ServiceMapPart& own, std::span<const ServiceMapPart> documents,
                                    config::Problems& problems) {
  const auto before = problems.list().size();
  ServiceMapPart all = own;
  for (const auto& part : documents) {
    // By kind: a service and a workflow may have one name.
    const auto without_ours = [](auto list, const auto& ours) {
      std::erase_if(list, [&](const auto& each) {
        return std::any_of(ours.begin(), ours.end(), [&](const auto& own_one) { return own_one.name == each.name; });
      });
      return list;
    };
    take(all.services, without_ours(part.services, own.services), part, all.places, problems, "service");
    take(all.workflows, without_ours(part.workflows, own.workflows), part, all.places, problems, "workflow");
    take(all.tenants, without_ours(part.tenants, own.tenants), part, all.places, problems, "tenant");
  }
  for (auto& flaw : ServiceMap::flaws(all.services, all.workflows, all.tenants))
    problems.add(all.places[flaw.service], std::move(flaw.what), std::move(flaw.fix));
  if (problems.list().size() != before) return fail(problems.to_error());
  return ServiceMap::make(std::move(all.services), std::move(all.workflows), std::move(all.tenants));
}

Result<ServiceMap> read_service_map(config::Section& section) {
  const auto before = section.problems().list().size();
  const auto part = section.has("spec") ? read_service_map_document(section) : read_service_map_part(section);
  auto map = join_service_map(part, {}, section.problems());
  if (section.problems().list().size() != before) return fail(section.problems().to_error());
  return map;
}

}  // namespace ward::collector
