#include "collector/alerting/alert_states.hpp"

#include <algorithm>
#include <utility>

#include "common/base/planted.hpp"

namespace ward::collector {
namespace {

std::string rendered(const Template& text, const TemplateData& data) {
  auto out = text.render(data);
  return out ? std::move(*out) : "<error expanding template: " + out.error().what + ">";
}

void add_series(const Labels& labels, AlertPhase phase, Time active_at, std::vector<SeriesValue>& series) {
  Labels alerts = labels.with(kNameLabel, "ALERTS");
  alerts.set("alertstate", to_string(phase));
  series.push_back({std::move(alerts), 1});
  const auto seconds = std::chrono::floor<std::chrono::seconds>(active_at).time_since_epoch();
  series.push_back({labels.with(kNameLabel, "ALERTS_FOR_STATE"), static_cast<double>(seconds.count())});
}

/// What the instance has of its series: not what the rule has given it.
Labels labels_of_series(const Rule& rule, const Labels& instance) {
  auto out = instance.without("alertname").without("class");
  for (const auto& [name, text] : rule.labels) out = out.without(name);
  return out;
}

// Many fall silent at once, and looking for what is not there is not cheap.
constexpr std::chrono::seconds kAskAgain{30};

bool is_live(AlertPhase phase) { return phase != AlertPhase::resolved; }

}  // namespace

AlertEvent AlertStates::event(const Rule& rule, const Labels& labels, const Instance& i) {
  return {.labels = labels,
          .annotations = i.annotations,
          .phase = i.phase,
          .active_at = i.active_at,
          .fired_at = i.fired_at,
          .resolved_at = i.resolved_at,
          .value = i.value,
          .interval = rule.interval,
          .reach = rule.keep_firing + rule.expression->range(),
          .of_absence = rule.expression->of_absence(),
          .silent = i.silent,
          .generator = rule.generator};
}

Result<AlertStates::Instances> AlertStates::instances_of(const Rule& rule, const RuleContext& context, const Vector& result,
                                                         Time now) {
  Instances fresh;
  for (const auto& sample : result) {
    TemplateData data;
    data.labels = sample.labels;
    data.value = sample.value;
    data.external_labels = context.external_labels;
    data.external_url = context.external_url;
    if (context.query) data.query = [&](const std::string& text) { return context.query(text, now); };
    Labels labels = sample.labels.without(kNameLabel);
    for (const auto& [name, text] : rule.labels) labels.set(name, rendered(text, data));
    labels.set("alertname", rule.name);
    if (const auto* exception = rule.exception_for(sample.labels); exception != nullptr && exception->cls)
      labels.set("class", to_string(*exception->cls));
    Instance instance;
    instance.active_at = now;
    instance.value = sample.value;
    for (const auto& [name, text] : rule.annotations) instance.annotations.set(name, rendered(text, data));
    if (!fresh.emplace(std::move(labels), std::move(instance)).second) {
      return fail(Errc::invalid, "vector contains metrics with the same labelset after applying alert labels",
                  "Let the expression or the labels keep what tells the alerts apart.");
    }
  }
  return fresh;
}

/// A wall clock that stepped back would stretch every hold by the step: such a hold starts over. One that was served stays
/// so.
void AlertStates::forgive_clock(Instance& i, Time now) {
  const auto served = i.phase == AlertPhase::firing ? i.fired_at - i.active_at : milliseconds{0};
  i.active_at = std::min(i.active_at, now - served);
  i.fired_at = std::min(i.fired_at, now);
  i.keep_firing_since = std::min(i.keep_firing_since, now);
  i.keep_until = std::min(i.keep_until, now + kRestoreGrace);
  i.resolved_at = std::min(i.resolved_at, now);
}

Status AlertStates::advance(const Rule& rule, const RuleContext& context, const Vector& result, std::size_t limit, Time now,
                            std::vector<AlertEvent>& events, std::vector<SeriesValue>& series) {
  auto fresh = instances_of(rule, context, result, now);
  if (!fresh) return fail(fresh.error());
  evaluated_at_ = now;

  std::vector<Labels> entered;
  for (auto& [labels, seen] : *fresh) {
    const auto it = instances_.find(labels);
    if (it != instances_.end() && is_live(it->second.phase)) {
      it->second.value = seen.value;
      it->second.annotations = seen.annotations;
    } else {
      instances_.insert_or_assign(labels, seen);
      entered.push_back(labels);
    }
  }

  std::size_t live = 0;
  for (auto it = instances_.begin(); it != instances_.end();) {
    const Labels& labels = it->first;
    Instance& instance = it->second;
    forgive_clock(instance, now);
    const bool present = fresh->contains(labels);
    if (!present && !miss(rule, context, labels, instance, now, events)) {
      it = instances_.erase(it);
      continue;
    }
    ++it;
    if (!is_live(instance.phase)) continue;
    if (present) {
      instance.keep_firing_since = {};
      if (std::exchange(instance.silent, false)) events.push_back(event(rule, labels, instance));
    }
    ++live;
    if (present && instance.phase == AlertPhase::pending && now - instance.active_at >= rule.hold_for(labels)) {
      instance.phase = AlertPhase::firing;
      instance.fired_at = now;
      events.push_back(event(rule, labels, instance));
    } else if (std::binary_search(entered.begin(), entered.end(), labels)) {
      events.push_back(event(rule, labels, instance));
    }
    add_series(labels, instance.phase, instance.active_at, series);
  }
  if (limit == 0 || live <= limit) return {};
  // All of the rule's alerts go, and whoever heard of one hears that it is over.
  end(rule, now, events);
  series.clear();
  return fail(Errc::overloaded, "exceeded limit of " + std::to_string(limit) + " with " + std::to_string(live) + " alerts",
              "Aggregate the expression or raise the group's limit.");
}

bool AlertStates::miss(const Rule& rule, const RuleContext& context, const Labels& labels, Instance& i, Time now,
                       std::vector<AlertEvent>& events) {
  switch (i.phase) {
    case AlertPhase::resolved: return now - i.resolved_at <= kResolvedRetention;
    case AlertPhase::pending: {
      if (now < i.keep_until) return true;
      AlertEvent over = event(rule, labels, i);
      over.phase = AlertPhase::resolved;
      over.resolved_at = now;
      events.push_back(std::move(over));
      return false;
    }
    case AlertPhase::firing: {
      if (now < i.keep_until) return true;
      if (i.silent && now >= i.asked_at && now - i.asked_at < kAskAgain) return true;
      const bool silent = context.keep_silent.count() > 0 &&
                          rule.expression->is_silent(labels_of_series(rule, labels), now, context.keep_silent);
      i.asked_at = now;
      if (silent && !std::exchange(i.silent, true)) events.push_back(event(rule, labels, i));
      if (silent) return true;
      i.silent = false;
      if (rule.keep_firing > milliseconds{0}) {
        if (i.keep_firing_since == Time{}) i.keep_firing_since = now;
        if (now - i.keep_firing_since < rule.keep_firing) return true;
      }
      i.phase = AlertPhase::resolved;
      i.resolved_at = now;
      events.push_back(event(rule, labels, i));
      return true;
    }
  }
  return false;
}

void AlertStates::apply(const Rule& rule, Time now, std::vector<AlertEvent>& events) {
  for (auto& [labels, i] : instances_) {
    if (planted(Planted::forget_hold_on_reload) && i.phase == AlertPhase::pending) i.active_at = now;
    forgive_clock(i, now);
    if (i.phase != AlertPhase::firing || now - i.active_at >= rule.hold_for(labels)) continue;
    AlertEvent over = event(rule, labels, i);
    over.phase = AlertPhase::resolved;
    over.resolved_at = now;
    events.push_back(std::move(over));
    i.phase = AlertPhase::pending;
    i.fired_at = {};
    i.keep_firing_since = {};
    events.push_back(event(rule, labels, i));
  }
}

void AlertStates::end(const Rule& rule, Time now, std::vector<AlertEvent>& events) {
  for (auto& [labels, i] : instances_) {
    if (!is_live(i.phase)) continue;
    AlertEvent over = event(rule, labels, i);
    over.phase = AlertPhase::resolved;
    over.resolved_at = now;
    events.push_back(std::move(over));
  }
  instances_.clear();
}

Time AlertStates::next_due(const Rule& rule, Time after) const {
  Time due = Time::max();
  const auto consider = [&](Time t) {
    if (t > after) due = std::min(due, t);
  };
  for (const auto& [labels, i] : instances_) {
    if (i.phase == AlertPhase::pending) consider(i.active_at + rule.hold_for(labels));
    if (i.phase == AlertPhase::firing && i.keep_firing_since != Time{}) consider(i.keep_firing_since + rule.keep_firing);
  }
  return due;
}

std::vector<AlertEvent> AlertStates::current(const Rule& rule) const {
  std::vector<AlertEvent> all;
  for (const auto& [labels, i] : instances_) all.push_back(event(rule, labels, i));
  return all;
}

std::vector<AlertState> AlertStates::save(const std::string& group, const Rule& rule) const {
  std::vector<AlertState> all;
  for (const auto& [labels, i] : instances_) {
    all.push_back({.group = group,
                   .rule = rule.identity,
                   .labels = labels,
                   .annotations = i.annotations,
                   .phase = i.phase,
                   .value = i.value,
                   .active_at = i.active_at,
                   .fired_at = i.fired_at,
                   .resolved_at = i.resolved_at,
                   .keep_firing_since = i.keep_firing_since,
                   .evaluated_at = evaluated_at_});
  }
  return all;
}

void AlertStates::restore(const AlertState& state, Time now) {
  const auto outage = std::max(now - state.evaluated_at, milliseconds{0});
  if (state.phase == AlertPhase::pending && outage > kOutageTolerance) return;
  Instance i;
  i.annotations = state.annotations;
  i.phase = state.phase;
  i.value = state.value;
  i.active_at = state.phase == AlertPhase::pending ? state.active_at + outage : state.active_at;
  if (planted(Planted::forget_hold_at_restart) && state.phase == AlertPhase::pending) i.active_at = now;
  i.fired_at = state.fired_at;
  i.resolved_at = state.resolved_at;
  i.keep_firing_since = state.keep_firing_since;
  i.keep_until = now + kRestoreGrace;
  evaluated_at_ = std::max(evaluated_at_, state.evaluated_at);
  instances_.insert_or_assign(state.labels, std::move(i));
}

}  // namespace ward::collector
