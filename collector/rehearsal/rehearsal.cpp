#include "collector/rehearsal/rehearsal.hpp"

#include <algorithm>

#include "collector/event/json.hpp"
#include "common/base/assert.hpp"

namespace ward::collector {
namespace {

/// The collector looks again after so long at the latest; also what keeps a deadline that does not move from being tried
/// for ever.
constexpr milliseconds kLongestSleep{1'000};

std::unique_ptr<SloStage> stage_of(Sandbox& sandbox, const Rehearsal::Setting& setting, Time start) {
  if (setting.slos.slos.empty()) return nullptr;
  return std::make_unique<SloStage>(
      sandbox,
      SloStage::Setting{.slos = setting.slos, .book = setting.book, .tick = setting.slo_tick, .writes = setting.slo_series},
      setting.slos_from.value_or(start));
}

}  // namespace

Rehearsal::Rehearsal(Sandbox& sandbox, Setting setting, Time start)
    : sandbox_(sandbox),
      setting_(std::move(setting)),
      slos_(stage_of(sandbox, setting_, start)),
      rules_(make_rule_context(sandbox.compiler(), setting_.external_labels, setting_.external_url), sandbox.clock(),
             slos_ ? static_cast<RuleOutput&>(*slos_) : sandbox.store()),
      now_(start) {
  sandbox_.clock().set(start);
  rules_.reload(setting_.rules, start);
  if (!setting_.book || !setting_.pages) return;
  const auto& book = *setting_.book;
  correlation_.emplace(book.services, book.correlation);
  router_.emplace(book.routing, RoutingState{},
                  [&book](const std::string& service, const std::string& on) { return book.services.needs(service, on); });
}

void Rehearsal::arrive(const Labels& series, std::span<const Sample> samples) {
  if (slos_) slos_->arrive(series, samples);
}

void Rehearsal::seed_slos(Time until) {
  if (slos_) slos_->seed(until);
}

std::vector<AlertEvent> Rehearsal::alerts() const {
  auto out = rules_.current();
  if (slos_)
    for (auto& alert : slos_->alerts()) out.push_back(std::move(alert));
  return out;
}

std::vector<RuleFailure> Rehearsal::step(Time now, std::span<const std::size_t> groups, std::span<const AlertEvent> told) {
  pass(now);
  std::vector<RuleFailure> failures;
  auto events = judge_slos(now);  // first: rules see what it writes
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
  for (auto wake = next_move(); wake < until && now_ < until; wake = next_move()) {
    const auto now = wake > now_ ? wake : std::min(until, now_ + kLongestSleep);
    settle(judge_slos(now), now);
  }
  now_ = until;
  sandbox_.clock().set(until);
}

/// When somebody acts by himself: correlation, routing, or the next judgement of SLOs.
Time Rehearsal::next_move() const {
  auto out = slos_ ? slos_->next_tick() : Time::max();
  if (correlation_) out = std::min({out, correlation_->next_wake(), router_->next_wake()});
  return out;
}

std::vector<AlertEvent> Rehearsal::judge_slos(Time now) {
  if (!slos_) return {};
  sandbox_.clock().set(now);
  return slos_->tick(now);
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
