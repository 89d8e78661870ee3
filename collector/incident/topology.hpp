#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collector/event/alert.hpp"
#include "collector/incident/service_map.hpp"

namespace ward::collector {

/// The live alerts laid over the service map for one step: who explains whom (facts: rules-and-slo section 6). The alerts
/// and the map must outlive it.
class Topology {
 public:
  /// `slack`: evaluation and probe intervals, by which a cause may be noticed later than its edge's lag allows.
  Topology(const ServiceMap& map, milliseconds slack) : map_(map), slack_(slack) {}

  void add(std::string id, const AlertEvent& alert);
  void remove(const std::string& id);

  /// Ids of the firing alerts that explain `alert` and are explained by none, best first: longest broken, then the lower
  /// layer, then by name. Informational alerts explain nothing. Empty: `alert` is a root itself.
  [[nodiscard]] std::vector<std::string> roots(const AlertEvent& alert) const;
  /// A pending alert that may soon explain `alert`.
  [[nodiscard]] std::optional<std::string> suspect(const AlertEvent& alert) const;
  [[nodiscard]] const AlertEvent* find(const std::string& id) const;

 private:
  struct Step;  // one place on the climb from a symptom towards its causes
  bool climb(const Step& from, std::set<std::string>& on_path, std::set<std::string>& found) const;
  bool climb_edge(const Step& from, const Dependency& edge, std::set<std::string>& on_path,
                  std::set<std::string>& found) const;
  bool search_pending(const std::string& service, const Labels& labels, std::set<std::string>& visited,
                      std::string& found) const;
  /// Whether those members of `to` that `edge` reaches leave it too few that are well.
  [[nodiscard]] bool fails(const Dependency& edge,
                           const std::vector<const std::pair<const std::string, const AlertEvent*>*>& alerts) const;
  /// On service `to`, matching over `edge`.
  [[nodiscard]] std::vector<const std::pair<const std::string, const AlertEvent*>*> across(const Dependency& edge,
                                                                                           const Labels& labels) const;

  const ServiceMap& map_;
  milliseconds slack_;
  std::map<std::string, const AlertEvent*> alerts_;
  std::map<std::string, std::set<std::string>> by_service_;
};

/// 0 for the layer causes live in most often (platform), rising to governance.
int layer_rank(std::string_view layer);

}  // namespace ward::collector
