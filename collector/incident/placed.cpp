#include "collector/incident/placed.hpp"

namespace ward::collector {

Placed::Placed(const IncidentBook& book, const ServiceMap& map, const Topology& topology, Time since) {
  for (const auto& [id, record] : book.all()) {
    const auto& incident = record.incident;
    if (incident.phase == IncidentPhase::resolved) {
      if (!incident.merged_into.empty() || incident.resolved_at < since) continue;
      for (const auto& alert : incident.alerts) {
        auto& latest = past_[alert_id(alert)];
        if (latest.empty() || book.at(latest).incident.resolved_at < incident.resolved_at) latest = id;
      }
      continue;
    }
    add_root(book.root_node(incident), id);
    for (const auto& alert : incident.alerts) {
      members_.emplace(alert_id(alert), id);
      if (alert.phase == AlertPhase::firing) sufferers_[map.node_of(alert.labels)].insert(id);
    }
    if (!incident.alerts.empty() && incident.alerts.front().phase == AlertPhase::firing)
      for (const auto& cause : topology.roots(incident.alerts.front())) explained_[cause].insert(id);
  }
}

void Placed::add_member(const std::string& alert, const NodeKey& node, const std::string& incident) {
  members_[alert] = incident;
  sufferers_[node].insert(incident);
}

void Placed::reopened(const Incident& incident) {
  for (const auto& alert : incident.alerts) members_.emplace(alert_id(alert), incident.id);
}

std::string Placed::found(const std::unordered_map<std::string, std::string>& in, const std::string& key) {
  const auto at = in.find(key);
  return at == in.end() ? std::string{} : at->second;
}

}  // namespace ward::collector
