#include "agent/schedule/target.hpp"

#include <algorithm>
#include <set>

namespace ward::agent {
namespace {

std::string known_probes() {
  std::string out;
  for (const auto& kind : probes::all_probes()) {
    if (!out.empty()) out += ", ";
    out += kind.name;
  }
  return out;
}

void read_labels(config::Section& section, Target& target) {
  static const std::set<std::string, std::less<>> kReserved{"__name__", "tenant", "job", "instance", "agent"};
  for (const auto& [name, value] : section.text_map("labels")) {
    const bool good = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
    if (!good || name.front() <= '9' || kReserved.contains(name))
      section.problems().add(section.at("labels"), "label name '" + name + "' is not allowed",
                             "Use letters, digits and '_', not starting with a digit; job, instance, tenant and agent are set by Ward.");
    else
      target.labels.set(name, value);
  }
}

bool read_target(config::Section& section, const TenantId& tenant, Target& target) {
  const auto probe = section.text("probe");
  target.kind = probes::find_probe(probe);
  if (target.kind == nullptr) {
    if (!probe.empty())
      section.problems().add(section.at("probe"), "there is no probe '" + probe + "'", "Use one of: " + known_probes() + ".");
    return false;
  }
  target.name = section.text("name");
  target.tenant = TenantId{section.text("tenant", tenant.get())};
  target.interval = section.duration("interval", target.kind->interval, milliseconds{100});
  target.deadline = section.duration("deadline", std::min(target.kind->deadline, target.interval), milliseconds{50});
  if (target.deadline > target.interval)
    section.problems().add(section.at("deadline"), "the deadline is longer than the interval",
                           "Set deadline to at most the interval, so that runs never overlap.");
  if (auto named = check_name("tenant", target.tenant.get()); !named)
    section.problems().add(section.at("tenant"), named.error().what, named.error().fix);
  target.labels.set("job", section.text("job", std::string(target.kind->job)));
  target.labels.set("instance", target.name);
  read_labels(section, target);
  target.probe = target.kind->make(section);
  section.close();
  return target.probe != nullptr;
}

}  // namespace

std::vector<Target> read_targets(std::vector<config::Section> sections, const TenantId& tenant) {
  std::vector<Target> out;
  std::set<std::pair<std::string_view, std::string>> seen;
  for (auto& section : sections) {
    Target target;
    if (!read_target(section, tenant, target)) continue;
    if (!seen.emplace(target.kind->name, target.name).second)
      section.problems().add(section.at("name"), "a second target '" + target.name + "' of probe " + std::string(target.kind->name),
                             "Give each target of a probe its own name.");
    out.push_back(std::move(target));
  }
  return out;
}

}  // namespace ward::agent
