#pragma once
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "collector/event/command.hpp"
#include "collector/event/state.hpp"
#include "collector/routing/routing_table.hpp"
#include "collector/routing/silence.hpp"

namespace ward::collector {

/// Commit all of it with the incidents that caused it.
struct Routed {
  std::vector<Delivery> deliveries;
  std::vector<Decision> decisions;
  std::vector<Notified> notified;
  std::vector<std::string> notified_gone;
  std::vector<EscalationRecord> escalations;
  std::vector<std::string> escalations_gone;
  std::vector<AlertSilence> silences;
  std::vector<std::string> silences_gone;
  std::vector<AuditEntry> audit;
  std::vector<GivenVerdict> verdicts{};
  friend bool operator==(const Routed&, const Routed&) = default;
};

/// What the router must remember over a restart.
struct RoutingState {
  std::vector<Notified> notified;
  std::vector<EscalationRecord> escalations;
  std::vector<AlertSilence> silences;
};

/// What a command has led to.
struct Performed {
  Result<std::string> outcome;  ///< a sentence, or the id of the silence
  Routed change;                ///< to be committed, in either case
};

/// What an escalation does next when nothing changes.
struct NextStep {
  Time at;
  std::string to;             ///< a receiver or an on-call schedule
  bool unless_acked = false;  ///< not when somebody acknowledges before
  bool repeats = false;       ///< those who were told hear of it again
  friend bool operator==(const NextStep&, const NextStep&) = default;
};

/// Decides who hears of an incident, and when. A fire or escalation goes to the escalation that the root's annotation
/// names, else to the owner's receiver (or where the route tree says), and on from there while nobody acknowledges; the
/// end goes to exactly those who heard of it, whatever is muted. An incident is not told while it is inhibited, silenced or
/// in maintenance, and is told as soon as nothing stands against it, so nothing stays silent by accident. Steps count by
/// wall time; a clock that steps back delays none of them. A delivery's body is the notice as JSON
/// (collector/event/json.hpp): the channel words it when it goes out. Thread: one at a time.
class Router {
 public:
  explicit Router(RoutingTable table, std::vector<Notified> state = {});
  /// `needs`: which services depend on those in maintenance; may be empty.
  Router(RoutingTable table, RoutingState state, NeedsService needs);

  /// `open`: all open incidents after the step that made `notices`.
  Routed route(std::span<const Notice> notices, std::span<const Incident> open, Time now);
  /// What a person asks; it takes effect in the next route(), which must follow. Errors: not_found, invalid, overloaded.
  Performed perform(const Command& command, Time now);
  /// Takes another table; what is under way goes on by it.
  void use(RoutingTable table) { table_ = std::move(table); }
  /// When route() has something to do without a notice, as of the last route(); Time::max() when never.
  [[nodiscard]] Time next_wake() const { return wake_; }

  [[nodiscard]] std::vector<Notified> state() const;
  [[nodiscard]] const RoutingTable& table() const { return table_; }
  [[nodiscard]] const SilenceBook& silences() const { return silences_; }
  /// Of an open incident; null when there is none.
  [[nodiscard]] const EscalationRecord* escalation(const std::string& incident) const;
  [[nodiscard]] std::set<std::string> told(const std::string& incident) const;
  /// Of an open incident that is told; nullopt when nothing more comes by itself.
  [[nodiscard]] std::optional<NextStep> next_step(const Incident& incident) const;

 private:
  struct Mute {
    MuteKind kind = MuteKind::none;
    std::string by;
    std::string why;
  };
  void follow_clock(Time now);
  void begin(const Notice& notice, Time now, Routed& out);
  void follow(const Incident& incident, std::span<const Incident> open, Time now, Routed& out);
  void pass_first(const Incident& incident, EscalationRecord& record) const;
  void remind(EscalationRecord& record, const Incident& incident, Time now, Routed& out);
  /// When remind() has something to do; Time::max() when never.
  [[nodiscard]] Time reminds_at(const EscalationRecord& record, const Incident& incident) const;
  void unmute(EscalationRecord& record, Time now, Routed& out);
  void send(const EscalationDue& due, const EscalationPlan& plan, const Incident& incident, Time now, Routed& out);
  void tell_told(const Notice& notice, Time now, Routed& out) const;
  void tell_end(const Notice& notice, Time now, Routed& out);
  void acknowledge(const Command& command, Time now, Performed& out);
  void unacknowledge(const Command& command, Time now, Performed& out);
  void silence(const Command& command, Time now, Performed& out);
  static void judge(const Command& command, Time now, Performed& out);
  void finish(std::span<const Incident> open, Time now, Routed& out);

  [[nodiscard]] Mute mute_of(const Incident& incident, std::span<const Incident> open, Time now) const;
  [[nodiscard]] std::string plan_name(const Incident& incident) const;
  [[nodiscard]] EscalationPlan plan_of(const Incident& incident, const EscalationRecord& record) const;
  [[nodiscard]] std::string receiver_of(const std::string& to, const Incident& incident, Time now, Routed& out) const;

  RoutingTable table_;
  NeedsService needs_;
  SilenceBook silences_;
  std::map<std::string, std::set<std::string>> notified_;   ///< incident -> receivers
  std::map<std::string, EscalationRecord> records_;         ///< of open incidents
  std::set<std::string> changed_;                           ///< records to store
  std::set<std::pair<std::string, std::string>> told_now_;  ///< incident and receiver, in this step
  struct News {
    std::string why;
    std::vector<std::string> first_steps;
    std::string readiness;
  };
  std::map<std::string, News> news_;  ///< by incident: of this step's notices
  std::set<std::string> acked_;       ///< incidents to tell of since the last route()
  std::set<std::string> new_now_;     ///< incidents that were told for the first time in this step
  std::optional<Time> last_;
  Time wake_ = Time::max();
};

/// Where in an escalation a message stands.
struct DeliveryStep {
  std::uint32_t step = 0;
  std::uint32_t repeat = 0;
  std::uint32_t round = 0;
};

/// Unique per message: the same notice to the same receiver has the same key on every collector and after every restart.
std::string delivery_key(const Notice& notice, std::string_view receiver, DeliveryStep step = {});

/// What silences, routes and inhibit rules see of an incident: its root's labels, and ward_incident, ward_class,
/// ward_owner, ward_service and ward_alert.
Labels labels_of(const Incident& incident);

/// The alert that tells that pages do not get out: nothing may keep it from being told.
bool tells_of_paging(const Incident& incident);

}  // namespace ward::collector
