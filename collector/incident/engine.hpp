#pragma once
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "collector/incident/book.hpp"
#include "collector/incident/placed.hpp"
#include "collector/incident/topology.hpp"
#include "common/config/node.hpp"

namespace ward::collector {

struct EngineOptions {
  /// How long a firing alert waits for its cause to show, by class. Urgent alerts wait only while something they depend on
  /// is pending; informational ones never. Twice the time is the limit, then they open an incident whatever is pending.
  struct Settle {
    milliseconds actionable{60'000};
    milliseconds urgent{20'000};
    milliseconds executive{10'000};
    friend bool operator==(const Settle&, const Settle&) = default;
  };
  /// `enter` transitions within `in` keep an incident open until nothing has changed for `stable`.
  struct Flap {
    std::size_t enter = 4;
    milliseconds in{std::chrono::minutes{30}};
    milliseconds stable{std::chrono::minutes{30}};
    friend bool operator==(const Flap&, const Flap&) = default;
  };
  Settle settle;
  Flap flap;
  milliseconds reparent{
      std::chrono::minutes{15}};  ///< a late cause takes an incident over, and a refire reopens it, for this long
  /// All must be quiet at least this long before the end is told, or what comes and goes within its first turns would bring
  /// an end and another page each time, until it counts as flapping.
  milliseconds settle_resolve{std::chrono::minutes{1}};
  /// How long symptoms may outlast their healed cause: so many of their rule's evaluations, and what it looks back and keeps
  /// firing; for one whose rule is not known, and at most, `max`.
  struct Release {
    std::size_t evaluations = 2;
    milliseconds least{std::chrono::minutes{2}};  ///< what was broken needs time to recover, too
    milliseconds max{std::chrono::minutes{10}};
    friend bool operator==(const Release&, const Release&) = default;
  };
  Release release;
  /// So many alerts of so many services that begin within a time, share a label's value and have no cause in sight are one
  /// incident.
  struct Common {
    std::size_t alerts = 5;
    std::size_t services = 3;
    milliseconds within{std::chrono::minutes{1}};
    friend bool operator==(const Common&, const Common&) = default;
  };
  Common common;
  milliseconds slack{std::chrono::seconds{30}};  ///< evaluation plus probe interval, added to an edge's lag
  friend bool operator==(const EngineOptions&, const EngineOptions&) = default;
};

/// Reads `settle {actionable, urgent, executive}`, `flap {enter, in, stable}`, `reparent`, `settle_resolve`, `release
/// {evaluations, least, max}`, `common {alerts, services, within}`, `slack`.
EngineOptions read_engine_options(config::Section& section);

/// Folds alerts into incidents: one root cause, one incident, one page (facts: rules-and-slo section 6). A state machine:
/// the same alerts at the same times give the same ids, notices and decisions. Thread: one at a time.
class Engine {
 public:
  Engine(ServiceMap map, EngineOptions options, IncidentState state = {});
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// From the next fold() on; what is open stays open.
  void use(ServiceMap map, EngineOptions options);
  [[nodiscard]] const ServiceMap& map() const { return map_; }

  /// One evaluation's alerts, or none when next_wake() has passed. An alert that is told again changes nothing. `disowned`
  /// are live alerts that no rule tells any more: they end here, for nobody else will end them.
  Folded fold(std::span<const AlertEvent> alerts, Time now, std::span<const AlertEvent> disowned = {});
  /// What people say of an incident; of one that is forgotten here nothing happens.
  void give_verdict(const std::string& id, const Verdict& verdict);
  /// When time alone will change something; Time::max() when never.
  [[nodiscard]] Time next_wake() const;
  [[nodiscard]] IncidentState state() const;
  [[nodiscard]] std::vector<Incident> open() const;
  /// The pending and firing alerts, as they were told last.
  [[nodiscard]] std::vector<AlertEvent> live() const;

 private:
  struct Live {
    AlertEvent alert;
    Time seen_at;
    std::string incident;  ///< "" while pending or held
  };
  enum class Hold : std::uint8_t { keep, end };

  void take_in(const AlertEvent& alert);
  void disown(const AlertEvent& alert);
  void leave(const std::string& id, Live& live, AlertEvent last, std::string why);
  [[nodiscard]] Topology lay_out() const;
  [[nodiscard]] std::vector<std::string> unplaced() const;
  bool place(const std::string& id, const Topology& topology, Hold hold);
  bool place_below(const std::string& id, const std::vector<std::string>& roots, const Topology& topology);
  [[nodiscard]] bool is_open(const std::string& incident) const;
  bool place_on_own_node(const std::string& id);
  bool place_as_late_root(const std::string& id);
  [[nodiscard]] std::string too_late_for(const std::string& id) const;
  /// `id` belongs to `incident` from here on, as its cause or as one of its alerts.
  void belongs(const std::string& id, const std::string& incident, bool as_cause);
  bool place_in_common(const std::string& id);
  /// The alert that most agents are silent, in this phase; null when there is none.
  [[nodiscard]] const Live* blindness(AlertPhase phase) const;
  /// Whether the alert only says that something is missing while nobody can look; then it waits for, or is part of, that
  /// incident.
  bool place_in_blindness(const std::string& id);
  void gather_blind();
  /// Why its cause may be about to show, in words; nullopt when nothing says so.
  [[nodiscard]] std::optional<std::string> suspect_of(const AlertEvent& alert, const Topology& topology) const;
  bool place_in_past(const std::string& id);
  bool place_new(const std::string& id, const Topology& topology, Hold hold);
  /// What shares the value of a label.
  struct Gathering {
    std::vector<std::string> loose;      ///< alerts without an incident
    std::vector<std::string> incidents;  ///< young ones of one such alert each
    std::set<std::string> services;
    [[nodiscard]] std::size_t alerts() const { return loose.size() + incidents.size(); }
  };
  void gather_common(const Topology& topology);
  [[nodiscard]] std::map<std::string, Gathering> gathered_by(std::string_view label, const std::vector<std::string>& alerts,
                                                             const std::vector<std::string>& young) const;
  [[nodiscard]] bool tells_apart(std::string_view label) const;
  void join(const std::string& id, const std::string& incident, std::string why);
  void merge(const std::string& from, const std::string& into);
  void share(const std::string& incident, const Labels& in_common, const std::vector<std::string>& ids);
  void note_held(const std::string& id, std::string why);

  void settle(const std::string& id, const Topology& topology);
  void mark_transition(const std::string& id);
  void check_executive(const std::string& id);
  void check_residual(const std::string& id, const Topology& topology);
  void bequeath(const std::string& id, AlertEvent heir, const std::vector<std::string>& above);
  [[nodiscard]] Time executive_at(const Incident& incident) const;
  [[nodiscard]] Time wake_of(const IncidentRecord& record) const;
  [[nodiscard]] Time released_at(const IncidentRecord& record, const AlertEvent& symptom) const;
  [[nodiscard]] Time ends_at(const IncidentRecord& record) const;

  [[nodiscard]] milliseconds settle_for(AlertClass cls) const;
  [[nodiscard]] Time held_since(const Live& live) const;
  [[nodiscard]] std::vector<WatchedAlert> watched() const;

  ServiceMap map_;
  EngineOptions options_;
  IncidentBook book_;
  Time now_;
  std::map<std::string, Live> live_;  ///< every pending and firing alert
  std::set<std::string> fresh_;       ///< began to fire in this step
  Placed placed_;
  std::map<std::string, std::size_t> explained_;  ///< by cause: how many alerts without an incident it explains in this step
};

}  // namespace ward::collector
