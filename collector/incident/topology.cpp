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
  if (class_of(alert.labels) != AlertClass::informational && alert.phase != AlertPhase::resolved) {
    auto& there = (alert.phase == AlertPhase::firing ? failing_ : pending_)[map_.node_of(alert.labels).service];
    there.insert(std::lower_bound(there.begin(), there.end(), id), id);
  }
  alerts_[std::move(id)] = &alert;
}

const AlertEvent* Topology::find(const std::string& id) const {
  const auto at = alerts_.find(id);
  return at == alerts_.end() ? nullptr : at->second;
}

// One tenant's or cluster's fault never explains another's, whatever the edge says.
bool Topology::joined(const Dependency& edge, const Labels& a, const Labels& b) const {
  return equal_or_absent(a, b, "tenant") && equal_or_absent(a, b, "cluster") &&
         std::all_of(edge.on.begin(), edge.on.end(), [&](const auto& label) { return equal_or_absent(a, b, label); });
}

std::string Topology::joints(const Labels& labels) const {
  std::string out;
  for (const auto& name : map_.joints()) {
    out += labels.get(name);
    out += '\0';
  }
  return out;
}

bool Topology::fails(const Dependency& edge, const std::vector<const AlertEvent*>& alerts) const {
  const auto* service = map_.find(edge.to);
  if (service == nullptr || service->redundancy.members == 0) return true;
  const auto& redundancy = service->redundancy;
  if (std::find(edge.on.begin(), edge.on.end(), redundancy.by) != edge.on.end()) return true;
  std::set<std::string_view> ill;
  for (const auto* alert : alerts) {
    const auto member = alert->labels.get(redundancy.by);
    if (member.empty()) return true;  // an alert about the service as a whole
    ill.insert(member);
  }
  return ill.size() + redundancy.min > redundancy.members;
}

std::vector<Topology::Group> Topology::failing(const Step& from, const Dependency& edge, Time latest) const {
  const auto there = failing_.find(edge.to);
  if (there == failing_.end()) return {};
  std::map<std::string, Group> groups;
  std::vector<const AlertEvent*> alerts;
  for (const auto& id : there->second) {
    const auto& alert = *alerts_.find(id)->second;
    if (alert.active_at > latest || !joined(edge, from.labels, alert.labels)) continue;
    alerts.push_back(&alert);
    auto& group = groups[joints(alert.labels)];
    group.labels = &alert.labels;
    group.latest = std::max(group.latest, alert.active_at);
    group.ids.push_back(id);
  }
  if (alerts.empty() || !fails(edge, alerts)) return {};
  std::vector<Group> out;
  for (auto& [values, group] : groups) out.push_back(std::move(group));
  return out;
}

void Topology::climb_edge(const Step& from, const Dependency& edge, Climb& out) const {
  const auto groups = failing(from, edge, from.latest + edge.lag + slack_);
  for (const auto& group : groups) {
    out.explained = true;
    const auto& above =
        climb({.service = edge.to, .labels = *group.labels, .latest = std::max(from.latest, group.latest), .gap = 0});
    const auto& causes = above.explained ? above.causes : group.ids;
    out.causes.insert(out.causes.end(), causes.begin(), causes.end());
  }
  if (!groups.empty() || from.gap >= kMaxGap) return;
  const auto& above =
      climb({.service = edge.to, .labels = from.labels, .latest = from.latest + edge.lag, .gap = from.gap + 1});
  out.explained = out.explained || above.explained;
  out.causes.insert(out.causes.end(), above.causes.begin(), above.causes.end());
}

// Edges that carry blame lead round in no circle, so this ends.
const Topology::Climb& Topology::climb(const Step& from) const {
  const std::tuple key(from.service, joints(from.labels), from.latest, from.gap);
  if (const auto known = climbs_.find(key); known != climbs_.end()) return known->second;
  Climb out;
  if (const auto* service = map_.find(from.service); service != nullptr) {
    for (const auto mode : {DependencyMode::hard, DependencyMode::soft}) {
      for (const auto& edge : service->depends_on)
        if (edge.mode == mode) climb_edge(from, edge, out);
      if (out.explained) break;
    }
  }
  std::sort(out.causes.begin(), out.causes.end());
  out.causes.erase(std::unique(out.causes.begin(), out.causes.end()), out.causes.end());
  return climbs_.emplace(key, std::move(out)).first->second;
}

std::vector<std::string> Topology::roots(const AlertEvent& alert) const {
  const auto node = map_.node_of(alert.labels);
  auto out = climb({.service = node.service, .labels = alert.labels, .latest = alert.active_at, .gap = 0}).causes;
  const auto rank = [&](const std::string& id) {
    const auto& a = *alerts_.find(id)->second;
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
    if (const auto there = pending_.find(edge.to); there != pending_.end())
      for (const auto& id : there->second) {
        if (!joined(edge, labels, alerts_.find(id)->second->labels)) continue;
        found = id;
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
