#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
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

  /// All of them before the first question.
  void add(std::string id, const AlertEvent& alert);

  /// Ids of the firing alerts that explain `alert` and are explained by none, best first: longest broken, then the lower
  /// layer, then by name. Informational alerts explain nothing. Empty: `alert` is a root itself.
  [[nodiscard]] std::vector<std::string> roots(const AlertEvent& alert) const;
  /// A pending alert that may soon explain `alert`.
  [[nodiscard]] std::optional<std::string> suspect(const AlertEvent& alert) const;
  [[nodiscard]] const AlertEvent* find(const std::string& id) const;

 private:
  struct Step;  // one place on the climb from a symptom towards its causes
  /// What a climb finds: the causes at its end. `explained` without causes: something failing stands above, and is
  /// explained.
  struct Climb {
    bool explained = false;
    std::vector<std::string> causes;  ///< sorted
  };
  /// Alerts on one service that no edge tells apart.
  struct Group {
    const Labels* labels = nullptr;  ///< of one of them
    Time latest;                     ///< the last one's beginning
    std::vector<std::string> ids;
  };
  const Climb& climb(const Step& from) const;
  void climb_edge(const Step& from, const Dependency& edge, Climb& out) const;
  /// The alerts on service `to` that fire over `edge`, began in time, and are no notes.
  [[nodiscard]] std::vector<Group> failing(const Step& from, const Dependency& edge, Time latest) const;
  /// Whether these alerts leave the members of `to` that the edge reaches too few that are well.
  [[nodiscard]] bool fails(const Dependency& edge, const std::vector<const AlertEvent*>& alerts) const;
  /// The values of all labels that edges are joined on.
  [[nodiscard]] std::string joints(const Labels& labels) const;
  bool search_pending(const std::string& service, const Labels& labels, std::set<std::string>& visited,
                      std::string& found) const;
  [[nodiscard]] bool joined(const Dependency& edge, const Labels& a, const Labels& b) const;

  const ServiceMap& map_;
  milliseconds slack_;
  std::map<std::string, const AlertEvent*, std::less<>> alerts_;
  using Ids = std::vector<std::string>;              ///< sorted
  std::map<std::string, Ids, std::less<>> failing_;  ///< by service: what fires and is no note
  std::map<std::string, Ids, std::less<>> pending_;  ///< likewise
  /// By service, joints, latest beginning and gap: thousands of alerts climb the same few ways.
  mutable std::map<std::tuple<std::string, std::string, Time, int>, Climb> climbs_;
};

/// 0 for the layer causes live in most often (platform), rising to governance.
int layer_rank(std::string_view layer);

}  // namespace ward::collector
