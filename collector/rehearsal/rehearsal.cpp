#include "collector/rehearsal/rehearsal.hpp"

#include <algorithm>

#include "collector/event/json.hpp"
#include "common/base/assert.hpp"

namespace ward::collector {
namespace {

/// The collector looks again after so long at the latest; also what keeps a deadline that does not move from being tried
/// for ever.
constexpr milliseconds kLongestSleep{1'000};

}  // namespace

Rehearsal::Rehearsal(Sandbox& sandbox, Setting setting, Time start)
    : sandbox_(sandbox),
      setting_(std::move(setting)),
      rules_(make_rule_context(sandbox.compiler(), setting_.external_labels, setting_.external_url), sandbox.clock(),
             sandbox.store()),
      now_(start) {
  sandbox_.clock().set(start);
  rules_.reload(setting_.rules, start);
  if (!setting_.book) return;
  const auto& book = *setting_.book;
  correlation_.emplace(book.services, book.correlation);
  router_.emplace(book.routing, RoutingState{},
                  [&book](const std::string& service, const std::string& on) { return book.services.needs(service, on); });
}

std::vector<RuleFailure> Rehearsal::step(Time now, std::span<const std::size_t> groups, std::span<const AlertEvent> told) {
  pass(now);
  std::vector<RuleFailure> failures;
  std::vector<AlertEvent> events;
  for (const auto group : groups) {
    auto some = rules_.evaluate(group, now);
    const bool firing =
        std::any_of(some.begin(), some.end(), [](const auto& alert) { return alert.phase == AlertPhase::firing; });
    if (firing) note_fired(group);
    std::move(some.begin(), some.end(), std::back_inserter(events));
    const auto& rules = rules_.rules().groups[group].rules;
    for (std::size_t r = 0; r < rules.size(); ++r)
      if (const auto& error = rules_.health(group, r).last_error; !error.empty())
        failures.push_back({rules[r].name, now, error});
  }
  events.insert(events.end(), told.begin(), told.end());
  settle(events, now);
  return failures;
}

void Rehearsal::pass(Time until) {
  WARD_ASSERT(until >= now_);
  while (correlation_) {
    const auto wake = std::min(correlation_->next_wake(), router_->next_wake());
    if (wake >= until) break;
    settle({}, wake > now_ ? wake : std::min(until, now_ + kLongestSleep));
    if (now_ >= until) break;
  }
  now_ = until;
  sandbox_.clock().set(until);
}

void Rehearsal::settle(std::span<const AlertEvent> events, Time now) {
  now_ = now;
  sandbox_.clock().set(now);
  if (!correlation_) return;
  auto folded = correlation_->fold(events, now);
  for (const auto& record : folded.incidents) incidents_.insert_or_assign(record.incident.id, record.incident);
  std::move(folded.decisions.begin(), folded.decisions.end(), std::back_inserter(decisions_));
  auto routed = router_->route(folded.notices, correlation_->open(), now);
  std::move(routed.decisions.begin(), routed.decisions.end(), std::back_inserter(decisions_));
  for (const auto& delivery : routed.deliveries) {
    if (!keys_.insert(delivery.key).second) continue;
    auto notice = notice_from_json(delivery.body);
    // The router has just written it.
    WARD_ASSERT(notice.has_value());
    sent_.push_back({.at = now, .receiver = delivery.receiver, .notice = std::move(*notice)});
  }
}

void Rehearsal::note_fired(std::size_t group) {
  const auto& rules = rules_.rules().groups[group].rules;
  for (const auto& state : rules_.save(group)) {
    if (state.phase != AlertPhase::firing) continue;
    const auto rule = std::find_if(rules.begin(), rules.end(), [&](const Rule& r) { return r.identity == state.rule; });
    fired_.emplace(group, static_cast<std::size_t>(rule - rules.begin()));
  }
}

}  // namespace ward::collector
