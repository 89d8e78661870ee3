// Many alerts at once whose services have no edge between them: one incident about what they share, without a cause.
#include <algorithm>
#include <array>

#include "collector/incident/engine.hpp"
#include "common/base/duration.hpp"

namespace ward::collector {
namespace {

/// Labels that say where something runs, the narrowest first.
constexpr std::array<std::string_view, 5> kPlaces{"node", "zone", "namespace", "cluster", "tenant"};

/// Whoever looks after what services share.
constexpr const char* kOwner = "platform";

}  // namespace

/// A value that everything has tells nothing.
bool Engine::tells_apart(std::string_view label) const {
  std::string_view first;
  for (const auto& [id, live] : live_) {
    const auto value = live.alert.labels.get(label);
    if (first.empty()) first = value;
    if (!value.empty() && value != first) return true;
  }
  return label == "tenant" && map_.tenants() > 1;
}

void Engine::gather_common(const Topology& topology) {
  const auto loose = [&](const AlertEvent& a) {
    return class_of(a.labels) != AlertClass::informational && topology.roots(a).empty() && !topology.suspect(a);
  };
  std::vector<std::string> alerts;
  for (const auto& id : unplaced())
    if (loose(live_.at(id).alert) && held_since(live_.at(id)) + options_.common.within >= now_) alerts.push_back(id);
  if (alerts.empty()) return;
  std::vector<std::string> young;
  for (const auto& [id, record] : book_.all()) {
    const auto& incident = record.incident;
    if (incident.phase == IncidentPhase::open && incident.in_common.empty() &&
        incident.opened_at + options_.common.within >= now_ && !incident.alerts.empty() &&
        incident.alerts.front().phase == AlertPhase::firing && loose(incident.alerts.front()))
      young.push_back(id);
  }
  if (alerts.size() + young.size() < options_.common.alerts) return;
  for (const auto label : kPlaces) {
    if (!tells_apart(label)) continue;
    for (const auto& [value, there] : gathered_by(label, alerts, young)) {
      if (there.alerts() < options_.common.alerts || there.services.size() < options_.common.services) continue;
      Labels shared;
      shared.set(label, value);
      const auto into = there.incidents.empty() ? std::string{} : there.incidents.front();
      for (const auto& other : there.incidents)
        if (other != into) merge(other, into);
      share(into, shared, there.loose);
    }
    std::erase_if(alerts, [this](const std::string& id) { return !live_.at(id).incident.empty(); });
    std::erase_if(young, [this](const std::string& id) { return !is_open(id) || !book_.at(id).incident.in_common.empty(); });
  }
}

std::map<std::string, Engine::Gathering> Engine::gathered_by(std::string_view label, const std::vector<std::string>& alerts,
                                                             const std::vector<std::string>& young) const {
  std::map<std::string, Gathering> out;
  for (const auto& id : alerts) {
    const auto& labels = live_.at(id).alert.labels;
    auto& there = out[std::string(labels.get(label))];
    there.loose.push_back(id);
    there.services.insert(map_.node_of(labels).service);
  }
  for (const auto& id : young) {
    const auto& incident = book_.at(id).incident;
    auto& there = out[std::string(incident.alerts.front().labels.get(label))];
    there.incidents.push_back(id);
    there.services.insert(incident.root_service);
  }
  out.erase("");
  return out;
}

/// Puts the alerts into `incident`, or into a new one when that is "".
void Engine::share(const std::string& incident, const Labels& in_common, const std::vector<std::string>& ids) {
  const auto& [label, value] = *in_common.begin();
  const auto why = "many alerts of several services began within " + format_duration(options_.common.within) +
                   " and share " + label + " " + value + "; no cause is in sight";
  auto into = incident;
  for (const auto& id : ids) {
    auto& live = live_.at(id);
    if (into.empty()) {
      into = book_.open(live.alert, why);
      belongs(id, into, true);
    } else {
      join(id, into, "shares " + label + " " + value + " with the alerts of this incident, and began with them");
    }
  }
  book_.set_common(into, in_common, kOwner, why);
}

bool Engine::place_in_common(const std::string& id) {
  const auto& labels = live_.at(id).alert.labels;
  for (const auto& [incident_id, record] : book_.all()) {
    const auto& incident = record.incident;
    if (incident.phase != IncidentPhase::open || incident.in_common.empty()) continue;
    if (incident.opened_at + options_.common.within < now_) continue;
    const auto& [label, value] = *incident.in_common.begin();
    if (labels.get(label) != value || class_of(labels) == AlertClass::informational) continue;
    join(id, incident_id, "shares " + label + " " + value + " with the alerts of this incident, and began with them");
    return true;
  }
  return false;
}

}  // namespace ward::collector
