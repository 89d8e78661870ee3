#include "collector/event/state.hpp"

#include <iterator>

namespace ward::collector {
namespace {

template <class T>
void move_to_end(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

std::string_view to_string(DeliveryState s) {
  switch (s) {
    case DeliveryState::pending: return "pending";
    case DeliveryState::delivered: return "delivered";
    case DeliveryState::failed_permanent: return "failed_permanent";
    case DeliveryState::superseded: return "superseded";
  }
  return "pending";
}

Result<DeliveryState> parse_delivery_state(std::string_view text) {
  for (const auto s :
       {DeliveryState::pending, DeliveryState::delivered, DeliveryState::failed_permanent, DeliveryState::superseded})
    if (to_string(s) == text) return s;
  return fail(Errc::corrupt, "outbox row with the unknown state '" + std::string(text) + "'",
              "Run the release of Ward that wrote this store, or restore the store from its backup.");
}

bool is_empty(const StateChange& change) { return change == StateChange{}; }

void append(StateChange& earlier, StateChange later) {
  // A commit deletes before it inserts, so only what a later step deletes must leave the earlier one.
  for (const auto& key : later.alerts_gone)
    std::erase_if(earlier.alerts, [&](const AlertRow& row) { return row.key == key; });
  for (const auto& gone : later.notified_gone)
    std::erase_if(earlier.notified, [&](const Notified& told) { return told.incident == gone; });
  for (const auto& gone : later.escalations_gone)
    std::erase_if(earlier.escalations, [&](const EscalationRecord& r) { return r.incident == gone; });
  for (const auto& gone : later.silences_gone)
    std::erase_if(earlier.silences, [&](const AlertSilence& s) { return s.id == gone; });
  move_to_end(earlier.alerts, later.alerts);
  move_to_end(earlier.alerts_gone, later.alerts_gone);
  move_to_end(earlier.incidents, later.incidents);
  if (later.watched) earlier.watched = std::move(later.watched);
  move_to_end(earlier.notified, later.notified);
  move_to_end(earlier.notified_gone, later.notified_gone);
  move_to_end(earlier.decisions, later.decisions);
  move_to_end(earlier.deliveries, later.deliveries);
  move_to_end(earlier.delivery_updates, later.delivery_updates);
  move_to_end(earlier.escalations, later.escalations);
  move_to_end(earlier.escalations_gone, later.escalations_gone);
  move_to_end(earlier.silences, later.silences);
  move_to_end(earlier.silences_gone, later.silences_gone);
  move_to_end(earlier.audit, later.audit);
  move_to_end(earlier.verdicts, later.verdicts);
}

}  // namespace ward::collector
