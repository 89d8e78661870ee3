#pragma once
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "collector/event/state.hpp"
#include "collector/routing/routing_table.hpp"

namespace ward::collector {

/// Commit all of it with the incidents that caused it.
struct Routed {
  std::vector<Delivery> deliveries;
  std::vector<Decision> decisions;
  std::vector<Notified> notified;
  std::vector<std::string> notified_gone;
  friend bool operator==(const Routed&, const Routed&) = default;
};

/// Decides who hears of an incident. A fire or escalation goes to the owner's receiver; the end goes to exactly those who
/// heard of it. An open incident nobody has heard of (inhibited, or its owner's receiver was unknown) is told as soon as
/// nothing stands against it, so nothing stays silent by accident. A delivery's body is the notice as JSON
/// (collector/event/json.hpp): the channel words it when it goes out. Thread: one at a time.
class Router {
 public:
  explicit Router(RoutingTable table, std::vector<Notified> state = {});

  /// `open`: all open incidents after the step that made `notices`.
  Routed route(std::span<const Notice> notices, std::span<const Incident> open, Time now);
  [[nodiscard]] std::vector<Notified> state() const;

 private:
  void tell(const Notice& notice, std::span<const Incident> open, Time now, Routed& out);
  void tell_told(const Notice& notice, Time now, Routed& out) const;
  void tell_end(const Notice& notice, Time now, Routed& out);
  static void deliver(const Notice& notice, const std::string& receiver, Time now, Routed& out);
  [[nodiscard]] const Incident* inhibitor(const Incident& target, std::span<const Incident> open) const;

  RoutingTable table_;
  std::map<std::string, std::set<std::string>> notified_;  ///< incident -> receivers
  std::set<std::string> muted_;                            ///< inhibited and already noted as such
};

/// Unique per message: the same notice to the same receiver has the same key on every collector and after every restart.
std::string delivery_key(const Notice& notice, std::string_view receiver);

}  // namespace ward::collector
