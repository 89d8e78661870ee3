#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/event/audit.hpp"
#include "collector/event/escalation.hpp"
#include "collector/event/incident.hpp"
#include "collector/event/silence.hpp"

namespace ward::collector {

/// Which alert instance of which rule; the spelling of all three is alerting's own.
struct AlertRowKey {
  std::string group;
  std::string rule;
  std::string instance;
  friend auto operator<=>(const AlertRowKey&, const AlertRowKey&) = default;
  friend bool operator==(const AlertRowKey&, const AlertRowKey&) = default;
};

/// Alerting's memory of one instance. `data` is opaque here: alerting alone writes and reads it.
struct AlertRow {
  AlertRowKey key;
  std::string data;
  friend bool operator==(const AlertRow&, const AlertRow&) = default;
};

/// An incident with what the engine must remember to go on after a restart.
struct IncidentRecord {
  Incident incident;
  std::vector<Time> transitions;  ///< began to fire, fell quiet, began again...: oldest first
  bool flapping = false;
  Time quiet_since;       ///< no member fires since; epoch while one does
  Time root_quiet_since;  ///< the root's node is well since, though others fire; epoch otherwise
  friend bool operator==(const IncidentRecord&, const IncidentRecord&) = default;
};

/// A live alert outside any incident: pending, or firing and held.
struct WatchedAlert {
  AlertEvent alert;
  Time seen_at;  ///< first seen in its present phase; holds count from here, so a restart shortens none
  friend bool operator==(const WatchedAlert&, const WatchedAlert&) = default;
};

/// All that collector/incident knows.
struct IncidentState {
  std::vector<IncidentRecord> incidents;  ///< by id
  std::vector<WatchedAlert> watched;      ///< by alert id
  friend bool operator==(const IncidentState&, const IncidentState&) = default;
};

/// A receiver that was told of an open incident, so that it is told of the end.
struct Notified {
  std::string incident;
  std::string receiver;
  friend auto operator<=>(const Notified&, const Notified&) = default;
  friend bool operator==(const Notified&, const Notified&) = default;
};

/// `superseded`: another row took over its duty (its receiver refused for good).
enum class DeliveryState : std::uint8_t { pending, delivered, failed_permanent, superseded };
std::string_view to_string(DeliveryState s);
Result<DeliveryState> parse_delivery_state(std::string_view text);

/// One row of the outbox.
struct DeliveryRow {
  Delivery delivery;
  DeliveryState state = DeliveryState::pending;
  std::uint32_t attempts = 0;
  std::string error;       ///< the last failure, for people; no body, no header, no credential
  std::string instead_of;  ///< the receiver that refused for good, when this row is its replacement
  Time updated_at;
  std::string remembered{};  ///< what its channel keeps for the next message of this incident; opaque, never a credential
  friend bool operator==(const DeliveryRow&, const DeliveryRow&) = default;
};

/// A verdict on an incident that is stored, open or not.
struct GivenVerdict {
  std::string incident;
  Verdict verdict;
  friend bool operator==(const GivenVerdict&, const GivenVerdict&) = default;
};

/// What one step of the stages has changed: committed as a whole or not at all, and only then acted on.
struct StateChange {
  std::vector<AlertRow> alerts;
  std::vector<AlertRowKey> alerts_gone;
  std::vector<IncidentRecord> incidents;
  std::optional<std::vector<WatchedAlert>> watched;  ///< the whole new list, when it changed
  std::vector<Notified> notified;
  std::vector<std::string> notified_gone;  ///< incidents whose receivers have all been told of the end
  std::vector<Decision> decisions;
  std::vector<DeliveryRow> deliveries;        ///< new rows; a key that is already stored stays as it is
  std::vector<DeliveryRow> delivery_updates;  ///< all but the delivery and instead_of of stored rows
  std::vector<EscalationRecord> escalations;
  std::vector<std::string> escalations_gone;  ///< incidents that are followed no more
  std::vector<AlertSilence> silences;
  std::vector<std::string> silences_gone;  ///< forgotten
  std::vector<AuditEntry> audit;           ///< appended to the chain, in this order
  std::vector<GivenVerdict> verdicts{};    ///< put into incidents after those above; of one that is not stored: nothing
  friend bool operator==(const StateChange&, const StateChange&) = default;
};

[[nodiscard]] bool is_empty(const StateChange& change);
/// Adds a later change to an earlier one, for a store that was unavailable in between.
void append(StateChange& earlier, StateChange later);

struct LoadedState {
  std::vector<AlertRow> alerts;  ///< by key
  IncidentState incidents;
  std::vector<Notified> notified;       ///< sorted
  std::vector<DeliveryRow> deliveries;  ///< oldest first
  std::vector<EscalationRecord> escalations;
  std::vector<AlertSilence> silences;
  std::size_t unreadable = 0;  ///< rows left out that this release does not understand; they stay stored
  friend bool operator==(const LoadedState&, const LoadedState&) = default;
};

/// The memory of alerting, incident, routing and notify. Implemented by collector/store. Thread: one at a time.
class StateStore {
 public:
  virtual ~StateStore() = default;
  /// One durable transaction. On an error nothing of the change is stored: keep it, append() what follows, try again.
  virtual Status commit(const StateChange& change) = 0;
  /// Open incidents and those resolved after `resolved_after`, with their outbox rows, and every row still to be sent.
  /// A row whose contents cannot be understood costs that row alone.
  virtual Result<LoadedState> load(Time resolved_after) = 0;
};

/// Follows the file of a StateStore: it hears of each change before the file has it. Thread: the store's.
class StateMirror {
 public:
  virtual ~StateMirror() = default;
  /// What the transaction under way changes. On an error nothing of it is stored.
  virtual Status changing(std::span<const std::uint8_t> changes) = 0;
  /// The file has what changing() was told last.
  virtual void changed() = 0;
};

/// What is stored of one incident. Deliveries come without their bodies, oldest first.
struct IncidentFile {
  Incident incident;
  std::vector<Decision> decisions;
  std::vector<DeliveryRow> deliveries;
  friend bool operator==(const IncidentFile&, const IncidentFile&) = default;
};

/// The incident log as people ask for it (`wardctl explain`, reports).
class IncidentLog {
 public:
  virtual ~IncidentLog() = default;
  /// Opened at or after `since`, newest first, at most `limit`.
  virtual Result<std::vector<Incident>> incidents(Time since, std::size_t limit) = 0;
  /// Opened in [since, until), newest first, at most `limit`.
  virtual Result<std::vector<Incident>> opened(Time since, Time until, std::size_t limit) = 0;
  /// Decisions that name this incident id or alert id, oldest first.
  virtual Result<std::vector<Decision>> decisions(std::string_view incident_or_alert) = 0;
  /// Those whose id begins with `prefix`, by id, at most `limit`.
  virtual Result<std::vector<Incident>> named(std::string_view prefix, std::size_t limit) = 0;
  /// The outbox rows of an incident, oldest first, without bodies.
  virtual Result<std::vector<DeliveryRow>> deliveries(std::string_view incident) = 0;
};

/// The chain of what people did, as it is stored.
class AuditLog {
 public:
  virtual ~AuditLog() = default;
  /// Records with a number above `after`, by number, at most `limit`.
  virtual Result<std::vector<AuditRecord>> audit(std::uint64_t after, std::size_t limit) = 0;
};

}  // namespace ward::collector
