// Each tick: what burns, what is missing, what is spent.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "collector/slo/engine.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::slo {
namespace {

std::string rounded(double value) {
  char text[40];
  const auto precision = std::abs(value) < 10 ? 1 : 0;
  return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, precision).ptr};
}
std::string times(const std::optional<double>& burn) { return burn ? rounded(*burn) : std::string("unknown"); }
std::string percent(double ratio) { return rounded(ratio * 100) + "%"; }

/// Names an alert of this SLO: the group's labels below, those that route above.
Labels alert_labels(const SloSpec& spec, const Labels& group, std::string_view name, AlertClass cls) {
  Labels labels = group;
  for (const auto& [key, value] : spec.alert_labels) labels.set(key, value);
  labels.set("alertname", name);
  labels.set("slo", spec.name);
  labels.set("service", spec.service);
  labels.set("class", to_string(cls));
  if (!spec.workflow.empty()) labels.set("workflow", spec.workflow);
  return labels;
}

AlertEvent event_of(const SloSpec& spec, Labels labels, std::string summary) {
  AlertEvent event;
  event.labels = std::move(labels);
  event.annotations = spec.alert_annotations;
  if (!event.annotations.has("summary")) event.annotations.set("summary", summary);
  event.annotations.set("slo_state", std::move(summary));
  event.generator = spec.origin + ": SLO \"" + spec.name + "\"";
  return event;
}

std::string budget_text(const GroupState& group) {
  return group.budget_remaining ? ", " + percent(*group.budget_remaining) + " of the error budget left" : "";
}

minutes whole(milliseconds d) { return std::chrono::ceil<minutes>(d); }

const WindowState* window(const SloState& slo, const GroupState& group, milliseconds length) {
  const auto i = slo.plan.index_of(whole(length));
  return i < group.windows.size() ? &group.windows[i] : nullptr;
}

std::optional<double> burn_in(const SloState& slo, const GroupState& group, milliseconds length) {
  const auto* state = window(slo, group, length);
  if (state == nullptr || !state->bad_ratio) return std::nullopt;
  return burn_rate(*state->bad_ratio, group.target);
}

/// Whether there were too few events to wake people. What is bad because nothing came is no matter of few events.
bool few_events(const SloState& slo, const GroupState& group) {
  const auto& spec = slo.spec;
  if (spec.min_events.count <= 0 || spec.budgeting != Budgeting::occurrences || spec.no_data == NoData::bad) return false;
  const auto* state = window(slo, group, spec.min_events.window);
  return state != nullptr && state->sums.down == 0 && to_events(state->sums.total) < spec.min_events.count;
}

/// Whether fewer events than min_events are usual, judged by the whole period. Idle minutes count: they are the usual case.
bool usually_few(const SloState& slo, const GroupState& group, Time now) {
  if (slo.spec.budgeting != Budgeting::occurrences || !group.ledger || !group.ledger->born()) return false;
  const auto& period = group.windows[slo.plan.period];
  const auto lived = std::clamp<std::int64_t>(number_of(minute_of(now)) + 1 - *group.ledger->born(), 1, period.length);
  const auto rate =
      to_events(period.sums.total) / static_cast<double>(std::max<std::int64_t>(1, lived - period.sums.excluded));
  return rate * static_cast<double>(whole(slo.spec.min_events.window).count()) < slo.spec.min_events.count;
}

/// Too few events for a ratio to mean much, yet so many bad ones that somebody should look.
std::optional<double> absolute_rule(const SloState& slo, const GroupState& group, Time now) {
  if (slo.spec.min_bad.count <= 0 || !usually_few(slo, group, now)) return std::nullopt;
  const auto* state = window(slo, group, slo.spec.min_bad.window);
  if (state == nullptr || to_events(state->sums.bad) < slo.spec.min_bad.count) return std::nullopt;
  return to_events(state->sums.bad);
}

/// Since when the group is counted: of a composite since its first part is.
std::optional<std::int64_t> born(const GroupState& group) {
  if (group.ledger) return group.ledger->born();
  std::optional<std::int64_t> out;
  for (const auto& part : group.parts)
    for (const auto* of : part)
      if (const auto theirs = born(*of); theirs && (!out || *theirs < *out)) out = theirs;
  return out;
}

/// Whether a few bad minutes may be all that is known: they would be most of a long window.
bool is_young(const SloState& slo, const GroupState& group, Time now) {
  if (slo.spec.min_history.count() <= 0) return false;
  const auto since = born(group);
  return !since || now - Time{Minute{minutes{*since}}} < slo.spec.min_history;
}

/// After a start the last minutes are missing for a moment; what was told stays told until they are counted.
bool waits_for_history(const SloState& slo) { return slo.seed != nullptr && slo.was_saved; }

}  // namespace

SloEngine::Tick SloEngine::tick(Time now) {
  std::vector<PromqlAnswer> answers;
  std::vector<std::pair<SloState*, std::size_t>> due;
  {
    const std::scoped_lock lock(mutex_);
    due = due_queries(now);
  }
  std::uint64_t failures = 0;
  for (const auto& [slo, source] : due) {
    auto values = context_.query(slo->spec.indicator.sources[source].query, now);
    if (values)
      answers.push_back({slo, source, std::move(*values)});
    else
      ++failures;
  }
  const std::scoped_lock lock(mutex_);
  counts_.query_failures += failures;
  feed(answers, now);
  repair_some();
  mark_maintenance(now);
  last_tick_ = now;
  ticked_ = true;
  judge_all(now);
  Tick out;
  tell_all(now, out.alerts);
  table_.begin();
  for (auto& slo : slos_)
    for (auto& [labels, group] : slo->groups) set_rows(*slo, *group);
  out.series = table_.end();
  return out;
}

void SloEngine::tell_all(Time now, std::vector<AlertEvent>& into) {
  // Composites first: whether a path is healthy decides how far its parts' alerts go.
  for (const bool composite : {true, false}) {
    for (auto& slo : slos_) {
      if (slo->spec.components.empty() == composite) continue;
      for (auto& [labels, group] : slo->groups) {
        tell_group(*slo, *group, now, into);
        tell_budget(*slo, *group, now, into);
      }
      tell_absent(*slo, now, into);
    }
  }
  for (auto& [slo, event] : orphans_) {
    event.phase = AlertPhase::resolved;
    event.resolved_at = now;
    into.push_back(std::move(event));
  }
  orphans_.clear();
}

bool SloEngine::path_is_healthy(const SloState& slo, const GroupState& group) const {
  bool judged = false;
  for (const auto* composite : slo.above) {
    if (composite->spec.burn.empty()) continue;
    judged = true;
    for (const auto& [labels, path] : composite->groups) {
      const bool mine = std::any_of(path->parts.begin(), path->parts.end(), [&](const auto& groups) {
        return std::find(groups.begin(), groups.end(), &group) != groups.end();
      });
      if (mine && path->burning.fires()) return false;
    }
  }
  return judged;
}

void SloEngine::tell_group(SloState& slo, GroupState& group, Time now, std::vector<AlertEvent>& into) {
  const auto& spec = slo.spec;
  if (spec.burn.empty() && !group.burning.active()) return;
  std::vector<PairBurn> burns;
  for (const auto& pair : spec.burn)
    burns.push_back({burn_in(slo, group, pair.long_window), burn_in(slo, group, pair.short_window)});
  auto demand = group.watch.step(now, spec.burn, burns);
  const bool few = few_events(slo, group);
  if (demand.signal == Demand::Signal::on && few) demand.cls = std::min(demand.cls, AlertClass::actionable);
  std::string why;
  if (const auto pair = group.watch.deciding())
    why = "error budget burns " + times(burns[*pair].long_burn) + " times too fast over " +
          format_duration(spec.burn[*pair].long_window) + " (" + times(burns[*pair].short_burn) + " over " +
          format_duration(spec.burn[*pair].short_window) + ", limit " + rounded(spec.burn[*pair].factor) + ")" +
          (few ? ", few events" : "");
  if (const auto bad = absolute_rule(slo, group, now); bad && (demand.signal != Demand::Signal::on || demand.held)) {
    demand = {Demand::Signal::on, AlertClass::actionable, false, *bad};
    why = rounded(*bad) + " bad events in " + format_duration(spec.min_bad.window) + " on low traffic";
  }
  if (demand.signal != Demand::Signal::on && waits_for_history(slo)) return;
  if (!group.burning.active() && is_young(slo, group, now)) return;
  if (spec.max_class) demand.cls = std::min(demand.cls, *spec.max_class);
  const bool evidence = demand.signal == Demand::Signal::on && !slo.above.empty() && path_is_healthy(slo, group);
  if (evidence) demand.cls = AlertClass::informational;
  const auto render = [&](AlertClass cls) {
    auto event =
        event_of(spec, alert_labels(spec, group.labels, spec.name, cls), spec.name + ": " + why + budget_text(group));
    if (evidence) event.annotations.set("evidence", "The workflow it is part of is healthy, so nobody is paged.");
    if (group.budget_remaining) event.annotations.set("budget_remaining", percent(*group.budget_remaining));
    return event;
  };
  auto told = group.burning.step(now, demand, render);
  into.insert(into.end(), std::make_move_iterator(told.begin()), std::make_move_iterator(told.end()));
}

void SloEngine::tell_budget(SloState& slo, GroupState& group, Time now, std::vector<AlertEvent>& into) {
  if (!slo.spec.freeze && !group.spent.active()) return;
  Demand demand;
  if (slo.spec.freeze) {
    demand.signal = !group.budget_remaining        ? Demand::Signal::unknown
                    : *group.budget_remaining <= 0 ? Demand::Signal::on
                                                   : Demand::Signal::off;
    demand.value = group.budget_remaining.value_or(0);
  }
  if (waits_for_history(slo) && demand.signal == Demand::Signal::off) demand.signal = Demand::Signal::unknown;
  const auto render = [&](AlertClass cls) {
    auto labels = alert_labels(slo.spec, group.labels, kSpentAlert, cls);
    labels.set("policy", "freeze");
    return event_of(
        slo.spec, std::move(labels),
        slo.spec.name + ": the error budget is spent" + budget_text(group) + "; changes are frozen until it recovers");
  };
  auto told = group.spent.step(now, demand, render);
  group.frozen = group.spent.fires();
  into.insert(into.end(), std::make_move_iterator(told.begin()), std::make_move_iterator(told.end()));
}

void SloEngine::tell_absent(SloState& slo, Time now, std::vector<AlertEvent>& into) {
  const auto after = slo.spec.absent_after;
  if ((after.count() <= 0 || !slo.spec.components.empty()) && !slo.absent.active()) return;
  const GroupState* longest = nullptr;
  std::size_t absent = 0;
  for (const auto& [labels, group] : slo.groups) {
    if (after.count() <= 0 || !group->ledger || now - group->last_sample < after) continue;
    // What is taken down on purpose says nothing.
    if ((group->ledger->cell(number_of(minute_of(now))).flags & Cell::kExcluded) != 0) continue;
    ++absent;
    if (longest == nullptr || group->last_sample < longest->last_sample) longest = group.get();
  }
  const bool never = after.count() > 0 && slo.groups.empty() && slo.spec.components.empty() && now - slo.since >= after;
  Demand demand;
  demand.signal = absent > 0 || never ? Demand::Signal::on : Demand::Signal::off;
  demand.value = static_cast<double>(absent);
  const auto render = [&](AlertClass cls) {
    auto spec = slo.spec;
    spec.alert_annotations.set("summary", "");
    auto labels = alert_labels(spec, {}, kNoDataAlert, cls);
    // Who measures must look first, whoever owns what is measured.
    labels.set("owner", "platform");
    labels.set("layer", "platform");
    std::string what = spec.name + ": no sample matches its indicator since it was loaded";
    if (longest != nullptr)
      what = spec.name + ": no samples for " + std::to_string(absent) + " of " + std::to_string(slo.groups.size()) +
             " groups, longest " + to_string(longest->labels) + " since " + format_time(longest->last_sample);
    auto event = event_of(spec, std::move(labels), std::move(what));
    event.of_absence = true;
    return event;
  };
  auto told = slo.absent.step(now, demand, render);
  into.insert(into.end(), std::make_move_iterator(told.begin()), std::make_move_iterator(told.end()));
}

void SloEngine::end_alerts(SloState& slo, Time now, std::vector<AlertEvent>& into) {
  const auto end = [&](AlertHold& hold) {
    if (auto ended = hold.end(now)) into.push_back(std::move(*ended));
  };
  end(slo.absent);
  for (auto& [labels, group] : slo.groups) {
    end(group->burning);
    end(group->spent);
  }
}

std::vector<AlertEvent> SloEngine::alerts() const {
  const std::scoped_lock lock(mutex_);
  std::vector<AlertEvent> out;
  const auto add = [&](const AlertHold& hold) {
    if (hold.active()) out.push_back(*hold.active());
  };
  for (const auto& slo : slos_) {
    add(slo->absent);
    for (const auto& [labels, group] : slo->groups) {
      add(group->burning);
      add(group->spent);
    }
  }
  return out;
}

}  // namespace ward::collector::slo
