#include "collector/routing/router.hpp"

#include <algorithm>
#include <utility>

#include "collector/event/json.hpp"

namespace ward::collector {
namespace {

const Labels& root_labels(const Incident& incident) {
  static const Labels kNone;
  return incident.alerts.empty() ? kNone : incident.alerts.front().labels;
}

}  // namespace

std::string delivery_key(const Notice& notice, std::string_view receiver) {
  const auto& i = notice.incident;
  Labels identity{{"incident", i.id},
                  {"kind", std::string(to_string(notice.kind))},
                  {"class", std::string(to_string(i.cls))},
                  {"receiver", std::string(receiver)},
                  {"reopened", std::to_string(i.reopened)}};
  // A second escalation of one class is another message only when the cause has changed, and an update when its news has.
  if (notice.kind == NoticeKind::escalate || notice.kind == NoticeKind::update) {
    identity.set("why", notice.kind == NoticeKind::update ? notice.why : "");
    identity.set("root", i.root_service);
    identity.set("scope", fingerprint(i.scope));
    identity.set("alert", i.root_alert);
  }
  return i.id + "-" + std::string(to_string(notice.kind)) + "-" + fingerprint(identity);
}

Router::Router(RoutingTable table, std::vector<Notified> state) : table_(std::move(table)) {
  for (auto& n : state) notified_[n.incident].insert(std::move(n.receiver));
}

Routed Router::route(std::span<const Notice> notices, std::span<const Incident> open, Time now) {
  Routed out;
  for (const auto& notice : notices) {
    switch (notice.kind) {
      case NoticeKind::fire:
      case NoticeKind::escalate: tell(notice, open, now, out); break;
      case NoticeKind::update:
      case NoticeKind::acknowledge: tell_told(notice, now, out); break;
      case NoticeKind::resolve: tell_end(notice, now, out); break;
    }
  }
  for (const auto& incident : open)
    if (!notified_.contains(incident.id)) tell({.kind = NoticeKind::fire, .incident = incident}, open, now, out);
  return out;
}

void Router::tell(const Notice& notice, std::span<const Incident> open, Time now, Routed& out) {
  const auto& incident = notice.incident;
  const bool first = !notified_.contains(incident.id);
  const auto decide = [&](std::string what, std::string why) {
    out.decisions.push_back(
        {.at = now, .incident = incident.id, .alert = "", .what = std::move(what), .why = std::move(why)});
  };
  if (first) {
    if (const auto* source = inhibitor(incident, open); source != nullptr) {
      if (muted_.insert(incident.id).second)
        decide("inhibited", "incident " + source->id + " (" + source->root_alert + ") stands over it");
      return;
    }
    if (muted_.erase(incident.id) > 0) decide("no longer inhibited", "the incident that stood over it has ended");
  }
  const auto route = table_.owners.find(incident.owner);
  auto receiver = table_.fallback_receiver;
  if (route != table_.owners.end()) {
    receiver = route->second.receiver;
  } else {
    decide("routed to the fallback", "owner '" + incident.owner + "' has no receiver; " + receiver + " is told instead");
  }
  // Who has heard nothing yet gets the incident from its beginning.
  auto told = notice;
  if (first) told.kind = NoticeKind::fire;
  deliver(told, receiver, now, out);
  if (notified_[incident.id].insert(receiver).second)
    out.notified.push_back({.incident = incident.id, .receiver = receiver});
}

/// What is new for those who know of the incident already.
void Router::tell_told(const Notice& notice, Time now, Routed& out) const {
  const auto told = notified_.find(notice.incident.id);
  if (told == notified_.end()) return;
  for (const auto& receiver : told->second) deliver(notice, receiver, now, out);
}

void Router::tell_end(const Notice& notice, Time now, Routed& out) {
  muted_.erase(notice.incident.id);
  const auto told = notified_.find(notice.incident.id);
  if (told == notified_.end()) return;
  for (const auto& receiver : told->second) deliver(notice, receiver, now, out);
  out.notified_gone.push_back(notice.incident.id);
  std::erase_if(out.notified, [&](const Notified& n) { return n.incident == notice.incident.id; });
  notified_.erase(told);
}

void Router::deliver(const Notice& notice, const std::string& receiver, Time now, Routed& out) {
  out.deliveries.push_back({.key = delivery_key(notice, receiver),
                            .incident = notice.incident.id,
                            .kind = notice.kind,
                            .receiver = receiver,
                            .body = to_json(notice),
                            .created_at = now});
}

const Incident* Router::inhibitor(const Incident& target, std::span<const Incident> open) const {
  const auto& labels = root_labels(target);
  for (const auto& rule : table_.inhibit_rules) {
    if (!all_hold(rule.target, labels)) continue;
    for (const auto& source : open) {
      if (source.id == target.id || !all_hold(rule.source, root_labels(source))) continue;
      // What is itself a source of the rule is never its target: two alike must not silence each other.
      if (all_hold(rule.source, labels)) continue;
      const bool joined = std::all_of(rule.equal.begin(), rule.equal.end(),
                                      [&](const auto& l) { return labels.get(l) == root_labels(source).get(l); });
      if (joined) return &source;
    }
  }
  return nullptr;
}

std::vector<Notified> Router::state() const {
  std::vector<Notified> out;
  for (const auto& [incident, receivers] : notified_)
    for (const auto& receiver : receivers) out.push_back({.incident = incident, .receiver = receiver});
  return out;
}

}  // namespace ward::collector
