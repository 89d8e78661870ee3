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
}

void Engine::settle(const std::string& id, const Topology& topology) {
  if (!any_firing(book_.at(id).incident)) {
    if (book_.at(id).quiet_since == Time{}) {
      book_.edit(id).quiet_since = now_;
      mark_transition(id);
    }
    const auto& record = book_.at(id);
    const auto wait = record.flapping ? options_.flap.stable : options_.settle_resolve;
    if (now_ >= record.quiet_since + wait) book_.resolve(id, "none of its alerts fires any more");
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

void Engine::check_residual(const std::string& id, const Topology& topology) {
  const auto& record = book_.at(id);
  const auto root = book_.root_node(record.incident);
  const AlertEvent* heir = nullptr;
  bool heir_explained = false;
  for (const auto& a : record.incident.alerts) {
    if (a.phase != AlertPhase::firing) continue;
    if (map_.node_of(a.labels) == root) {
      if (record.root_quiet_since != Time{}) book_.edit(id).root_quiet_since = Time{};
      return;
    }
    const bool explained = !topology.roots(a).empty();
    const auto rank = [](const AlertEvent& e, bool is_explained) {
      return std::tuple(is_explained, -static_cast<int>(class_of(e.labels)), e.active_at);
    };
    if (heir == nullptr || rank(a, explained) < rank(*heir, heir_explained)) {
      heir = &a;
      heir_explained = explained;
    }
  }
  if (record.root_quiet_since == Time{}) {
    book_.edit(id).root_quiet_since = now_;
    book_.note(id, "", "recovering",
               to_string(root) + " is well again; its symptoms have " + format_duration(options_.release) + " to follow");
    return;
  }
  if (heir == nullptr || now_ < record.root_quiet_since + options_.release) return;
  const AlertEvent next = *heir;
  for (const auto& above : topology.roots(next)) {
    const auto& other = live_.at(above).incident;
    if (other.empty() || other == id) continue;
    merge(id, other);
    return;
  }
  book_.set_root(id, next, IncidentBook::Tell::always,
                 std::string(next.labels.get("alertname")) + " still fires " + format_duration(options_.release) +
                     " after " + to_string(root) + " has healed: residual");
}

Time Engine::wake_of(const IncidentRecord& record) const {
  if (record.quiet_since != Time{})
    return record.quiet_since + (record.flapping ? options_.flap.stable : options_.settle_resolve);
  Time at = executive_at(record.incident);
  if (record.flapping) at = std::min(at, record.transitions.back() + options_.flap.stable);
  if (record.root_quiet_since != Time{}) at = std::min(at, record.root_quiet_since + options_.release);
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
