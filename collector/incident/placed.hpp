#pragma once
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "collector/incident/book.hpp"
#include "collector/incident/topology.hpp"

namespace ward::collector {

/// Where alerts stand already, laid out once a step, so that ten thousand new ones do not each walk through all incidents.
/// What an incident gains within the step is added; one that ended since is for the reader to see.
class Placed {
 public:
  using Incidents = std::set<std::string>;  ///< ids, and so by age

  Placed() = default;
  /// Open incidents, and those resolved after `since`.
  Placed(const IncidentBook& book, const ServiceMap& map, const Topology& topology, Time since);

  /// The open incident with an alert of this id; "" when there is none.
  [[nodiscard]] std::string incident_of(const std::string& alert) const { return found(members_, alert); }
  /// The incident it was in that was resolved last; "".
  [[nodiscard]] std::string past_incident_of(const std::string& alert) const { return found(past_, alert); }
  [[nodiscard]] const Incidents& rooted_at(const NodeKey& node) const { return found(roots_, node); }
  [[nodiscard]] const Incidents& suffering_at(const NodeKey& node) const { return found(sufferers_, node); }
  /// Whose cause this alert would explain.
  [[nodiscard]] const Incidents& explained_by(const std::string& alert) const { return found(explained_, alert); }

  void add_member(const std::string& alert, const NodeKey& node, const std::string& incident);
  /// An incident that began again: whatever was in it is in it.
  void reopened(const Incident& incident);
  void add_root(const NodeKey& node, const std::string& incident) { roots_[node].insert(incident); }

 private:
  static std::string found(const std::unordered_map<std::string, std::string>& in, const std::string& key);
  template <class Key>
  static const Incidents& found(const std::map<Key, Incidents>& in, const Key& key) {
    static const Incidents kNone;
    const auto at = in.find(key);
    return at == in.end() ? kNone : at->second;
  }

  std::unordered_map<std::string, std::string> members_;
  std::unordered_map<std::string, std::string> past_;
  std::map<NodeKey, Incidents> roots_;
  std::map<NodeKey, Incidents> sufferers_;
  std::map<std::string, Incidents> explained_;
};

}  // namespace ward::collector
