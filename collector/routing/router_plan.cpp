// Who an incident goes to: its escalation, the route tree or its owner; and who that is at the moment.
#include <algorithm>

#include "collector/routing/router.hpp"

namespace ward::collector {
namespace {

TenantRoutes::Alert exception_of(const RoutingTable& table, const Incident& incident) {
  auto tenant = incident.scope.get("tenant");
  if (tenant.empty() && !incident.alerts.empty()) tenant = incident.alerts.front().labels.get("tenant");
  return table.exception(tenant, incident.owner, incident.root_alert);
}

/// The tenant's receiver, the owner's, or where the route tree sends it.
EscalationPlan plain_plan(const RoutingTable& table, const Incident& incident) {
  EscalationPlan out;
  if (const auto wanted = exception_of(table, incident); !wanted.receiver.empty()) {
    out.steps.push_back({.to = wanted.receiver, .times = {}});
    return out;
  }
  if (table.route) {
    for (const auto* node : matching_routes(*table.route, labels_of(incident))) {
      const bool known =
          std::any_of(out.steps.begin(), out.steps.end(), [&](const EscalationStep& s) { return s.to == node->receiver; });
      if (!known) out.steps.push_back({.to = node->receiver, .times = node->times});
      // Of several the shortest.
      if (node->repeat.count() > 0 && (out.repeat.count() == 0 || node->repeat < out.repeat)) out.repeat = node->repeat;
    }
    return out;
  }
  const auto owner = table.owners.find(incident.owner);
  out.steps.push_back({.to = owner != table.owners.end() ? owner->second.receiver : table.fallback_receiver, .times = {}});
  return out;
}

}  // namespace

std::string Router::plan_name(const Incident& incident) const {
  const auto* root = incident.alerts.empty() ? nullptr : &incident.alerts.front();
  const auto exception = exception_of(table_, incident);
  if (table_.escalations.contains(exception.escalation)) return exception.escalation;
  if (const auto by_class = table_.class_escalations.find(incident.cls);
      by_class != table_.class_escalations.end() && (root == nullptr || class_of(root->labels) < incident.cls))
    return by_class->second;
  // A tenant's own receiver goes before the plan of everybody's rule.
  if (!exception.receiver.empty()) return {};
  const auto wanted = root == nullptr ? std::string_view{} : root->annotations.get("escalation");
  return table_.escalations.contains(wanted) ? std::string(wanted) : std::string{};
}

EscalationPlan Router::plan_of(const Incident& incident, const EscalationRecord& record) const {
  const auto named = table_.escalations.find(record.plan);
  auto out = named != table_.escalations.end() ? named->second : plain_plan(table_, incident);
  if (out.repeat.count() == 0) out.repeat = table_.repeat;
  // Nobody answers: the fallback owner, unless the plan tells him anyway.
  const auto owner = table_.owners.find(incident.owner);
  const auto fallback = owner == table_.owners.end() ? table_.owners.end() : table_.owners.find(owner->second.fallback);
  if (!pages(incident.cls) || table_.acknowledge_within.count() == 0 || fallback == table_.owners.end()) return out;
  const auto& receiver = fallback->second.receiver;
  const bool told =
      std::any_of(out.steps.begin(), out.steps.end(), [&](const EscalationStep& s) { return s.to == receiver; });
  const auto last = out.steps.empty() ? milliseconds{0} : out.steps.back().after;
  if (!told)
    out.steps.push_back({.after = last + table_.acknowledge_within, .unless_acked = true, .to = receiver, .times = {}});
  return out;
}

std::optional<NextStep> Router::next_step(const Incident& incident) const {
  const auto* record = escalation(incident.id);
  if (record == nullptr || record->mute != MuteKind::none) return std::nullopt;
  const auto plan = plan_of(incident, *record);
  std::optional<NextStep> out;
  for (auto i = std::size_t{record->done}; i < plan.steps.size() && !out; ++i) {
    const auto& step = plan.steps[i];
    if (!step.unless_acked || !record->ack)
      out = NextStep{.at = record->since + step.after, .to = step.to, .unless_acked = step.unless_acked, .repeats = false};
  }
  if (plan.repeat.count() == 0 || record->ack || record->done == 0 || !pages(record->cls)) return out;
  const auto again = record->since + plan.repeat * (std::int64_t{record->repeats} + 1);
  if (!out || again < out->at)
    out = NextStep{.at = again, .to = plan.steps.front().to, .unless_acked = true, .repeats = true};
  return out;
}

std::string Router::receiver_of(const std::string& to, const Incident& incident, Time now, Routed& out) const {
  const auto note = [&](std::string what, std::string why) {
    out.decisions.push_back(
        {.at = now, .incident = incident.id, .alert = "", .what = std::move(what), .why = std::move(why)});
  };
  const auto owner = table_.owners.find(incident.owner);
  if (owner == table_.owners.end() && to == table_.fallback_receiver && !table_.route && !notified_.contains(incident.id))
    note("routed to the fallback", "owner '" + incident.owner + "' has no receiver; " + to + " is told instead");
  const auto schedule = table_.schedules.find(to);
  if (schedule == table_.schedules.end()) return to;
  if (auto who = schedule->second.on_call(now)) return *who;
  // An owner's receiver may be this very schedule, or another one.
  auto instead = table_.fallback_receiver;
  if (owner != table_.owners.end()) {
    const auto fallback = table_.owners.find(owner->second.fallback);
    for (const auto& name : {owner->second.receiver, fallback != table_.owners.end() ? fallback->second.receiver : instead})
      if (!table_.schedules.contains(name)) {
        instead = name;
        break;
      }
  }
  note("nobody on call", "the schedule '" + to + "' has nobody now; " + instead + " is told instead");
  return instead;
}

}  // namespace ward::collector
