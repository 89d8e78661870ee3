// What becomes of an open incident as time passes: its end, flapping, a healed cause with ill symptoms, escalation by time.
#include <algorithm>
#include <optional>
#include <tuple>

#include "collector/incident/engine.hpp"
#include "common/base/duration.hpp"

namespace ward::collector {

void Engine::mark_transition(const std::string& id) {
  auto& record = book_.edit(id);
  record.transitions.push_back(now_);
  std::erase_if(record.transitions, [&](Time t) { return t + options_.flap.in < now_; });
  if (record.flapping || record.transitions.size() < options_.flap.enter) return;
  record.flapping = true;
  book_.note(id, "", "flapping",
             std::to_string(record.transitions.size()) + " changes in " + format_duration(options_.flap.in) +
                 "; the incident stays open until nothing changes for " + format_duration(options_.flap.stable));
  book_.update(id, "flapping; it stays open until nothing changes for " + format_duration(options_.flap.stable));
}

void Engine::settle(const std::string& id, const Topology& topology) {
  if (!any_firing(book_.at(id).incident)) {
    if (book_.at(id).quiet_since == Time{}) {
      book_.edit(id).quiet_since = now_;
      mark_transition(id);
    }
    if (now_ >= ends_at(book_.at(id))) book_.resolve(id, "none of its alerts fires any more");
    return;
  }
  if (book_.at(id).quiet_since != Time{}) {
    book_.edit(id).quiet_since = Time{};
    mark_transition(id);
  }
  if (book_.at(id).flapping && now_ >= book_.at(id).transitions.back() + options_.flap.stable) {
    book_.edit(id).flapping = false;
    book_.note(id, "", "stable", "it has fired without a change for " + format_duration(options_.flap.stable));
  }
  check_executive(id);
  check_residual(id, topology);
}

Time Engine::executive_at(const Incident& incident) const {
  Time at = Time::max();
  if (incident.cls < AlertClass::actionable || incident.cls == AlertClass::executive) return at;
  for (const auto& a : incident.alerts) {
    const auto* workflow = map_.workflow(a.labels.get("workflow"));
    if (a.phase != AlertPhase::firing || workflow == nullptr || workflow->executive_after <= milliseconds{0}) continue;
    at = std::min(at, a.active_at + workflow->executive_after);
  }
  return at;
}

void Engine::check_executive(const std::string& id) {
  if (executive_at(book_.at(id).incident) > now_) return;
  book_.raise(id, AlertClass::executive, "a workflow of it stays broken past its executiveAfter");
}

Time Engine::released_at(const IncidentRecord& record, const AlertEvent& symptom) const {
  auto wait = options_.release.max;
  if (symptom.interval > milliseconds{0}) {
    const auto needs = symptom.interval * static_cast<int>(options_.release.evaluations) + symptom.reach + options_.slack;
    wait = std::min(wait, std::max(options_.release.least, needs));
  }
  return record.root_quiet_since + wait;
}

void Engine::check_residual(const std::string& id, const Topology& topology) {
  const auto& record = book_.at(id);
  if (!record.incident.in_common.empty()) return;  // it has no cause that could heal
  const auto root = book_.root_node(record.incident);
  const auto firing_there = [&](const AlertEvent& a) {
    return a.phase == AlertPhase::firing && map_.node_of(a.labels) == root;
  };
  if (std::any_of(record.incident.alerts.begin(), record.incident.alerts.end(), firing_there)) {
    if (record.root_quiet_since != Time{}) book_.edit(id).root_quiet_since = Time{};
    return;
  }
  if (record.root_quiet_since == Time{}) {
    book_.edit(id).root_quiet_since = now_;
    book_.note(id, "", "recovering",
               to_string(root) + " is well again; its symptoms have at most " + format_duration(options_.release.max) +
                   " to follow");
    return;
  }
  const AlertEvent* heir = nullptr;
  std::vector<std::string> above;
  for (const auto& a : record.incident.alerts) {
    if (a.phase != AlertPhase::firing || now_ < released_at(record, a)) continue;
    auto roots = topology.roots(a);
    const auto rank = [](const AlertEvent& e, bool explained) {
      return std::tuple(explained, -static_cast<int>(class_of(e.labels)), e.active_at);
    };
    if (heir != nullptr && rank(*heir, !above.empty()) <= rank(a, !roots.empty())) continue;
    heir = &a;
    above = std::move(roots);
  }
  if (heir != nullptr) bequeath(id, *heir, above);
}

/// The cause is well and `heir` still fires: it is the cause now, unless what it depends on is.
void Engine::bequeath(const std::string& id, AlertEvent heir, const std::vector<std::string>& above) {
  for (const auto& cause : above) {
    const auto& other = live_.at(cause).incident;
    if (other.empty() || other == id) continue;
    merge(id, other);
    return;
  }
  if (!above.empty()) return;  // its cause is in this incident, and has time yet to follow
  const auto& record = book_.at(id);
  const auto healed_for = now_ - record.root_quiet_since;
  book_.set_root(id, heir, IncidentBook::Tell::always,
                 std::string(heir.labels.get("alertname")) + " still fires " + format_duration(healed_for) + " after " +
                     to_string(book_.root_node(record.incident)) + " has healed: residual");
}

/// When an incident that is quiet is over: its alerts were well in as many evaluations as count, or were kept firing as
/// long.
Time Engine::ends_at(const IncidentRecord& record) const {
  if (record.flapping) return record.quiet_since + options_.flap.stable;
  auto wait = options_.settle_resolve;
  for (const auto& a : record.incident.alerts)
    wait = std::max(
        wait, std::min(options_.release.max, a.interval * static_cast<int>(options_.release.evaluations - 1) - a.reach));
  return record.quiet_since + wait;
}

Time Engine::wake_of(const IncidentRecord& record) const {
  if (record.quiet_since != Time{}) return ends_at(record);
  Time at = executive_at(record.incident);
  if (record.flapping) at = std::min(at, record.transitions.back() + options_.flap.stable);
  if (record.root_quiet_since == Time{}) return at;
  for (const auto& a : record.incident.alerts)
    if (a.phase == AlertPhase::firing)
      if (const auto due = released_at(record, a); due > now_) at = std::min(at, due);
  return at;
}

Time Engine::next_wake() const {
  Time at = Time::max();
  for (const auto& [id, live] : live_) {
    const auto cls = class_of(live.alert.labels);
    // An informational alert waits only with its held cause, whose own deadline counts.
    if (!live.incident.empty() || live.alert.phase != AlertPhase::firing || cls == AlertClass::informational) continue;
    const auto first = held_since(live) + settle_for(cls);
    at = std::min(at, first > now_ ? first : held_since(live) + 2 * settle_for(cls));
  }
  for (const auto& [id, record] : book_.all())
    if (record.incident.phase == IncidentPhase::open) at = std::min(at, wake_of(record));
  return at;
}

}  // namespace ward::collector
