// Samples on arrival, and the answers of PromQL sources, which are samples too.
#include <algorithm>
#include <cmath>

#include "collector/slo/engine.hpp"

namespace ward::collector::slo {
namespace {

constexpr std::size_t kMostRepairs = 100;
constexpr std::size_t kMostAsked = 10'000;  // elements of one SLO's expressions

struct Effect {
  Amount bad = 0;
  Amount total = 0;
};

/// What an amount of events of this source means. With good and total, events are bad until they are told to be good.
Effect effect_of(const Indicator& indicator, SliRole role, Amount amount) {
  switch (role) {
    case SliRole::good: return {-amount, 0};
    case SliRole::bad: return {amount, 0};
    case SliRole::total: {
      const bool by_good = std::any_of(indicator.sources.begin(), indicator.sources.end(),
                                       [](const SliSource& s) { return s.role == SliRole::good; });
      return {by_good ? amount : 0, amount};
    }
    case SliRole::raw_good:
    case SliRole::raw_bad:
    case SliRole::threshold:
    case SliRole::up: break;
  }
  return {};
}

/// What one measurement means: one event, good or bad or something between.
Effect judged(const Indicator& indicator, SliRole role, double value) {
  switch (role) {
    case SliRole::threshold: return {holds(indicator.op, value, indicator.limit) ? 0 : kOne, kOne};
    case SliRole::raw_good: return {kOne - to_amount(std::clamp(value, 0.0, 1.0)), kOne};
    case SliRole::raw_bad: return {to_amount(std::clamp(value, 0.0, 1.0)), kOne};
    case SliRole::good:
    case SliRole::bad:
    case SliRole::total: return effect_of(indicator, role, std::max<Amount>(0, to_amount(value)));
    case SliRole::up: break;
  }
  return {};
}

}  // namespace

void SloEngine::append(std::span<const wire::IdSample> samples) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [id, t, v] : samples) {
    if (id >= entry_of_.size() || entry_of_[id] == 0) continue;
    if (is_stale(v)) continue;
    if (ticked_ && t > last_tick_ + context_.options.max_ahead) {
      ++counts_.ahead;
      continue;
    }
    counted_through_ = std::max(counted_through_, t);
    auto& series = series_[entry_of_[id] - 1];
    if (series.starts && v > 0 && v < 1e11) started_[*series.starts] = Time{milliseconds{std::llround(v * 1000)}};
    for (auto& slot : series.slots) take(slot, {t, v});
  }
}

std::optional<Time> SloEngine::started(std::uint64_t process) const {
  const auto found = started_.find(process);
  return found == started_.end() ? std::nullopt : std::optional{found->second};
}

void SloEngine::take(Slot& slot, Sample sample) {
  auto& slo = *slot.slo;
  // What is older than the beginning of counting on arrival is counted from history.
  if (slot.live_from && sample.t < *slot.live_from && slo.seed != nullptr) return;
  bool from_zero = false;
  if (slot.memory.empty()) {
    from_zero = slo.sources.start_is_known(slot.process, sample.t, started(slo.sources.process_of(slot.process)));
    slot.live_from = sample.t;
    slot.live_from_zero = from_zero;
  }
  slo.sources.seen(slot.process, sample.t);
  if (count(slo, *slot.group, slot.source, slot.memory, sample, from_zero) == Intake::too_late) ask_again(slot, sample.t);
}

void SloEngine::add(GroupState& group, Time at, Amount bad, Amount total) {
  if (!group.ledger->add(number_of(minute_of(at)), bad, total)) ++counts_.too_old;
}

Intake SloEngine::count(SloState& slo, GroupState& group, std::size_t source, SeriesMemory& memory, Sample sample,
                        bool from_zero, Time count_from) {
  const auto& indicator = slo.spec.indicator;
  const auto& from = indicator.sources[source];
  Gains gains;
  const auto taken = from.counter ? memory.counter(sample, from_zero, gains) : memory.gauge(sample);
  switch (taken) {
    case Intake::duplicate: ++counts_.duplicates; return taken;
    case Intake::invalid: ++counts_.invalid; return taken;
    case Intake::too_late: return taken;
    case Intake::counted: break;
  }
  group.last_sample = std::max(group.last_sample, sample.t);
  if (sample.t < count_from) return taken;
  ++counts_.samples;
  if (from.counter) {
    for (std::size_t i = 0; i < gains.size; ++i) {
      const auto [bad, total] = effect_of(indicator, from.role, gains.list[i].amount);
      add(group, gains.list[i].at, bad, total);
    }
  } else if (from.role == SliRole::up) {
    const bool up = sample.v != 0;
    if (!group.ledger->mark(number_of(minute_of(sample.t)), up ? Cell::kUp : Cell::kDown)) ++counts_.too_old;
  } else {
    const auto [bad, total] = judged(indicator, from.role, sample.v);
    add(group, sample.t, bad, total);
  }
  return taken;
}

void SloEngine::ask_again(const Slot& slot, Time late) {
  const auto from = minute_of(late);
  const auto to = minute_of(slot.memory.oldest().t) + minutes{1};
  for (auto& repair : repairs_) {
    if (repair.slo != slot.slo || repair.to < from || repair.from > to) continue;
    repair.from = std::min(repair.from, from);
    repair.to = std::max(repair.to, to);
    return;
  }
  if (context_.history == nullptr || repairs_.size() >= kMostRepairs) {
    ++counts_.too_old;
    return;
  }
  repairs_.push_back({slot.slo, from, to});
}

std::vector<std::pair<SloState*, std::size_t>> SloEngine::due_queries(Time now) {
  std::vector<std::pair<SloState*, std::size_t>> out;
  if (!context_.query) return out;
  for (auto& slo : slos_) {
    // Once a minute, so that each minute weighs the same however often the owner ticks.
    if (slo->native || slo->spec.indicator.sources.empty() || slo->asked_at == minute_of(now)) continue;
    slo->asked_at = minute_of(now);
    for (std::size_t i = 0; i < slo->spec.indicator.sources.size(); ++i) out.emplace_back(slo.get(), i);
  }
  return out;
}

void SloEngine::feed(const std::vector<PromqlAnswer>& answers, Time now) {
  for (const auto& answer : answers) {
    auto& slo = *answer.slo;
    counted_through_ = std::max(counted_through_, now);
    for (const auto& [labels, value] : answer.values) {
      const auto key = memory_key(answer.source, labels.hash());
      auto known = slo.asked.find(key);
      if (known == slo.asked.end()) {
        auto* group = slo.asked.size() < kMostAsked ? group_of(slo, labels) : nullptr;
        if (group == nullptr) continue;
        known = slo.asked.emplace(key, QueryMemory{group, {}}).first;
      }
      count(slo, *known->second.group, answer.source, known->second.memory, {now, value}, false);
    }
  }
}

void SloEngine::mark_maintenance(Time now) {
  const auto current = minute_of(now);
  auto from = ticked_ || marked_through_ != Minute{} ? marked_through_ + minutes{1} : current;
  from = std::clamp(from, current - minutes{1'440}, current);
  marked_through_ = current;
  if (!context_.maintenance) return;
  for (auto& slo : slos_) {
    if (!slo->spec.exclude_maintenance) continue;
    for (auto& [labels, group] : slo->groups) {
      if (!group->ledger) continue;
      for (auto m = from; m <= current; m += minutes{1}) {
        if (!context_.maintenance(slo->spec.service, labels, Time{m})) continue;
        using namespace std::chrono;
        const year_month_day date{floor<days>(m)};
        const auto month = static_cast<int>(date.year()) * 12 + static_cast<int>(static_cast<unsigned>(date.month()));
        if (group->excluded_month != month) {
          const sys_days first{date.year() / date.month() / 1};
          group->excluded_month = month;
          group->excluded_used = group->ledger->between(number_of(Minute{first}), number_of(m)).excluded;
        }
        const auto most = std::chrono::floor<minutes>(slo->spec.max_excluded).count();
        if (most > 0 && group->excluded_used >= most) continue;
        const auto before = group->ledger->cell(number_of(m)).flags & Cell::kExcluded;
        if (before == 0 && group->ledger->mark(number_of(m), Cell::kExcluded)) ++group->excluded_used;
      }
    }
  }
}

}  // namespace ward::collector::slo
