// What outlives a restart: ledgers, alerts, what is seeded.
#include <algorithm>

#include "collector/slo/engine.hpp"

namespace ward::collector::slo {

void SloEngine::adopt(StoredSlos stored, Time now) {
  if (stored.counted_through != Time{}) counted_through_ = std::max(counted_through_, stored.counted_through);
  // What was planned while nobody was there is found out at the first tick.
  if (!ticked_ && marked_through_ == Minute{} && stored.counted_through != Time{})
    marked_through_ = std::min(minute_of(stored.counted_through), minute_of(now));
  for (auto& slo : slos_) {
    if (std::find(stored.seeded.begin(), stored.seeded.end(), slo->identity) == stored.seeded.end()) continue;
    slo->was_saved = true;
    // Without history there is nothing more to count.
    if (slo->seed == nullptr && (context_.history == nullptr || !slo->native)) slo->seeded = true;
  }
  for (auto& [key, blocks] : stored.ledgers) {
    const auto slo = std::find_if(slos_.begin(), slos_.end(), [&](const auto& s) { return s->identity == key.identity; });
    if (slo == slos_.end() || !(*slo)->spec.components.empty() || (*slo)->groups.contains(key.group)) continue;
    if ((*slo)->groups.size() >= (*slo)->spec.max_groups || ledgers_ >= context_.options.max_ledgers) {
      ++counts_.refused_groups;
      continue;
    }
    auto& group = make_group(**slo, key.group);
    group.last_sample = now;
    counts_.damaged_blocks += group.ledger->restore(blocks);
  }
  restore_alerts(std::move(stored.alerts));
  for (auto& slo : slos_) slo->is_new = false;
  loaded_ = true;
}

void SloEngine::restore_alerts(std::vector<StoredSloAlert> stored) {
  for (auto& alert : stored) {
    const auto slo = std::find_if(slos_.begin(), slos_.end(), [&](const auto& s) { return s->spec.name == alert.slo; });
    const auto name = alert.event.labels.get("alertname");
    // What runs knows its alerts better than the last save, and what ended since was told by then.
    if (slo == slos_.end() ? loaded_ : !(*slo)->is_new) continue;
    if (slo == slos_.end()) {
      orphans_.push_back(std::move(alert));
      continue;
    }
    if (name == kNoDataAlert) {
      (*slo)->absent.restore(std::move(alert.event));
      continue;
    }
    auto group = project(alert.event.labels, (*slo)->spec.group_by);
    const auto known = (*slo)->groups.find(group);
    // The groups of a composite follow from its parts, at the first tick.
    if (known == (*slo)->groups.end() && (*slo)->spec.components.empty()) {
      orphans_.push_back(std::move(alert));
      continue;
    }
    auto& state = known == (*slo)->groups.end() ? make_group(**slo, std::move(group)) : *known->second;
    (name == kSpentAlert ? state.spent : state.burning).restore(std::move(alert.event));
  }
}

LedgerChange SloEngine::take_changes() {
  LedgerChange change;
  change.counted_through = counted_through_;
  for (auto& slo : slos_) {
    if (slo->seeded) change.seeded.push_back(slo->identity);
    const auto keep = [&](const AlertHold& hold) {
      if (hold.active()) change.alerts.push_back({slo->spec.name, *hold.active()});
    };
    keep(slo->absent);
    for (auto& [labels, group] : slo->groups) {
      keep(group->burning);
      keep(group->spent);
      if (!group->ledger) continue;
      auto blocks = group->ledger->take_changed();
      if (!blocks.empty()) change.ledgers.push_back({{slo->identity, labels}, std::move(blocks)});
    }
  }
  return change;
}

Status SloEngine::save() {
  if (context_.store == nullptr) return {};
  LedgerChange change;
  {
    const std::scoped_lock lock(mutex_);
    change = take_changes();
  }
  const auto done = context_.store->save(change);
  const std::scoped_lock lock(mutex_);
  for (auto& slo : slos_) {
    for (auto& [labels, group] : slo->groups) {
      if (!group->ledger) continue;
      if (done)
        group->ledger->saved();
      else
        group->ledger->not_saved();
    }
  }
  return done;
}

}  // namespace ward::collector::slo
