#include "collector/incident/book.hpp"

#include <algorithm>

#include "collector/incident/incident_id.hpp"

namespace ward::collector {
namespace {

/// A burn alert of Ward, Pyrra (`slo`) or Sloth (`sloth_slo`): it counts how many suffer, not what is broken.
bool tells_only_of_budget(const AlertEvent& alert) { return alert.labels.has("slo") || alert.labels.has("sloth_slo"); }

}  // namespace

bool any_firing(const Incident& incident) {
  return std::any_of(incident.alerts.begin(), incident.alerts.end(),
                     [](const AlertEvent& a) { return a.phase == AlertPhase::firing; });
}

IncidentBook::IncidentBook(const ServiceMap& map, std::vector<IncidentRecord> records) : map_(map) {
  for (auto& r : records) {
    auto id = r.incident.id;
    records_.emplace(std::move(id), std::move(r));
  }
}

IncidentRecord& IncidentBook::edit(const std::string& id) {
  changed_.insert(id);
  return records_.at(id);
}

void IncidentBook::note(const std::string& incident, const std::string& alert, std::string what, std::string why) {
  decisions_.push_back({.at = now_, .incident = incident, .alert = alert, .what = std::move(what), .why = std::move(why)});
}

// A first notice outweighs a second one of the same step, and any an update; an end outweighs all, and nobody hears the end
// of what nobody was told of.
void IncidentBook::due(const std::string& id, NoticeKind kind, std::string why) {
  const auto [at, fresh] = due_.emplace(id, Due{kind, why});
  if (fresh || kind == at->second.kind || kind == NoticeKind::update) return;
  if (kind == NoticeKind::resolve && at->second.kind == NoticeKind::fire)
    due_.erase(at);
  else if (kind == NoticeKind::resolve || at->second.kind == NoticeKind::update)
    at->second = {kind, std::move(why)};
}

void IncidentBook::put_member(Incident& incident, const AlertEvent& alert, Member member) {
  auto same = incident.alerts.end();
  if (member == Member::known)
    same = std::find_if(incident.alerts.begin(), incident.alerts.end(),
                        [&](const AlertEvent& a) { return a.labels == alert.labels; });
  if (same != incident.alerts.end()) {
    *same = alert;
  } else {
    incident.alerts.push_back(alert);
  }
}

void IncidentBook::describe_root(Incident& incident, const AlertEvent& root) const {
  auto node = map_.node_of(root.labels);
  const auto* service = map_.find(node.service);
  incident.owner = root.labels.get("owner");
  if (incident.owner.empty() && service != nullptr) incident.owner = service->owner;
  incident.root_service = node.service;
  incident.scope = std::move(node.scope);
  incident.root_alert = root.labels.get("alertname");
  incident.workflows = map_.workflows_over(incident.root_service);
  const auto at = std::find_if(incident.alerts.begin(), incident.alerts.end(),
                               [&](const AlertEvent& a) { return a.labels == root.labels; });
  if (at != incident.alerts.end()) std::rotate(incident.alerts.begin(), at, at + 1);
}

std::string IncidentBook::open(const AlertEvent& root, std::string why) {
  std::string id;
  for (std::uint32_t salt = 0; id.empty() || records_.contains(id); ++salt)
    id = incident_id(root.active_at, root.labels.hash(), salt);
  auto& record = edit((records_.emplace(id, IncidentRecord{}), id));
  auto& incident = record.incident;
  incident.id = id;
  incident.cls = class_of(root.labels);
  incident.opened_at = now_;
  put_member(incident, root, Member::fresh);
  describe_root(incident, root);
  record.transitions.push_back(now_);
  due(id, NoticeKind::fire);
  note(id, alert_id(root), "opened", std::move(why));
  return id;
}

void IncidentBook::attach(const std::string& id, const AlertEvent& alert, std::string why, Member member) {
  auto& incident = edit(id).incident;
  put_member(incident, alert, member);
  note(id, alert_id(alert), "attached", std::move(why));
  const auto cls = class_of(alert.labels);
  const bool at_root = incident.in_common.empty() && map_.node_of(alert.labels) == root_node(incident);
  const bool root_burns = tells_only_of_budget(incident.alerts.front());
  if (at_root && root_burns && alert.phase == AlertPhase::firing && !tells_only_of_budget(alert) &&
      cls != AlertClass::informational) {
    set_root(id, alert, Tell::when_owner_changes,
             std::string(alert.labels.get("alertname")) + " says what is broken where " + incident.root_alert +
                 " says only that users suffer");
    return;
  }
  if (cls <= incident.cls) return;
  // On the root's own node the graver alert says better what is broken, unless it only counts who suffers.
  if (at_root && (root_burns || !tells_only_of_budget(alert))) describe_root(incident, alert);
  raise(id, cls, std::string(alert.labels.get("alertname")) + " is " + std::string(to_string(cls)));
}

void IncidentBook::raise(const std::string& id, AlertClass cls, std::string why) {
  auto& incident = edit(id).incident;
  if (cls <= incident.cls) return;
  const auto before = to_string(incident.cls);
  incident.cls = cls;
  due(id, NoticeKind::escalate);
  note(id, "", "escalated", "from " + std::string(before) + " to " + std::string(to_string(cls)) + ": " + std::move(why));
}

void IncidentBook::set_common(const std::string& id, const Labels& in_common, const std::string& owner, std::string why) {
  auto& incident = edit(id).incident;
  const bool other_owner = incident.owner != owner;
  incident.in_common = in_common;
  incident.owner = owner;
  note(id, "", "common scope", std::move(why));
  due(id, other_owner ? NoticeKind::escalate : NoticeKind::update, "no cause is in sight");
}

void IncidentBook::refresh(const std::string& id, const AlertEvent& alert) {
  put_member(records_.at(id).incident, alert, Member::known);
}

void IncidentBook::member_resolved(const std::string& id, const AlertEvent& alert, std::string why) {
  put_member(edit(id).incident, alert, Member::known);
  note(id, alert_id(alert), "member resolved", std::move(why));
}

void IncidentBook::set_root(const std::string& id, const AlertEvent& alert, Tell tell, std::string why) {
  auto& record = edit(id);
  const auto owner = record.incident.owner;
  record.incident.in_common = Labels{};
  put_member(record.incident, alert, Member::known);
  describe_root(record.incident, alert);
  record.root_quiet_since = Time{};
  note(id, alert_id(alert), "root changed", std::move(why));
  const bool page = tell == Tell::always || owner != record.incident.owner;
  due(id, page ? NoticeKind::escalate : NoticeKind::update, "the cause is " + record.incident.root_alert);
  const auto cls = class_of(alert.labels);
  if (cls > record.incident.cls) raise(id, cls, "its cause is " + std::string(to_string(cls)));
}

void IncidentBook::merge(const std::string& from, const std::string& into) {
  auto& source = edit(from).incident;
  for (auto& alert : source.alerts) {
    attach(into, alert, "incident " + from + " has the same cause");
    if (alert.phase == AlertPhase::firing) {
      alert.phase = AlertPhase::resolved;
      alert.resolved_at = now_;
    }
  }
  source.merged_into = into;
  resolve(from, "merged into " + into + ", which has the same cause");
}

void IncidentBook::reopen(const std::string& id, const AlertEvent& alert, std::string why) {
  auto& record = edit(id);
  auto& incident = record.incident;
  incident.phase = IncidentPhase::open;
  incident.resolved_at = Time{};
  incident.verdict.reset();  // it was on what seemed to be the end
  incident.cls = class_of(alert.labels);
  ++incident.reopened;
  put_member(incident, alert, Member::known);
  describe_root(incident, alert);
  record.quiet_since = record.root_quiet_since = Time{};
  due(id, NoticeKind::fire);
  note(id, alert_id(alert), "reopened", std::move(why));
}

void IncidentBook::resolve(const std::string& id, std::string why) {
  auto& record = edit(id);
  record.incident.phase = IncidentPhase::resolved;
  record.incident.resolved_at = now_;
  record.flapping = false;
  due(id, NoticeKind::resolve);
  note(id, "", "resolved", std::move(why));
}

void IncidentBook::forget(Time before) {
  std::erase_if(records_, [&](const auto& entry) {
    const auto& incident = entry.second.incident;
    return incident.phase == IncidentPhase::resolved && incident.resolved_at < before && !changed_.contains(entry.first);
  });
}

Folded IncidentBook::finish() {
  Folded out;
  for (const auto& [id, due] : due_)
    out.notices.push_back({.kind = due.kind, .incident = records_.at(id).incident, .why = due.why});
  for (const auto& id : changed_) out.incidents.push_back(records_.at(id));
  out.decisions = std::move(decisions_);
  decisions_.clear();
  due_.clear();
  changed_.clear();
  return out;
}

}  // namespace ward::collector
