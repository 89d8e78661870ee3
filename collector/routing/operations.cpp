#include "collector/routing/operations.hpp"

#include <algorithm>

#include "collector/routing/targets.hpp"
#include "common/base/duration.hpp"

namespace ward::collector {
namespace {

/// Adds what is not there yet; a name that is there is a problem.
template <class Map>
void join(config::Section& spec, std::string_view key, std::string_view thing, Map from, Map& into) {
  for (auto& [name, value] : from) {
    if (into.contains(name))
      spec.problems().add(spec.at(key), "the " + std::string(thing) + " '" + name + "' is in another document too",
                          "Keep one of the two.");
    else
      into.emplace(name, std::move(value));
  }
}

void tell_gaps(config::Section& spec, const Schedules& schedules, std::vector<config::Problem>& warnings) {
  for (const auto& [name, schedule] : schedules)
    if (const auto gap = first_gap(schedule))
      warnings.push_back({spec.at("schedules"),
                          "nobody is on call in the schedule '" + name + "' from " + format_time(gap->from) + " to " +
                              format_time(gap->until) + "; the owner's fallback would be told",
                          "Add a layer without 'only' that covers the rest."});
}

void read_owners(config::Section& spec, const Targets& targets, RoutingTable& into) {
  auto owners = spec.named_children("owners");
  for (auto& [owner, from] : owners) {
    into.owners[owner] = {.receiver = from.text("receiver"), .fallback = from.text("fallback", "")};
    targets.check(from, "receiver", into.owners[owner].receiver);
    from.close();
  }
  for (auto& [owner, from] : owners) {
    const auto& fallback = into.owners[owner].fallback;
    if (!fallback.empty() && !into.owners.contains(fallback))
      from.problems().add(from.at("fallback"),
                          "owner '" + owner + "' falls back to '" + fallback + "', which is no owner here",
                          "Add '" + fallback + "' under owners, or name one that is there.");
  }
  const auto receiver = spec.text("fallback_receiver", "");
  targets.check_receiver(spec, "fallback_receiver", receiver);
  const auto platform = into.owners.find("platform");
  if (!receiver.empty())
    into.fallback_receiver = receiver;
  else if (into.fallback_receiver.empty() && platform != into.owners.end() &&
           !targets.schedules.contains(platform->second.receiver))
    into.fallback_receiver = platform->second.receiver;
}

void read_class_escalations(config::Section& spec, RoutingTable& into) {
  auto section = spec.child("class_escalations");
  for (const auto cls : {AlertClass::actionable, AlertClass::urgent, AlertClass::executive}) {
    const auto name = section.text(to_string(cls), "");
    if (name.empty()) continue;
    if (!into.escalations.contains(name))
      section.problems().add(section.at(to_string(cls)), "the escalation '" + name + "' does not exist",
                             "Define it under escalations, or name another.");
    into.class_escalations[cls] = name;
  }
  section.close();
}

void check_services(config::Section& spec, const std::vector<Maintenance>& windows, const OperationsNames& names) {
  if (!names.services) return;
  for (const auto& window : windows)
    for (const auto& service : window.services)
      if (!names.services->contains(service))
        spec.problems().add(spec.at("maintenance"),
                            "maintenance names the service '" + service + "', which no ServiceMap has",
                            "Correct the name, or add the service to the ServiceMap.");
}

}  // namespace

std::vector<config::Problem> read_operations(config::Section& spec, const OperationsNames& names, RoutingTable& into) {
  std::vector<config::Problem> warnings;
  join(spec, "time_intervals", "time interval", read_named_intervals(spec), into.intervals);
  Targets targets{.receivers = names.receivers, .schedules = {}};
  auto schedules = read_schedules(spec, targets);
  tell_gaps(spec, schedules, warnings);
  for (const auto& [name, schedule] : schedules)
    if (names.receivers && names.receivers->contains(name))
      spec.problems().add(spec.at("schedules"), "'" + name + "' is both a receiver and a schedule", "Rename the schedule.");
  join(spec, "schedules", "schedule", std::move(schedules), into.schedules);
  for (const auto& [name, schedule] : into.schedules) targets.schedules.insert(name);
  read_owners(spec, targets, into);
  join(spec, "escalations", "escalation", read_escalations(spec, into.intervals, targets), into.escalations);
  read_class_escalations(spec, into);
  into.acknowledge_within = spec.duration("acknowledge_within", into.acknowledge_within);
  into.remind_after = spec.duration("remind_after", into.remind_after);
  into.repeat = spec.duration("repeat", into.repeat);
  if (into.repeat.count() > 0 && into.repeat < std::chrono::minutes{1})
    spec.problems().add(spec.at("repeat"), "a page would be repeated more than once a minute", "Use 5m or more, or 0s.");
  auto rules = read_inhibit_rules(spec);
  into.inhibit_rules.insert(into.inhibit_rules.end(), rules.begin(), rules.end());
  auto route = read_route(spec, into.intervals, targets);
  warnings.insert(warnings.end(), route.warnings.begin(), route.warnings.end());
  if (route.root && into.route)
    spec.problems().add(spec.at("route"), "another document has a route too", "Keep one of the two.");
  else if (route.root)
    into.route = std::move(route.root);
  auto windows = read_maintenance(spec, into.intervals);
  check_services(spec, windows, names);
  into.maintenance.insert(into.maintenance.end(), windows.begin(), windows.end());
  return warnings;
}

}  // namespace ward::collector
