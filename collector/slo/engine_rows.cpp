// Each tick: windows, budgets, series.
#include <algorithm>

#include "collector/slo/engine.hpp"

namespace ward::collector::slo {
namespace {

std::string window_name(minutes length) {
  const auto n = length.count();
  if (n % 1'440 == 0) return std::to_string(n / 1'440) + "d";
  if (n % 60 == 0) return std::to_string(n / 60) + "h";
  return std::to_string(n) + "m";
}

/// Unknown minutes so young that their samples may be on their way.
std::int64_t young_unknown(Ledger& ledger, std::int64_t end, milliseconds grace) {
  std::int64_t out = 0;
  for (std::int64_t i = 1; i <= std::chrono::ceil<minutes>(grace).count(); ++i) {
    const auto cell = ledger.cell(end - i);
    if (cell.total <= 0 && (cell.flags & (Cell::kExcluded | Cell::kDown)) == 0) ++out;
  }
  return out;
}

/// Of several groups that are one part: each weighs as much as it had events.
WindowState together(const std::vector<WindowState>& states) {
  if (states.size() == 1) return states.front();
  WindowState out;
  double bad = 0;
  double events = 0;
  out.coverage = states.empty() ? 0 : 1;
  for (const auto& state : states) {
    out.length = std::max(out.length, state.length);
    out.sums += state.sums;
    out.coverage = std::min(out.coverage, state.coverage);
    if (!state.bad_ratio) continue;
    const auto weight = std::max(1.0, to_events(state.sums.total));
    bad += *state.bad_ratio * weight;
    events += weight;
  }
  if (events > 0) out.bad_ratio = bad / events;
  return out;
}

/// What the parts of a composite's group say together, each by `state_of`.
template <class StateOf>
WindowState judge_parts(const SloState& slo, const GroupState& group, StateOf state_of) {
  std::vector<PartState> parts;
  for (std::size_t i = 0; i < slo.parts.size(); ++i) {
    std::vector<WindowState> states;
    if (slo.parts[i] != nullptr && i < group.parts.size())
      for (const auto* part : group.parts[i]) states.push_back(state_of(*slo.parts[i], *part));
    parts.push_back({together(states), slo.spec.components[i].weight});
  }
  return combine(parts, slo.spec.composition);
}

std::optional<double> remaining(const SloSpec& spec, const GroupState& group) {
  if (!group.period.bad_ratio) return std::nullopt;
  const auto budget = 1 - group.target;
  // Of a calendar period it is known how many minutes it will have, so the whole of it is the measure; how many events it
  // will have is not.
  if (!spec.period.rolling && spec.budgeting != Budgeting::occurrences && spec.components.empty()) {
    const auto allowed = budget * static_cast<double>(group.period_range.length().count());
    const auto judged = static_cast<double>(group.period.sums.known + group.period.sums.down);
    return 1 - *group.period.bad_ratio * judged / allowed;
  }
  return 1 - *group.period.bad_ratio / budget;
}

}  // namespace

void SloEngine::judge_all(Time now) {
  for (auto& slo : slos_) {
    if (!slo->spec.components.empty()) continue;
    for (auto& [labels, group] : slo->groups) judge_group(*slo, *group, now);
  }
  for (auto& slo : slos_) {
    if (slo->spec.components.empty()) continue;
    refresh_composite_groups(*slo);
    for (auto& [labels, group] : slo->groups) judge_composite(*slo, *group, now);
  }
  for (auto& slo : slos_)
    for (auto& [labels, group] : slo->groups) group->budget_remaining = remaining(slo->spec, *group);
}

void SloEngine::judge_group(SloState& slo, GroupState& group, Time now) const {
  auto& ledger = *group.ledger;
  const auto slice = ledger.counting().slice;
  auto end = number_of(minute_of(now)) + 1;
  end += (slice - end % slice) % slice;
  const auto up_to_end = ledger.before(0, end);
  const auto grace =
      slo.spec.no_data == NoData::unknown ? 0 : young_unknown(ledger, number_of(minute_of(now)) + 1, context_.options.grace);
  const auto born = ledger.born().value_or(end);
  const auto judged = [&](std::size_t edge, std::int64_t from) {
    const auto unborn = std::clamp<std::int64_t>(born - from, 0, end - from);
    return judge(up_to_end - ledger.before(edge, from), end - from, slo.spec.no_data, {unborn, grace});
  };
  group.windows.resize(slo.plan.lengths.size());
  for (std::size_t i = 0; i < group.windows.size(); ++i) group.windows[i] = judged(i + 1, end - slo.plan.lengths[i].count());
  group.period_range = current_period(slo.spec.period, now);
  group.period = slo.spec.period.rolling ? group.windows[slo.plan.period]
                                         : judged(group.windows.size() + 1, number_of(group.period_range.from));
}

void SloEngine::refresh_composite_groups(SloState& slo) {
  std::size_t version = 1;
  for (const auto* part : slo.parts) version += part == nullptr ? 0 : part->version;
  if (version == slo.parts_version) return;
  slo.parts_version = version;
  for (const auto* part : slo.parts) {
    if (part == nullptr) continue;
    for (const auto& [labels, group] : part->groups) {
      // A part that is the same for all groups makes none of its own, unless there is nothing else.
      auto mine = project(labels, slo.spec.group_by);
      if (mine.size() == slo.spec.group_by.size() && !slo.groups.contains(mine) && slo.groups.size() < slo.spec.max_groups)
        make_group(slo, std::move(mine));
    }
  }
  for (auto& [labels, group] : slo.groups) {
    group->parts.assign(slo.parts.size(), {});
    for (std::size_t i = 0; i < slo.parts.size(); ++i) {
      if (slo.parts[i] == nullptr) continue;
      for (auto& [theirs, part] : slo.parts[i]->groups) {
        const bool fits = std::all_of(labels.begin(), labels.end(), [&](const Label& label) {
          const auto value = theirs.get(label.first);
          return value.empty() || value == label.second;
        });
        if (fits) group->parts[i].push_back(part.get());
      }
    }
  }
}

/// A range of minutes that is no window: costs up to two blocks a ledger.
WindowState SloEngine::judge_range(const SloState& slo, const GroupState& group, std::int64_t from, std::int64_t end) const {
  if (!slo.spec.components.empty())
    return judge_parts(slo, group,
                       [&](const SloState& part, const GroupState& of) { return judge_range(part, of, from, end); });
  const auto unborn = std::clamp<std::int64_t>(group.ledger->born().value_or(end) - from, 0, end - from);
  return judge(group.ledger->between(from, end), end - from, slo.spec.no_data, {unborn, 0});
}

void SloEngine::judge_composite(SloState& slo, GroupState& group, Time now) const {
  group.windows.resize(slo.plan.lengths.size());
  for (std::size_t w = 0; w < group.windows.size(); ++w) {
    group.windows[w] = judge_parts(slo, group, [&](const SloState& part, const GroupState& of) {
      const auto index = part.plan.index_of(slo.plan.lengths[w]);
      return index < of.windows.size() ? of.windows[index] : WindowState{};
    });
    group.windows[w].length = slo.plan.lengths[w].count();
  }
  group.period_range = current_period(slo.spec.period, now);
  if (slo.spec.period.rolling) {
    group.period = group.windows[slo.plan.period];
    return;
  }
  group.period = judge_range(slo, group, number_of(group.period_range.from), number_of(minute_of(now)) + 1);
}

void SloEngine::make_rows(SloState& slo, GroupState& group) {
  if (group.rows.made) return;
  group.rows.made = true;
  const auto base = [&](std::string_view metric) {
    Labels labels = group.labels;
    labels.set(kNameLabel, metric);
    labels.set("slo", slo.spec.name);
    labels.set("service", slo.spec.service);
    return labels;
  };
  auto& rows = group.rows;
  rows.objective = table_.add(base("ward_slo_objective_ratio"));
  rows.budget = table_.add(base("ward_slo_error_budget_remaining_ratio"));
  rows.excluded = table_.add(base("ward_slo_period_excluded_seconds"));
  rows.bad_events = table_.add(base("ward_slo_period_events").with("result", "bad"));
  rows.good_events = table_.add(base("ward_slo_period_events").with("result", "good"));
  rows.has_frozen = slo.spec.freeze;
  if (rows.has_frozen) rows.frozen = table_.add(base("ward_slo_frozen"));
  rows.windows.clear();
  for (const auto length : slo.plan.lengths) {
    const auto name = window_name(length);
    rows.windows.push_back({table_.add(base("ward_slo_sli_ratio").with("window", name)),
                            table_.add(base("ward_slo_burn_rate").with("window", name)),
                            table_.add(base("ward_slo_coverage_ratio").with("window", name))});
  }
}

void SloEngine::remove_rows(GroupState& group) {
  auto& rows = group.rows;
  if (!rows.made) return;
  for (const auto row : {rows.objective, rows.budget, rows.excluded, rows.bad_events, rows.good_events}) table_.remove(row);
  if (rows.has_frozen) table_.remove(rows.frozen);
  for (const auto& window : rows.windows)
    for (const auto row : {window.ratio, window.burn, window.coverage}) table_.remove(row);
  rows = {};
}

void SloEngine::set_rows(SloState& slo, GroupState& group) {
  make_rows(slo, group);
  const auto& rows = group.rows;
  table_.set(rows.objective, group.target);
  if (group.budget_remaining) table_.set(rows.budget, *group.budget_remaining);
  table_.set(rows.excluded, 60.0 * group.period.sums.excluded);
  const auto& sums = group.period.sums;
  const auto bad = std::clamp<Amount>(sums.bad, 0, std::max<Amount>(0, sums.total));
  table_.set(rows.bad_events, to_events(bad));
  table_.set(rows.good_events, to_events(sums.total - bad));
  if (rows.has_frozen) table_.set(rows.frozen, group.frozen ? 1 : 0);
  for (std::size_t i = 0; i < rows.windows.size(); ++i) {
    const auto& state = group.windows[i];
    table_.set(rows.windows[i].coverage, state.coverage);
    if (!state.bad_ratio) continue;
    table_.set(rows.windows[i].ratio, 1 - *state.bad_ratio);
    table_.set(rows.windows[i].burn, burn_rate(*state.bad_ratio, group.target));
  }
}

}  // namespace ward::collector::slo
