// What people and reports ask of the ledgers.
#include <algorithm>

#include "collector/slo/engine.hpp"

namespace ward::collector::slo {
namespace {

BudgetState promised(const SloState& slo) {
  BudgetState out;
  out.slo = slo.spec.name;
  out.service = slo.spec.service;
  out.target = slo.spec.target;
  out.length = format_period(slo.spec.period);
  out.rolling = slo.spec.period.rolling;
  out.freezes = slo.spec.freeze;
  out.composite = !slo.spec.components.empty();
  out.budgeting = slo.spec.budgeting;
  out.no_data = slo.spec.no_data;
  out.absent = slo.absent.fires();
  out.workflow = slo.spec.workflow;
  out.origin = slo.spec.origin;
  out.burn = slo.spec.burn;
  return out;
}

/// What `over`, the state of `range`, says of the group.
BudgetState budget_of(const SloState& slo, const GroupState& group, const WindowState& over, MinuteRange range) {
  auto out = promised(slo);
  out.group = group.labels;
  out.target = group.target;
  if (over.bad_ratio) out.sli = 1 - *over.bad_ratio;
  out.coverage = over.coverage;
  out.events = to_events(over.sums.total);
  out.bad_events = to_events(std::clamp<Amount>(over.sums.bad, 0, std::max<Amount>(0, over.sums.total)));
  out.excluded = minutes{over.sums.excluded};
  out.period = range;
  out.frozen = group.frozen;
  return out;
}

BudgetState state_of(const SloState& slo, const GroupState& group) {
  auto out = budget_of(slo, group, group.period, group.period_range);
  out.budget_remaining = group.budget_remaining;
  out.last_sample = group.last_sample;
  out.alert = group.burning.active();
  for (std::size_t i = 0; i < group.windows.size() && i < slo.plan.lengths.size(); ++i) {
    const auto& window = group.windows[i];
    BudgetWindow of{.length = slo.plan.lengths[i], .bad_ratio = window.bad_ratio, .burn = {}, .coverage = window.coverage};
    if (window.bad_ratio) of.burn = burn_rate(*window.bad_ratio, group.target);
    out.windows.push_back(of);
  }
  return out;
}

}  // namespace

std::vector<BudgetState> SloEngine::budgets() const {
  const std::scoped_lock lock(mutex_);
  std::vector<BudgetState> out;
  for (const auto& slo : slos_) {
    for (const auto& [labels, group] : slo->groups) out.push_back(state_of(*slo, *group));
    if (!slo->groups.empty()) continue;
    out.push_back(promised(*slo));
    out.back().counted = false;
  }
  return out;
}

std::vector<BudgetState> SloEngine::budgets_over(Time from, Time to) const {
  const std::scoped_lock lock(mutex_);
  const MinuteRange range{minute_of(from), std::chrono::ceil<minutes>(to)};
  std::vector<BudgetState> out;
  for (const auto& slo : slos_) {
    for (const auto& [labels, group] : slo->groups) {
      const auto state = judge_range(*slo, *group, number_of(range.from), number_of(range.to));
      out.push_back(budget_of(*slo, *group, state, range));
      if (state.bad_ratio) out.back().budget_remaining = 1 - burn_rate(*state.bad_ratio, group->target);
    }
  }
  return out;
}

std::vector<LedgerMinutes> SloEngine::ledgers_of(MinuteRange range) const {
  const std::scoped_lock lock(mutex_);
  std::vector<LedgerMinutes> out;
  for (const auto& slo : slos_)
    for (const auto& [labels, group] : slo->groups)
      if (group->ledger)
        out.push_back({.slo = slo->spec.name,
                       .service = slo->spec.service,
                       .group = labels,
                       .target = group->target,
                       .no_data = slo->spec.no_data,
                       .counting = slo->counting,
                       .range = range,
                       .cells = {}});
  return out;
}

/// Under the lock for this one block; nullopt when the ledger is gone or no longer keeps it.
std::optional<BlockCells> SloEngine::kept_block(const LedgerMinutes& of, std::string& identity, BlockNumber number) const {
  const std::scoped_lock lock(mutex_);
  const auto slo = std::find_if(slos_.begin(), slos_.end(), [&](const auto& s) { return s->spec.name == of.slo; });
  if (slo == slos_.end()) return std::nullopt;
  const auto group = (*slo)->groups.find(of.group);
  if (group == (*slo)->groups.end() || !group->second->ledger) return std::nullopt;
  identity = (*slo)->identity;
  return group->second->ledger->block(number);
}

void SloEngine::visit_minutes(MinuteRange range, const std::function<void(const LedgerMinutes&)>& visit) const {
  const auto from = number_of(range.from);
  const auto to = number_of(range.to);
  for (auto& ledger : ledgers_of(range)) {
    ledger.cells.resize(static_cast<std::size_t>(std::max<std::int64_t>(0, to - from)));
    for (auto number = block_of(from); first_minute(number) < to; ++number) {
      std::string identity;
      auto cells = kept_block(ledger, identity, number);
      if (!cells && !identity.empty() && context_.store != nullptr)
        if (const auto bytes = context_.store->block({identity, ledger.group}, number); bytes && is_whole_block(*bytes))
          cells = decode_block(*bytes);
      if (!cells) continue;
      for (std::int64_t i = 0; i < kBlockMinutes; ++i) {
        const auto minute = first_minute(number) + i;
        if (minute >= from && minute < to)
          ledger.cells[static_cast<std::size_t>(minute - from)] = (*cells)[static_cast<std::size_t>(i)];
      }
    }
    visit(ledger);
    ledger.cells = {};
  }
}

}  // namespace ward::collector::slo
