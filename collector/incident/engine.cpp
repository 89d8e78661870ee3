#include "collector/incident/engine.hpp"

#include <algorithm>
#include <tuple>

#include "common/base/duration.hpp"

namespace ward::collector {
namespace {

constexpr const char* kCeased = "no longer fires";

std::string name_of(const AlertEvent& a) { return std::string(a.labels.get("alertname")); }

// For "has the watch list changed?": a pending alert's value moves at every evaluation and is worth no write.
bool same_watch(const std::vector<WatchedAlert>& a, const std::vector<WatchedAlert>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const WatchedAlert& x, const WatchedAlert& y) {
    return x.seen_at == y.seen_at && x.alert.phase == y.alert.phase && x.alert.labels == y.alert.labels;
  });
}

}  // namespace

Engine::Engine(ServiceMap map, EngineOptions options, IncidentState state)
    : map_(std::move(map)), options_(options), book_(map_, std::move(state.incidents)) {
  for (auto& w : state.watched) {
    auto id = alert_id(w.alert);
    live_.emplace(std::move(id), Live{.alert = std::move(w.alert), .seen_at = w.seen_at, .incident = ""});
  }
  for (const auto& [id, record] : book_.all()) {
    if (record.incident.phase != IncidentPhase::open) continue;
    for (const auto& a : record.incident.alerts)
      if (a.phase == AlertPhase::firing)
        live_.insert_or_assign(alert_id(a), Live{.alert = a, .seen_at = a.fired_at, .incident = id});
  }
}

void Engine::use(ServiceMap map, EngineOptions options) {
  map_ = std::move(map);
  options_ = options;
}

Folded Engine::fold(std::span<const AlertEvent> alerts, Time now, std::span<const AlertEvent> disowned) {
  now_ = now;
  book_.begin(now);
  fresh_.clear();
  const auto watched_before = watched();
  for (const auto& a : alerts) take_in(a);
  for (const auto& a : disowned) disown(a);
  const auto topology = lay_out();
  explained_.clear();
  const auto waiting = unplaced();
  for (const auto& id : waiting)
    for (const auto& root : topology.roots(live_.at(id).alert)) ++explained_[root];
  placed_ = waiting.empty() ? Placed{} : Placed(book_, map_, topology, now - options_.reparent);
  gather_common(topology);
  // Placing one alert can be what another one waited for.
  for (bool moved = true; moved;) {
    moved = false;
    for (const auto& id : unplaced())
      if (live_.at(id).incident.empty() && place(id, topology, Hold::keep)) moved = true;
  }
  gather_blind();
  std::vector<std::string> ids;
  for (const auto& [id, record] : book_.all())
    if (record.incident.phase == IncidentPhase::open) ids.push_back(id);
  for (const auto& id : ids)
    if (book_.at(id).incident.phase == IncidentPhase::open) settle(id, topology);
  book_.forget(now - options_.reparent);
  auto out = book_.finish();
  if (auto after = watched(); !same_watch(watched_before, after)) out.watched = std::move(after);
  return out;
}

void Engine::take_in(const AlertEvent& alert) {
  const auto id = alert_id(alert);
  const auto at = live_.find(id);
  const bool was_firing = at != live_.end() && at->second.alert.phase == AlertPhase::firing;
  switch (alert.phase) {
    case AlertPhase::resolved:
      if (at == live_.end()) return;
      if (was_firing) leave(id, at->second, alert, kCeased);
      live_.erase(at);
      return;
    case AlertPhase::pending:
      // A raised `for` takes a firing alert back to pending, and it may then vanish without another word.
      if (was_firing) {
        auto last = alert;
        last.phase = AlertPhase::resolved;
        last.resolved_at = now_;
        leave(id, at->second, std::move(last), kCeased);
      }
      if (at == live_.end() || was_firing) {
        live_.insert_or_assign(id, Live{.alert = alert, .seen_at = now_, .incident = ""});
      } else {
        at->second.alert = alert;
      }
      return;
    case AlertPhase::firing:
      if (!was_firing) {
        live_.insert_or_assign(id, Live{.alert = alert, .seen_at = now_, .incident = ""});
        fresh_.insert(id);
        return;
      }
      if (alert.silent != at->second.alert.silent)
        book_.note(at->second.incident, id, alert.silent ? "silent" : "heard again",
                   alert.silent ? "no data of it comes any more, and none says that it is well: it counts as firing"
                                : "its data is back, and it fires");
      at->second.alert = alert;
      if (!at->second.incident.empty()) book_.refresh(at->second.incident, alert);
      return;
  }
}

void Engine::disown(const AlertEvent& alert) {
  const auto id = alert_id(alert);
  const auto at = live_.find(id);
  if (at == live_.end()) return;
  auto last = at->second.alert;
  if (last.phase == AlertPhase::firing) {
    last.phase = AlertPhase::resolved;
    last.resolved_at = now_;
    leave(id, at->second, std::move(last), "is told by no rule since the rules were edited and the collector restarted");
  }
  live_.erase(at);
}

void Engine::leave(const std::string& id, Live& live, AlertEvent last, std::string why) {
  if (live.incident.empty()) {
    book_.note("", id, "passed", name_of(last) + " ceased before its hold ended; nobody was told");
  } else {
    book_.member_resolved(live.incident, last, name_of(last) + " " + std::move(why));
    live.incident.clear();
  }
}

void Engine::give_verdict(const std::string& id, const Verdict& verdict) {
  if (book_.all().contains(id)) book_.edit(id).incident.verdict = verdict;
}

Topology Engine::lay_out() const {
  Topology topology(map_, options_.slack);
  for (const auto& [id, live] : live_) topology.add(id, live.alert);
  return topology;
}

std::vector<std::string> Engine::unplaced() const {
  std::vector<std::string> out;
  for (const auto& [id, live] : live_)
    if (live.incident.empty() && live.alert.phase == AlertPhase::firing) out.push_back(id);
  // The gravest and oldest first: it names the incident that the others join.
  const auto rank = [&](const std::string& id) {
    const auto& a = live_.at(id).alert;
    return std::tuple(-static_cast<int>(class_of(a.labels)), a.active_at, layer_rank(a.labels.get("layer")),
                      std::string_view(id));
  };
  std::sort(out.begin(), out.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return out;
}

bool Engine::place(const std::string& id, const Topology& topology, Hold hold) {
  const auto& alert = live_.at(id).alert;
  if (const auto again = placed_.incident_of(id); !again.empty() && is_open(again)) {
    join(id, again, name_of(alert) + " fires again while its incident is open");
    return true;
  }
  if (place_in_blindness(id)) return true;
  if (const auto roots = topology.roots(alert); !roots.empty()) return place_below(id, roots, topology);
  if (place_on_own_node(id)) return true;
  if (place_as_late_root(id)) return true;
  return place_in_common(id) || place_in_past(id) || place_new(id, topology, hold);
}

bool Engine::place_below(const std::string& id, const std::vector<std::string>& roots, const Topology& topology) {
  // Of several possible causes one whose incident is known already; then the one that explains most, so that few remain.
  const auto& root_id = *std::min_element(roots.begin(), roots.end(), [this](const std::string& a, const std::string& b) {
    const auto rank = [this](const std::string& root) {
      const auto& incident = live_.at(root).incident;
      const bool told = !incident.empty() && book_.at(incident).incident.opened_at < now_;
      return std::tuple(!told, -static_cast<std::int64_t>(explained_[root]));
    };
    return rank(a) < rank(b);
  });
  const auto& live = live_.at(id);
  const auto& root = live_.at(root_id);
  const auto here = map_.node_of(live.alert.labels), there = map_.node_of(root.alert.labels);
  if (root.incident.empty()) {
    // The cause itself is still held; its gravest symptom sets how long.
    const auto cls = class_of(live.alert.labels);
    if (cls == AlertClass::informational || now_ < held_since(live) + settle_for(cls)) {
      note_held(id, "waits with " + name_of(root.alert) + ", its likely cause at " + to_string(there));
      return false;
    }
    place(root_id, topology, Hold::end);
  }
  join(id, root.incident,
       to_string(here) + " depends on " + to_string(there) + ", where " + name_of(root.alert) + " is active since " +
           format_time(root.alert.active_at));
  return true;
}

bool Engine::place_on_own_node(const std::string& id) {
  const auto& alert = live_.at(id).alert;
  const auto node = map_.node_of(alert.labels);
  // A note that wakes nobody must not swallow the first page about its node.
  const bool informational = class_of(alert.labels) == AlertClass::informational;
  const auto takes = [&](const std::string& incident) {
    return is_open(incident) && (informational || book_.at(incident).incident.cls != AlertClass::informational);
  };
  for (const auto& incident : placed_.rooted_at(node)) {
    if (!takes(incident)) continue;
    join(id, incident, to_string(node) + " is already the cause of this incident");
    return true;
  }
  for (const auto& incident : placed_.suffering_at(node)) {
    if (!takes(incident)) continue;
    join(id, incident, to_string(node) + " already suffers in this incident");
    return true;
  }
  return false;
}

bool Engine::is_open(const std::string& incident) const { return book_.at(incident).incident.phase == IncidentPhase::open; }

bool Engine::place_as_late_root(const std::string& id) {
  auto& live = live_.at(id);
  if (class_of(live.alert.labels) == AlertClass::informational) return false;
  std::vector<std::string> explained;
  for (const auto& incident : placed_.explained_by(id))
    if (is_open(incident) && book_.at(incident).incident.opened_at + options_.reparent >= now_)
      explained.push_back(incident);
  if (explained.empty()) return false;
  const auto oldest = explained.front();
  const auto before = book_.at(oldest).incident.root_alert;
  belongs(id, oldest, true);
  book_.set_root(
      oldest, live.alert, IncidentBook::Tell::when_owner_changes,
      name_of(live.alert) + " at " + to_string(map_.node_of(live.alert.labels)) + " showed late and explains " + before);
  for (std::size_t i = 1; i < explained.size(); ++i) merge(explained[i], oldest);
  return true;
}

/// The incident this alert would be the cause of, had it come in time; "" when there is none.
std::string Engine::too_late_for(const std::string& id) const {
  for (const auto& incident : placed_.explained_by(id))
    if (is_open(incident)) return incident;
  return {};
}

bool Engine::place_in_past(const std::string& id) {
  auto& live = live_.at(id);
  // Another alert on a node that was well again is another fault, with a page of its own.
  const auto latest = placed_.past_incident_of(id);
  if (latest.empty() || is_open(latest)) return false;
  belongs(id, latest, true);
  book_.reopen(latest, live.alert,
               name_of(live.alert) + " fires again " + format_duration(now_ - book_.at(latest).incident.resolved_at) +
                   " after the end of this incident");
  placed_.reopened(book_.at(latest).incident);
  mark_transition(latest);
  return true;
}

void Engine::belongs(const std::string& id, const std::string& incident, bool as_cause) {
  auto& live = live_.at(id);
  live.incident = incident;
  const auto node = map_.node_of(live.alert.labels);
  placed_.add_member(id, node, incident);
  if (as_cause) placed_.add_root(node, incident);
}

std::optional<std::string> Engine::suspect_of(const AlertEvent& alert, const Topology& topology) const {
  if (const auto pending = topology.suspect(alert))
    return name_of(*topology.find(*pending)) + " is pending on something it depends on";
  if (alert.of_absence && (blindness(AlertPhase::pending) != nullptr || blindness(AlertPhase::firing) != nullptr))
    return "monitoring may be blind, and what is missing says nothing then";
  return std::nullopt;
}

bool Engine::place_new(const std::string& id, const Topology& topology, Hold hold) {
  auto& live = live_.at(id);
  const auto cls = class_of(live.alert.labels);
  const auto settle = settle_for(cls);
  const auto suspect = cls == AlertClass::informational ? std::nullopt : suspect_of(live.alert, topology);
  auto opens = held_since(live);
  if (suspect) {
    opens += 2 * settle;
  } else if (cls == AlertClass::actionable) {
    opens += settle;
  }
  if (hold == Hold::keep && now_ < opens) {
    note_held(id, suspect ? *suspect : "no cause is in sight yet");
    return false;
  }
  std::string why = "nothing it depends on is failing or about to";
  if (const auto related = too_late_for(id); !related.empty())
    why = "it explains incident " + related + ", which is older than " + format_duration(options_.reparent) +
          " and stays as it is: related";
  if (hold == Hold::end) {
    why = "a graver symptom waits for it";
  } else if (suspect) {
    why = "its hold ended while its possible cause was still only pending";
  }
  belongs(id, book_.open(live.alert, std::move(why)), true);
  return true;
}

void Engine::join(const std::string& id, const std::string& incident, std::string why) {
  const bool known = placed_.incident_of(id) == incident;
  belongs(id, incident, false);
  book_.attach(incident, live_.at(id).alert, std::move(why),
               known ? IncidentBook::Member::known : IncidentBook::Member::fresh);
}

void Engine::merge(const std::string& from, const std::string& into) {
  for (auto& [id, live] : live_)
    if (live.incident == from) belongs(id, into, false);
  book_.merge(from, into);
}

void Engine::note_held(const std::string& id, std::string why) {
  if (fresh_.erase(id) > 0) book_.note("", id, "held", std::move(why));
}

milliseconds Engine::settle_for(AlertClass cls) const {
  switch (cls) {
    case AlertClass::informational: return milliseconds{0};
    case AlertClass::actionable: return options_.settle.actionable;
    case AlertClass::urgent: return options_.settle.urgent;
    case AlertClass::executive: return options_.settle.executive;
  }
  return milliseconds{0};
}

Time Engine::held_since(const Live& live) const { return std::max(live.alert.fired_at, live.seen_at); }

std::vector<WatchedAlert> Engine::watched() const {
  std::vector<WatchedAlert> out;
  for (const auto& [id, live] : live_)
    if (live.incident.empty()) out.push_back({.alert = live.alert, .seen_at = live.seen_at});
  return out;
}

IncidentState Engine::state() const {
  IncidentState out;
  for (const auto& [id, record] : book_.all()) out.incidents.push_back(record);
  out.watched = watched();
  return out;
}

std::vector<Incident> Engine::open() const {
  std::vector<Incident> out;
  for (const auto& [id, record] : book_.all())
    if (record.incident.phase == IncidentPhase::open) out.push_back(record.incident);
  return out;
}

std::vector<AlertEvent> Engine::live() const {
  std::vector<AlertEvent> out;
  out.reserve(live_.size());
  for (const auto& [id, live] : live_) out.push_back(live.alert);
  return out;
}

}  // namespace ward::collector
