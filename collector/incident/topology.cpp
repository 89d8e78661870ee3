#include "collector/incident/topology.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace ward::collector {
namespace {

// One service without an alert of its own may stand between a cause and its effect.
constexpr int kMaxGap = 1;

bool equal_or_absent(const Labels& a, const Labels& b, std::string_view label) {
  const auto x = a.get(label);
  const auto y = b.get(label);
  return x.empty() || y.empty() || x == y;
}

}  // namespace

int layer_rank(std::string_view layer) {
  static constexpr std::array<std::string_view, 5> kOrder{"platform", "data", "application", "user_experience",
                                                          "governance"};
  return static_cast<int>(std::find(kOrder.begin(), kOrder.end(), layer) - kOrder.begin());
}

struct Topology::Step {
  const std::string& service;
  const Labels& labels;
  Time latest;  ///< a cause may have begun no later, before the edge's lag is added
  int gap = 0;
};

void Topology::add(std::string id, const AlertEvent& alert) {
  by_service_[map_.node_of(alert.labels).service].insert(id);
  alerts_[std::move(id)] = &alert;
}

void Topology::remove(const std::string& id) {
  const auto at = alerts_.find(id);
  if (at == alerts_.end()) return;
  by_service_[map_.node_of(at->second->labels).service].erase(id);
  alerts_.erase(at);
}

const AlertEvent* Topology::find(const std::string& id) const {
  const auto at = alerts_.find(id);
  return at == alerts_.end() ? nullptr : at->second;
}

std::vector<const std::pair<const std::string, const AlertEvent*>*> Topology::across(const Dependency& edge,
                                                                                     const Labels& labels) const {
  std::vector<const std::pair<const std::string, const AlertEvent*>*> out;
  const auto there = by_service_.find(edge.to);
  if (there == by_service_.end()) return out;
  for (const auto& id : there->second) {
    const auto entry = alerts_.find(id);
    const auto& other = entry->second->labels;
    // One tenant's or cluster's fault never explains another's, whatever the edge says.
    bool joined = equal_or_absent(labels, other, "tenant") && equal_or_absent(labels, other, "cluster");
    for (const auto& label : edge.on) joined = joined && equal_or_absent(labels, other, label);
    if (joined) out.push_back(&*entry);
  }
  return out;
}

bool Topology::fails(const Dependency& edge,
                     const std::vector<const std::pair<const std::string, const AlertEvent*>*>& alerts) const {
  const auto* service = map_.find(edge.to);
  if (service == nullptr || service->redundancy.members == 0) return true;
  const auto& redundancy = service->redundancy;
  if (std::find(edge.on.begin(), edge.on.end(), redundancy.by) != edge.on.end()) return true;
  std::set<std::string_view> ill;
  for (const auto* entry : alerts) {
    const auto member = entry->second->labels.get(redundancy.by);
    if (member.empty()) return true;  // an alert about the service as a whole
    ill.insert(member);
  }
  return ill.size() + redundancy.min > redundancy.members;
}

bool Topology::climb_edge(const Step& from, const Dependency& edge, std::set<std::string>& on_path,
                          std::set<std::string>& found) const {
  const auto latest = from.latest + edge.lag + slack_;
  auto there = across(edge, from.labels);
  std::erase_if(there, [&](const auto* entry) {
    const auto& other = *entry->second;
    return other.phase != AlertPhase::firing || class_of(other.labels) == AlertClass::informational ||
           other.active_at > latest;
  });
  const bool failing = !there.empty() && fails(edge, there);
  if (!failing) there.clear();
  for (const auto* entry : there) {
    const auto& other = *entry->second;
    const Step next{.service = edge.to, .labels = other.labels, .latest = std::max(from.latest, other.active_at), .gap = 0};
    if (!climb(next, on_path, found)) found.insert(entry->first);
  }
  if (failing) return true;
  if (from.gap >= kMaxGap) return false;
  const Step next{.service = edge.to, .labels = from.labels, .latest = from.latest + edge.lag, .gap = from.gap + 1};
  return climb(next, on_path, found);
}

bool Topology::climb(const Step& from, std::set<std::string>& on_path, std::set<std::string>& found) const {
  const auto* service = map_.find(from.service);
  if (service == nullptr || !on_path.insert(from.service).second) return false;
  bool explained = false;
  for (const auto mode : {DependencyMode::hard, DependencyMode::soft}) {
    for (const auto& edge : service->depends_on)
      if (edge.mode == mode) explained = climb_edge(from, edge, on_path, found) || explained;
    if (explained) break;
  }
  on_path.erase(from.service);
  return explained;
}

std::vector<std::string> Topology::roots(const AlertEvent& alert) const {
  const auto node = map_.node_of(alert.labels);
  std::set<std::string> found, on_path;
  climb({.service = node.service, .labels = alert.labels, .latest = alert.active_at, .gap = 0}, on_path, found);
  std::vector<std::string> out(found.begin(), found.end());
  const auto rank = [&](const std::string& id) {
    const auto& a = *alerts_.at(id);
    return std::tuple(a.active_at, layer_rank(a.labels.get("layer")), a.labels.get("alertname"), std::string_view(id));
  };
  std::sort(out.begin(), out.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return out;
}

bool Topology::search_pending(const std::string& service, const Labels& labels, std::set<std::string>& visited,
                              std::string& found) const {
  const auto* at = map_.find(service);
  if (at == nullptr || !visited.insert(service).second) return false;
  for (const auto& edge : at->depends_on) {
    if (edge.mode == DependencyMode::async) continue;
    for (const auto* entry : across(edge, labels)) {
      if (entry->second->phase != AlertPhase::pending || class_of(entry->second->labels) == AlertClass::informational)
        continue;
      found = entry->first;
      return true;
    }
    if (search_pending(edge.to, labels, visited, found)) return true;
  }
  return false;
}

std::optional<std::string> Topology::suspect(const AlertEvent& alert) const {
  std::set<std::string> visited;
  std::string found;
  if (!search_pending(map_.node_of(alert.labels).service, alert.labels, visited, found)) return std::nullopt;
  return found;
}

}  // namespace ward::collector
