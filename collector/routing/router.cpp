#include "collector/routing/router.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "collector/event/json.hpp"
#include "common/base/duration.hpp"
#include "common/base/planted.hpp"

namespace ward::collector {
namespace {

// Less is how clocks are kept right.
constexpr std::chrono::seconds kClockStep{2};

const Labels& root_labels(const Incident& incident) {
  static const Labels kNone;
  return incident.alerts.empty() ? kNone : incident.alerts.front().labels;
}

std::string_view root_annotation(const Incident& incident, std::string_view name) {
  return incident.alerts.empty() ? std::string_view{} : incident.alerts.front().annotations.get(name);
}

void decide(Routed& out, Time now, const std::string& incident, std::string what, std::string why) {
  out.decisions.push_back({.at = now, .incident = incident, .alert = "", .what = std::move(what), .why = std::move(why)});
}

}  // namespace

std::string delivery_key(const Notice& notice, std::string_view receiver, DeliveryStep step) {
  const auto& i = notice.incident;
  Labels identity{{"incident", i.id},
                  {"kind", std::string(to_string(notice.kind))},
                  {"class", std::string(to_string(i.cls))},
                  {"receiver", std::string(receiver)},
                  {"reopened", std::to_string(i.reopened)}};
  // A second escalation of one class is another message only when the cause has changed, and an update when its news has.
  if (!calls_for_action(notice.kind)) identity.set("why", notice.why);
  if (notice.kind == NoticeKind::escalate || notice.kind == NoticeKind::update) {
    identity.set("root", i.root_service);
    identity.set("scope", fingerprint(i.scope));
    identity.set("alert", i.root_alert);
  }
  if (step.step > 0) identity.set("step", std::to_string(step.step));
  if (step.repeat > 0) identity.set("repeat", std::to_string(step.repeat));
  if (step.round > 0) identity.set("round", std::to_string(step.round));
  return i.id + "-" + std::string(to_string(notice.kind)) + "-" + fingerprint(identity);
}

Labels labels_of(const Incident& incident) {
  auto out = root_labels(incident);
  out.set("ward_incident", incident.id);
  out.set("ward_class", to_string(incident.cls));
  out.set("ward_owner", incident.owner);
  out.set("ward_service", incident.root_service);
  out.set("ward_alert", incident.root_alert);
  return out;
}

bool tells_of_paging(const Incident& incident) {
  return std::any_of(incident.alerts.begin(), incident.alerts.end(), [](const AlertEvent& a) {
    return a.phase == AlertPhase::firing && a.labels.get("alertname") == "PagesUndeliverable" &&
           a.labels.get("service") == "ward";
  });
}

Router::Router(RoutingTable table, std::vector<Notified> state)
    : Router(std::move(table), RoutingState{.notified = std::move(state), .escalations = {}, .silences = {}}, {}) {}

Router::Router(RoutingTable table, RoutingState state, NeedsService needs)
    : table_(std::move(table)), needs_(std::move(needs)), silences_(std::move(state.silences)) {
  for (auto& n : state.notified) notified_[n.incident].insert(std::move(n.receiver));
  for (auto& r : state.escalations) {
    auto id = r.incident;
    records_[std::move(id)] = std::move(r);
  }
}

Routed Router::route(std::span<const Notice> notices, std::span<const Incident> open, Time now) {
  Routed out;
  follow_clock(now);
  told_now_.clear();
  new_now_.clear();
  out.silences_gone = silences_.forget(now);
  for (const auto& notice : notices) {
    switch (notice.kind) {
      case NoticeKind::fire:
      case NoticeKind::escalate:
        begin(notice, now, out);
        follow(notice.incident, open, now, out);
        break;
      case NoticeKind::update:
      case NoticeKind::acknowledge: tell_told(notice, now, out); break;
      case NoticeKind::resolve: tell_end(notice, now, out); break;
    }
  }
  for (const auto& incident : open) {
    follow(incident, open, now, out);
    if (const auto& record = records_.at(incident.id); acked_.contains(incident.id) && record.ack)
      tell_told({.kind = NoticeKind::acknowledge,
                 .incident = incident,
                 .why = record.ack->by + " has taken it on at " + format_time(record.ack->at)},
                now, out);
  }
  acked_.clear();
  news_.clear();  // later they would be answers of the past
  finish(open, now, out);
  return out;
}

/// Times of the past must stay as far in the past: a step that is due in ten minutes is not due in an hour because the
/// clock was set back by fifty.
void Router::follow_clock(Time now) {
  const auto shift = last_ ? *last_ - now : milliseconds{0};
  for (auto& [id, record] : records_) {
    const auto before = std::tuple(record.since, record.muted_at);
    if (shift > kClockStep) {
      record.since -= shift;
      if (record.mute != MuteKind::none) record.muted_at -= shift;
    }
    // After a restart nothing tells by how much; then at most this is lost.
    record.since = std::min(record.since, now);
    record.muted_at = std::min(record.muted_at, now);
    if (before != std::tuple(record.since, record.muted_at)) changed_.insert(id);
  }
  last_ = now;
}

/// A new incident, or an open one with another cause, owner or class: its plan begins anew.
void Router::begin(const Notice& notice, Time now, Routed& out) {
  const auto& incident = notice.incident;
  const auto [at, fresh] = records_.try_emplace(incident.id);
  auto& record = at->second;
  const auto plan = plan_name(incident);
  const bool same = record.owner == incident.owner && record.plan == plan && incident.cls <= record.cls;
  if (record.ack && !(same && notice.kind == NoticeKind::escalate) && !planted(Planted::ack_outlives_class)) {
    decide(out, now, incident.id, "acknowledgement no longer counts",
           record.ack->by + " took it on when it was " + std::string(to_string(record.cls)) + " for " + record.owner);
    record.ack.reset();
  }
  const auto wanted = root_annotation(incident, "escalation");
  if (fresh && !wanted.empty() && !table_.escalations.empty() && !table_.escalations.contains(wanted))
    decide(out, now, incident.id, "escalation unknown",
           "there is no escalation '" + std::string(wanted) + "'; the owner's receiver is told instead");
  // The same cause, owner or class may come back after another: that is another message, too.
  if (!fresh && notice.kind == NoticeKind::escalate) ++record.round;
  record.incident = incident.id;
  record.cls = incident.cls;
  record.owner = incident.owner;
  record.plan = plan;
  restart(record, now);
  // What was stored of it could not be read, and it was opened again: nobody is told twice.
  if (fresh && notice.kind == NoticeKind::fire && notified_.contains(incident.id)) pass_first(incident, record);
  news_[incident.id] = {.why = notice.why, .first_steps = notice.first_steps, .readiness = notice.readiness};
  changed_.insert(incident.id);
}

/// All that is told at once has been told.
void Router::pass_first(const Incident& incident, EscalationRecord& record) const {
  const auto steps = plan_of(incident, record).steps;
  record.done = static_cast<std::uint32_t>(
      std::count_if(steps.begin(), steps.end(), [](const EscalationStep& s) { return s.after.count() == 0; }));
}

void Router::follow(const Incident& incident, std::span<const Incident> open, Time now, Routed& out) {
  const bool heard = notified_.contains(incident.id);
  if (!records_.contains(incident.id)) {
    begin({.kind = NoticeKind::fire, .incident = incident}, now, out);
    // Told by a release that kept no record: what is told is done.
    if (heard) pass_first(incident, records_.at(incident.id));
  }
  auto& record = records_.at(incident.id);
  const auto before = record;
  const auto mute = mute_of(incident, open, now);
  if (mute.kind != MuteKind::none) {
    if (record.mute == mute.kind && record.muted_by == mute.by) return;
    decide(out, now, incident.id, std::string(to_string(mute.kind)), mute.why);
    if (record.mute == MuteKind::none) record.muted_at = now;
    // The silence is over, only something else stands over it now: it is told anew when that has ended.
    const bool anew = record.mute == MuteKind::silenced || record.mute == MuteKind::maintenance;
    if (anew && mute.kind == MuteKind::inhibited && heard && !record.ack) {
      ++record.round;
      restart(record, now);
      record.muted_at = now;
    }
    record.mute = mute.kind;
    record.muted_by = mute.by;
    changed_.insert(incident.id);
    return;
  }
  if (record.mute != MuteKind::none) unmute(record, now, out);
  const auto plan = plan_of(incident, record);
  const auto due = advance(record, plan, now);
  for (const auto& one : due) send(one, plan, incident, now, out);
  if (now >= reminds_at(record, incident)) remind(record, incident, now, out);
  if (record != before) changed_.insert(incident.id);
}

Time Router::reminds_at(const EscalationRecord& record, const Incident& incident) const {
  if (!record.ack || record.ack->reminded || table_.remind_after.count() == 0) return Time::max();
  // What recovers needs no reminder; should it fire again, that is a step of its own.
  const auto fires = [](const AlertEvent& alert) { return alert.phase == AlertPhase::firing; };
  if (std::none_of(incident.alerts.begin(), incident.alerts.end(), fires)) return Time::max();
  return record.ack->at + table_.remind_after;
}

/// Somebody has it in hand, and yet something fires: whoever looks at the thread sees what.
void Router::remind(EscalationRecord& record, const Incident& incident, Time now, Routed& out) {
  constexpr std::size_t kNamed = 5;
  std::string names;
  std::size_t firing = 0;
  for (const auto& alert : incident.alerts) {
    if (alert.phase != AlertPhase::firing || ++firing > kNamed) continue;
    names += (names.empty() ? "" : ", ") + std::string(alert.labels.get("alertname"));
  }
  if (firing > kNamed) names += " and " + std::to_string(firing - kNamed) + " more";
  record.ack->reminded = true;
  auto why = "still firing " + format_duration(now - record.ack->at) + " after " + record.ack->by + " took it on: " + names;
  decide(out, now, incident.id, "reminded", why);
  tell_told({.kind = NoticeKind::update, .incident = incident, .why = std::move(why)}, now, out);
}

void Router::unmute(EscalationRecord& record, Time now, Routed& out) {
  std::string why;
  switch (record.mute) {
    case MuteKind::none:
    case MuteKind::inhibited: why = "the incident that stood over it has ended"; break;
    case MuteKind::silenced: why = "silence " + record.muted_by + " covers it no more"; break;
    case MuteKind::maintenance: why = "the maintenance is over"; break;
  }
  decide(out, now, record.incident, "no longer " + std::string(to_string(record.mute)), std::move(why));
  if (!notified_.contains(record.incident)) {
    if (!planted(Planted::step_counts_from_opening)) restart(record, now);
  } else if (record.mute == MuteKind::inhibited) {
    // Its page has been told; the clock of its steps stood still.
    record.since += now - record.muted_at;
  } else if (!record.ack) {
    ++record.round;
    restart(record, now);
  }
  record.mute = MuteKind::none;
  record.muted_by.clear();
  record.muted_at = Time{};
}

Router::Mute Router::mute_of(const Incident& incident, std::span<const Incident> open, Time now) const {
  if (tells_of_paging(incident)) return {};
  const auto labels = labels_of(incident);
  if (const auto* silence = silences_.covering(labels, now); silence != nullptr)
    return {MuteKind::silenced, silence->id,
            "silence " + silence->id + " by " + silence->created_by + " until " + format_time(silence->ends_at) + ": " +
                silence->comment};
  if (const auto* source = inhibitor(table_.inhibit_rules, incident, open); source != nullptr)
    return {MuteKind::inhibited, source->id, "incident " + source->id + " (" + source->root_alert + ") stands over it"};
  if (suppressing(table_.maintenance, needs_, incident.root_service, incident.cls, now) != nullptr)
    return {MuteKind::maintenance, incident.root_service,
            incident.root_service + ", or what it cannot work without, is in maintenance: " +
                std::string(to_string(incident.cls)) + " incidents are not told"};
  return {};
}

void Router::send(const EscalationDue& due, const EscalationPlan& plan, const Incident& incident, Time now, Routed& out) {
  const auto receiver = receiver_of(due.to, incident, now, out);
  if (!told_now_.insert({incident.id, receiver}).second) return;
  const auto& record = records_.at(incident.id);
  auto& told = notified_[incident.id];
  // Who hears of an incident with the first ones gets it from its beginning.
  if (told.empty()) new_now_.insert(incident.id);
  const bool first = new_now_.contains(incident.id);
  Notice notice{.kind = first ? NoticeKind::fire : NoticeKind::escalate, .incident = incident};
  const auto news = news_.find(incident.id);
  if (news != news_.end()) {
    notice.first_steps = news->second.first_steps;
    notice.readiness = news->second.readiness;
  }
  const auto& step = plan.steps.at(due.step);
  switch (due.why) {
    case EscalationDue::Why::first:
      if (news != news_.end() && !news->second.why.empty())
        notice.why = news->second.why;
      else if (record.round > 0 && told.contains(receiver))
        notice.why = "It is still open.";
      break;
    case EscalationDue::Why::step:
      notice.why =
          (step.unless_acked ? "Nobody has acknowledged within " : "It has lasted ") + format_duration(step.after) + ".";
      break;
    case EscalationDue::Why::hour: notice.why = "It was held back until this hour."; break;
    case EscalationDue::Why::repeat: notice.why = "Nobody has acknowledged yet."; break;
  }
  if (!notice.why.empty())
    decide(out, now, incident.id, due.why == EscalationDue::Why::repeat ? "told again" : "told on",
           receiver + ": " + notice.why);
  const DeliveryStep place{.step = due.step, .repeat = due.repeat, .round = record.round};
  out.deliveries.push_back({.key = delivery_key(notice, receiver, place),
                            .incident = incident.id,
                            .kind = notice.kind,
                            .receiver = receiver,
                            .body = to_json(notice),
                            .created_at = now});
  if (told.insert(receiver).second && !planted(Planted::forget_told))
    out.notified.push_back({.incident = incident.id, .receiver = receiver});
}

/// What is new for those who know of the incident already.
void Router::tell_told(const Notice& notice, Time now, Routed& out) const {
  const auto told = notified_.find(notice.incident.id);
  if (told == notified_.end()) return;
  for (const auto& receiver : told->second)
    out.deliveries.push_back({.key = delivery_key(notice, receiver),
                              .incident = notice.incident.id,
                              .kind = notice.kind,
                              .receiver = receiver,
                              .body = to_json(notice),
                              .created_at = now});
}

void Router::tell_end(const Notice& notice, Time now, Routed& out) {
  const auto& id = notice.incident.id;
  if (records_.erase(id) > 0) out.escalations_gone.push_back(id);
  changed_.erase(id);
  news_.erase(id);
  const auto told = notified_.find(id);
  if (told == notified_.end()) return;
  auto end = notice;
  if (planted(Planted::dedup_follows_merge) && !end.incident.merged_into.empty()) end.incident.id = end.incident.merged_into;
  const bool swallowed =
      planted(Planted::silence_swallows_end) && silences_.covering(labels_of(notice.incident), now) != nullptr;
  for (const auto& receiver : told->second) {
    if (swallowed || (planted(Planted::end_for_first_alone) && receiver != *told->second.begin())) continue;
    out.deliveries.push_back({.key = delivery_key(end, receiver),
                              .incident = id,
                              .kind = end.kind,
                              .receiver = receiver,
                              .body = to_json(end),
                              .created_at = now});
  }
  out.notified_gone.push_back(id);
  std::erase_if(out.notified, [&](const Notified& n) { return n.incident == id; });
  notified_.erase(told);
}

void Router::finish(std::span<const Incident> open, Time now, Routed& out) {
  // What is open no more and had no end told: its incident could not be read after a restart.
  std::set<std::string_view> ids;
  for (const auto& incident : open) ids.insert(incident.id);
  std::erase_if(records_, [&](const auto& entry) {
    if (ids.contains(entry.first)) return false;
    out.escalations_gone.push_back(entry.first);
    news_.erase(entry.first);
    return true;
  });
  for (const auto& id : changed_)
    if (const auto at = records_.find(id); at != records_.end()) out.escalations.push_back(at->second);
  changed_.clear();
  wake_ = Time::max();
  bool silenced = false;
  for (const auto& incident : open) {
    const auto& record = records_.at(incident.id);
    switch (record.mute) {
      case MuteKind::none:
        wake_ = std::min({wake_, next_due(record, plan_of(incident, record), now), reminds_at(record, incident)});
        break;
      case MuteKind::inhibited: break;  // ends with a notice
      case MuteKind::silenced: silenced = true; break;
      case MuteKind::maintenance: wake_ = std::min(wake_, next_minute(now)); break;
    }
  }
  if (silenced) wake_ = std::min(wake_, silences_.next_change(now));
  wake_ = std::max(wake_, now + milliseconds{1});
}

std::vector<Notified> Router::state() const {
  std::vector<Notified> out;
  for (const auto& [incident, receivers] : notified_)
    for (const auto& receiver : receivers) out.push_back({.incident = incident, .receiver = receiver});
  return out;
}

const EscalationRecord* Router::escalation(const std::string& incident) const {
  const auto at = records_.find(incident);
  return at == records_.end() ? nullptr : &at->second;
}

std::set<std::string> Router::told(const std::string& incident) const {
  const auto at = notified_.find(incident);
  return at == notified_.end() ? std::set<std::string>{} : at->second;
}

}  // namespace ward::collector
