// While most agents are silent, that something is missing says nothing of its own: it is part of that one incident.
#include <algorithm>

#include "collector/incident/engine.hpp"

namespace ward::collector {
namespace {

/// By its name, as shipped in rules/ward.yaml.
bool tells_of_blindness(const AlertEvent& alert) {
  return alert.labels.get("alertname") == "MonitoringBlind" && alert.labels.get("service") == "ward";
}

constexpr const char* kWhy = "what is missing says nothing while monitoring is blind";

}  // namespace

const Engine::Live* Engine::blindness(AlertPhase phase) const {
  const auto at = std::find_if(live_.begin(), live_.end(), [&](const auto& entry) {
    return entry.second.alert.phase == phase && tells_of_blindness(entry.second.alert);
  });
  return at == live_.end() ? nullptr : &at->second;
}

bool Engine::place_in_blindness(const std::string& id) {
  if (!live_.at(id).alert.of_absence) return false;
  const auto* blind = blindness(AlertPhase::firing);
  if (blind == nullptr || blind->incident.empty()) return false;
  join(id, blind->incident, kWhy);
  return true;
}

/// What was told before it was known that monitoring is blind.
void Engine::gather_blind() {
  const auto* blind = blindness(AlertPhase::firing);
  if (blind == nullptr || blind->incident.empty()) return;
  const auto into = blind->incident;
  std::vector<std::string> young;
  for (const auto& [id, record] : book_.all()) {
    const auto& incident = record.incident;
    if (id == into || incident.phase != IncidentPhase::open || incident.opened_at + options_.reparent < now_) continue;
    const bool only_missing = std::all_of(incident.alerts.begin(), incident.alerts.end(),
                                          [](const AlertEvent& a) { return a.of_absence || a.phase != AlertPhase::firing; });
    if (only_missing && any_firing(incident)) young.push_back(id);
  }
  for (const auto& id : young) merge(id, into);
}

}  // namespace ward::collector
