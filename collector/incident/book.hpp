#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collector/event/state.hpp"
#include "collector/incident/service_map.hpp"

namespace ward::collector {

/// What one step of the engine yields. Commit it together with what routing makes of the notices, then send.
struct Folded {
  std::vector<Notice> notices;
  std::vector<Decision> decisions;
  std::vector<IncidentRecord> incidents;             ///< changed ones, as they stand now
  std::optional<std::vector<WatchedAlert>> watched;  ///< the whole list, when it changed
  friend bool operator==(const Folded&, const Folded&) = default;
};

/// The incidents, and the only place that changes one. Each change leaves a Decision, and at most one Notice per incident
/// and step. It knows nothing of holds and causes: that is the engine's.
class IncidentBook {
 public:
  /// The map must outlive it.
  IncidentBook(const ServiceMap& map, std::vector<IncidentRecord> records);

  void begin(Time now) { now_ = now; }

  /// A new incident with `root` as its cause; returns its id.
  std::string open(const AlertEvent& root, std::string why);
  /// `fresh`: the caller knows that it is not a member yet.
  enum class Member : std::uint8_t { fresh, known };
  void attach(const std::string& id, const AlertEvent& alert, std::string why, Member member = Member::known);
  /// The same state with a fresher value or text.
  void refresh(const std::string& id, const AlertEvent& alert);
  void member_resolved(const std::string& id, const AlertEvent& alert, std::string why);
  /// `alert` becomes the cause; the owner hears of it when it is another one, or when `tell` says so.
  enum class Tell : std::uint8_t { when_owner_changes, always };
  void set_root(const std::string& id, const AlertEvent& alert, Tell tell, std::string why);
  void raise(const std::string& id, AlertClass cls, std::string why);
  /// Those who were told may see how it stands now; nobody is woken.
  void update(const std::string& id, std::string why) { due(id, NoticeKind::update, std::move(why)); }
  /// No cause is claimed from now on: its alerts share these labels and nothing else.
  void set_common(const std::string& id, const Labels& in_common, const std::string& owner, std::string why);
  /// Moves the members of `from` into `into` and ends `from`.
  void merge(const std::string& from, const std::string& into);
  void reopen(const std::string& id, const AlertEvent& alert, std::string why);
  void resolve(const std::string& id, std::string why);

  void note(const std::string& incident, const std::string& alert, std::string what, std::string why);
  /// For changes of the record's own fields (transitions, quiet times): marks it as changed.
  IncidentRecord& edit(const std::string& id);
  /// Drops the incidents resolved before `before`; the store keeps them.
  void forget(Time before);
  Folded finish();

  [[nodiscard]] const std::map<std::string, IncidentRecord>& all() const { return records_; }
  [[nodiscard]] const IncidentRecord& at(const std::string& id) const { return records_.at(id); }
  [[nodiscard]] NodeKey root_node(const Incident& incident) const { return {incident.root_service, incident.scope}; }

 private:
  static void put_member(Incident& incident, const AlertEvent& alert, Member member);
  void describe_root(Incident& incident, const AlertEvent& root) const;
  void due(const std::string& id, NoticeKind kind, std::string why = {});

  const ServiceMap& map_;
  Time now_;
  std::map<std::string, IncidentRecord> records_;
  struct Due {
    NoticeKind kind = NoticeKind::fire;
    std::string why;
  };
  std::map<std::string, Due> due_;
  std::set<std::string> changed_;
  std::vector<Decision> decisions_;
};

/// True while any member fires.
bool any_firing(const Incident& incident);

}  // namespace ward::collector
