#include "agent/schedule/target.hpp"

#include <algorithm>
#include <set>

#include "common/config/suggest.hpp"

namespace ward::agent {
namespace {

std::vector<std::string> known_probes() {
  std::vector<std::string> names;
  for (const auto& kind : probes::all_probes()) names.emplace_back(kind.name);
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

void read_labels(config::Section& section, Target& target) {
  static const std::set<std::string, std::less<>> kReserved{"__name__", "tenant", "job", "instance", "agent", "probe"};
  for (const auto& [name, value] : section.text_map("labels")) {
    const bool good = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
    if (!good || name.front() <= '9' || kReserved.contains(name))
      section.problems().add(
          section.raw("labels")->key_at(name), "label name '" + name + "' is not allowed",
          "Use letters, digits and '_', not starting with a digit; job, instance, tenant, agent and probe are set by Ward.");
    else
      target.labels.set(name, value);
  }
}

bool read_target(config::Section& section, const TenantId& tenant, Target& target) {
  const auto probe = section.text("probe");
  target.kind = probes::find_probe(probe);
  if (target.kind == nullptr) {
    if (probe.empty()) return false;
    const auto near = config::closest(probe, known_probes());
    section.problems().add(section.at("probe"),
                           "there is no probe '" + probe + "'" + (near ? "; did you mean '" + *near + "'?" : ""),
                           "Use one of: " + joined(known_probes()) + ".");
    return false;
  }
  target.name = section.text("name");
  target.tenant = TenantId{section.text("tenant", tenant.get())};
  target.interval = section.duration("interval", target.kind->interval, milliseconds{100});
  target.deadline = section.duration("deadline", std::min(target.kind->deadline, target.interval), milliseconds{50});
  if (target.deadline > target.interval)
    section.problems().add(section.at("deadline"), "the deadline is longer than the interval",
                           "Set deadline to at most the interval, so that runs never overlap.");
  if (auto named = check_name("tenant", target.tenant.get()); section.has("tenant") && !named)
    section.problems().add(section.at("tenant"), named.error().what, named.error().fix);
  target.labels.set("job", section.text("job", std::string(target.kind->job)));
  target.labels.set("instance", target.name);
  read_labels(section, target);
  target.probe = target.kind->make(section);
  if (target.probe != nullptr) target.probe->attach({target.labels, target.tenant, target.deadline});
  section.close();
  target.fingerprint = section.fingerprint();
  return target.probe != nullptr;
}

}  // namespace

bool same_series(const Target& a, const Target& b) {
  return a.kind == b.kind && a.name == b.name && a.tenant == b.tenant && a.labels == b.labels;
}

bool same_target(const Target& a, const Target& b) {
  return same_series(a, b) && a.interval == b.interval && a.deadline == b.deadline && a.fingerprint == b.fingerprint;
}

std::vector<Target> read_targets(std::vector<config::Section> sections, const TenantId& tenant) {
  std::vector<Target> out;
  std::set<std::pair<std::string_view, std::string>> seen;
  for (auto& section : sections) {
    Target target;
    if (!read_target(section, tenant, target)) continue;
    if (!seen.emplace(target.kind->name, target.name).second)
      section.problems().add(section.at("name"),
                             "a second target '" + target.name + "' of probe " + std::string(target.kind->name),
                             "Give each target of a probe its own name.");
    out.push_back(std::move(target));
  }
  return out;
}

}  // namespace ward::agent
