#include "collector/alerting/engine.hpp"

#include <algorithm>

#include "common/base/assert.hpp"
#include "common/model/sample.hpp"

namespace ward::collector {
namespace {

std::string_view file_of(std::string_view group_key) { return group_key.substr(0, group_key.rfind(';')); }

/// Whether the rule could yield an alert with these labels, as far as its name and the labels it fixes tell.
bool may_yield(const Rule& rule, const Labels& labels) {
  if (rule.kind != Rule::Kind::alert || labels.get("alertname") != rule.name) return false;
  return std::all_of(rule.labels.begin(), rule.labels.end(), [&](const auto& label) {
    const auto& [name, value] = label;
    return value.text().find("{{") != std::string::npos || labels.get(name) == value.text();
  });
}

}  // namespace

Time next_tick(const RuleGroup& group, Time now) {
  const auto interval = group.interval.count();
  WARD_ASSERT(interval > 0);
  const auto hash = Labels{{"file", group.file}, {"name", group.name}}.hash();
  const auto offset = static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(interval));
  const auto since = to_ms(now) - offset;
  const auto passed = since >= 0 ? since / interval : -((-since + interval - 1) / interval);
  return from_ms((passed + 1) * interval + offset);
}

RuleEngine::RuleEngine(RuleContext context, const Clock& clock, RuleOutput& output)
    : context_(std::move(context)), clock_(clock), output_(output), rules_(std::make_shared<RuleSet>()) {}
RuleEngine::~RuleEngine() = default;

std::vector<AlertEvent> RuleEngine::reload(std::shared_ptr<const RuleSet> rules, Time now) {
  std::vector<AlertEvent> events;
  struct Old {
    std::size_t group;
    std::size_t rule;
  };
  std::map<std::pair<std::string, std::string>, Old> known;
  std::map<std::string, std::size_t> groups;
  for (std::size_t g = 0; g < rules_->groups.size(); ++g) {
    groups.emplace(rules_->groups[g].key(), g);
    for (std::size_t r = 0; r < rules_->groups[g].rules.size(); ++r)
      known.emplace(std::pair(rules_->groups[g].key(), rules_->groups[g].rules[r].identity), Old{g, r});
  }

  std::vector<GroupSlot> fresh;
  for (const auto& group : rules->groups) {
    GroupSlot slot;
    slot.next_tick = next_tick(group, now);
    if (const auto it = groups.find(group.key()); it != groups.end()) {
      slot.evaluated_at = slots_[it->second].evaluated_at;
      slot.missed = slots_[it->second].missed;
    }
    slot.rules.resize(group.rules.size());
    for (std::size_t r = 0; r < group.rules.size(); ++r) {
      const auto it = known.find({group.key(), group.rules[r].identity});
      if (it == known.end()) continue;
      slot.rules[r] = std::move(slots_[it->second.group].rules[it->second.rule]);
      slot.rules[r].alerts.apply(group.rules[r], now, events);
      known.erase(it);
    }
    fresh.push_back(std::move(slot));
  }
  for (const auto& [key, old] : known) {
    auto& slot = slots_[old.group].rules[old.rule];
    slot.alerts.end(rules_->groups[old.group].rules[old.rule], now, events);
    publish(slot, {}, now);
  }
  rules_ = std::move(rules);
  slots_ = std::move(fresh);
  index_metrics();
  return events;
}

void RuleEngine::index_metrics() {
  urgent_readers_.clear();
  for (std::size_t g = 0; g < rules_->groups.size(); ++g) {
    for (const auto& rule : rules_->groups[g].rules) {
      if (rule.kind != Rule::Kind::alert || rule.cls < AlertClass::urgent || rule.expression == nullptr) continue;
      for (const auto& metric : rule.expression->metrics()) {
        auto& readers = urgent_readers_[metric];
        if (readers.empty() || readers.back() != g) readers.push_back(g);
      }
    }
  }
}

std::vector<std::size_t> RuleEngine::groups_reading(std::span<const std::string> metrics) const {
  std::set<std::size_t> groups;
  for (const auto& metric : metrics)
    if (const auto it = urgent_readers_.find(metric); it != urgent_readers_.end())
      groups.insert(it->second.begin(), it->second.end());
  return {groups.begin(), groups.end()};
}

/// When a group is to be evaluated next, by tick or by a hold that ends.
Time RuleEngine::tick_of(std::size_t g, Time now) const {
  const auto& group = rules_->groups[g];
  const auto& slot = slots_[g];
  // A clock that stepped back must not silence the group until it has caught up; the tick after `now` would never come.
  Time due = slot.next_tick > now + group.interval ? now : slot.next_tick;
  const Time after = std::min(slot.evaluated_at, now);
  for (std::size_t r = 0; r < group.rules.size(); ++r)
    if (group.rules[r].kind == Rule::Kind::alert) due = std::min(due, slot.rules[r].alerts.next_due(group.rules[r], after));
  return due;
}

std::vector<std::size_t> RuleEngine::due(Time now) const {
  std::vector<std::size_t> groups;
  for (std::size_t g = 0; g < slots_.size(); ++g)
    if (tick_of(g, now) <= now) groups.push_back(g);
  return groups;
}

Time RuleEngine::next_wake(Time now) const {
  Time wake = Time::max();
  for (std::size_t g = 0; g < slots_.size(); ++g) wake = std::min(wake, std::max(now, tick_of(g, now)));
  return wake;
}

std::vector<AlertEvent> RuleEngine::evaluate(std::size_t g, Time now) {
  WARD_ASSERT(g < slots_.size());
  const auto& group = rules_->groups[g];
  auto& slot = slots_[g];
  if (now >= slot.next_tick) {
    slot.missed += static_cast<std::uint64_t>((now - slot.next_tick) / group.interval);
    slot.next_tick = next_tick(group, now);
  } else if (slot.next_tick > now + group.interval) {
    slot.next_tick = next_tick(group, now);
  }
  slot.evaluated_at = now;

  std::vector<AlertEvent> events;
  for (std::size_t r = 0; r < group.rules.size(); ++r) {
    auto& rule_slot = slot.rules[r];
    const auto started = clock_.mono();
    const auto done = run(group, group.rules[r], rule_slot, now, events);
    auto& health = rule_slot.health;
    health.last_duration = clock_.mono() - started;
    health.last_evaluation = now;
    ++health.evaluations;
    health.last_error = done ? std::string{} : done.error().what;
    if (!done) ++health.failures;
  }
  return events;
}

Status RuleEngine::run(const RuleGroup& group, const Rule& rule, RuleSlot& slot, Time now, std::vector<AlertEvent>& events) {
  const Time at = now - group.query_offset;
  auto result = rule.evaluate(at);
  if (!result) return fail(result.error());
  std::vector<SeriesValue> series;
  auto done = rule.kind == Rule::Kind::alert ? slot.alerts.advance(rule, context_, *result, group.limit, now, events, series)
                                             : record(rule, *result, group.limit, series);
  if (!done) return done;
  publish(slot, std::move(series), at);
  return {};
}

Status RuleEngine::record(const Rule& rule, const Vector& result, std::size_t limit, std::vector<SeriesValue>& series) {
  std::set<Labels> seen;
  for (const auto& sample : result) {
    Labels labels = sample.labels.with(kNameLabel, rule.name);
    for (const auto& [name, text] : rule.labels) labels.set(name, text.text());
    if (!seen.insert(labels).second) {
      return fail(Errc::invalid, "vector contains metrics with the same labelset after applying rule labels",
                  "Let the expression keep what tells the series apart.");
    }
    series.push_back({std::move(labels), sample.value});
  }
  if (limit == 0 || series.size() <= limit) return {};
  return fail(Errc::overloaded,
              "exceeded limit of " + std::to_string(limit) + " with " + std::to_string(series.size()) + " series",
              "Aggregate the expression or raise the group's limit.");
}

void RuleEngine::publish(RuleSlot& slot, std::vector<SeriesValue> series, Time at) {
  std::set<Labels> now_there;
  for (const auto& value : series) now_there.insert(value.series);
  for (const auto& labels : slot.series)
    if (!now_there.contains(labels)) series.push_back({labels, stale_marker()});
  slot.series = std::move(now_there);
  if (!series.empty()) output_.write(at, series);
}

std::vector<AlertEvent> RuleEngine::current() const {
  std::vector<AlertEvent> all;
  for (std::size_t g = 0; g < slots_.size(); ++g) {
    for (std::size_t r = 0; r < slots_[g].rules.size(); ++r) {
      auto some = slots_[g].rules[r].alerts.current(rules_->groups[g].rules[r]);
      std::move(some.begin(), some.end(), std::back_inserter(all));
    }
  }
  return all;
}

std::vector<AlertState> RuleEngine::save() const {
  std::vector<AlertState> all;
  for (std::size_t g = 0; g < slots_.size(); ++g) {
    auto some = save(g);
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  return all;
}

std::vector<AlertState> RuleEngine::save(std::size_t g) const {
  WARD_ASSERT(g < slots_.size());
  std::vector<AlertState> all;
  for (std::size_t r = 0; r < slots_[g].rules.size(); ++r) {
    auto some = slots_[g].rules[r].alerts.save(rules_->groups[g].key(), rules_->groups[g].rules[r]);
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  return all;
}

std::vector<AlertState> RuleEngine::restore(std::span<const AlertState> states, Time now) {
  std::map<std::pair<std::string, std::string>, RuleSlot*> slots;
  for (std::size_t g = 0; g < slots_.size(); ++g)
    for (std::size_t r = 0; r < slots_[g].rules.size(); ++r)
      slots.emplace(std::pair(rules_->groups[g].key(), rules_->groups[g].rules[r].identity), &slots_[g].rules[r]);
  std::vector<const AlertState*> orphans;
  std::set<const RuleSlot*> settled;
  for (const auto& state : states) {
    const auto it = slots.find({state.group, state.rule});
    if (it == slots.end()) {
      orphans.push_back(&state);
      continue;
    }
    it->second->alerts.restore(state, now);
    settled.insert(it->second);
  }
  std::vector<AlertState> lost;
  for (const auto* orphan : orphans) {
    auto* slot = orphan->phase == AlertPhase::firing ? adopter(*orphan, settled) : nullptr;
    if (slot == nullptr)
      lost.push_back(*orphan);
    else if (!slot->alerts.contains(orphan->labels))
      slot->alerts.restore(*orphan, now);
  }
  return lost;
}

/// The rule that most likely is the orphan's own, edited: the nearest one, and of those rather one that has not got its
/// alerts back already (`settled`).
RuleEngine::RuleSlot* RuleEngine::adopter(const AlertState& orphan, const std::set<const RuleSlot*>& settled) {
  RuleSlot* best = nullptr;
  std::pair<int, bool> best_rank;
  for (std::size_t g = 0; g < slots_.size(); ++g) {
    const auto key = rules_->groups[g].key();
    const int distance = key == orphan.group ? 0 : file_of(key) == file_of(orphan.group) ? 1 : 2;
    for (std::size_t r = 0; r < slots_[g].rules.size(); ++r) {
      if (!may_yield(rules_->groups[g].rules[r], orphan.labels)) continue;
      auto* slot = &slots_[g].rules[r];
      const std::pair rank{distance, settled.contains(slot)};
      if (best != nullptr && best_rank <= rank) continue;
      best = slot;
      best_rank = rank;
    }
  }
  return best;
}

bool RuleEngine::awaits(std::string_view alertname) const {
  for (std::size_t g = 0; g < slots_.size(); ++g) {
    if (slots_[g].evaluated_at != Time{}) continue;
    for (const auto& rule : rules_->groups[g].rules)
      if (rule.kind == Rule::Kind::alert && rule.name == alertname) return true;
  }
  return false;
}

RulesSnapshot RuleEngine::snapshot() const {
  RulesSnapshot out{rules_, {}, {}};
  out.health.reserve(slots_.size());
  out.missed.reserve(slots_.size());
  for (const auto& slot : slots_) {
    out.missed.push_back(slot.missed);
    auto& group = out.health.emplace_back();
    group.reserve(slot.rules.size());
    for (const auto& rule : slot.rules) group.push_back(rule.health);
  }
  return out;
}

const RuleHealth& RuleEngine::health(std::size_t group, std::size_t rule) const {
  WARD_ASSERT(group < slots_.size() && rule < slots_[group].rules.size());
  return slots_[group].rules[rule].health;
}

}  // namespace ward::collector
