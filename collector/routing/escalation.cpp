#include "collector/routing/escalation.hpp"

#include <algorithm>

namespace ward::collector {
namespace {

std::vector<EscalationStep> read_steps(std::vector<config::Section> list, const NamedIntervals& intervals,
                                       const Targets& targets) {
  std::vector<EscalationStep> out;
  for (auto& from : list) {
    EscalationStep step;
    step.after = from.duration("after", milliseconds{0});
    (void)from.choice("unless", {"acked"}, 0);
    step.unless_acked = from.has("unless");
    step.to = from.text("to");
    targets.check(from, "to", step.to);
    step.times = read_active_times(from, intervals);
    from.close();
    out.push_back(std::move(step));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const EscalationStep& a, const EscalationStep& b) { return a.after < b.after; });
  return out;
}

bool repeats(const EscalationRecord& record, const EscalationPlan& plan) {
  return plan.repeat.count() > 0 && pages(record.cls) && !record.ack && record.done > 0;
}

}  // namespace

std::vector<EscalationDue> advance(EscalationRecord& record, const EscalationPlan& plan, Time now) {
  std::vector<EscalationDue> out;
  const auto elapsed = now - record.since;
  for (; record.done < plan.steps.size() && plan.steps[record.done].after <= elapsed; ++record.done) {
    const auto& step = plan.steps[record.done];
    if (step.unless_acked && record.ack) continue;
    const auto why = record.done == 0 || step.after.count() == 0 ? EscalationDue::Why::first : EscalationDue::Why::step;
    if (step.times.muted(now))
      record.owed.emplace(step.to, record.done);
    else
      out.push_back({.why = why, .to = step.to, .step = record.done});
  }
  for (auto owed = record.owed.begin(); owed != record.owed.end();) {
    const auto index = owed->second;
    // A step that a new plan does not have, or that an acknowledgement has made needless, is owed no more.
    const bool needless = index >= plan.steps.size() || (plan.steps[index].unless_acked && record.ack);
    if (!needless && plan.steps[index].times.muted(now)) {
      ++owed;
      continue;
    }
    if (!needless) out.push_back({.why = EscalationDue::Why::hour, .to = owed->first, .step = index});
    owed = record.owed.erase(owed);
  }
  if (!repeats(record, plan)) return out;
  const auto times = static_cast<std::uint32_t>(std::max<std::int64_t>(elapsed / plan.repeat, 0));
  if (times <= record.repeats) return out;
  record.repeats = times;
  for (std::uint32_t i = 0; i < record.done && i < plan.steps.size(); ++i) {
    const auto& step = plan.steps[i];
    if (step.times.muted(now)) continue;
    out.push_back({.why = EscalationDue::Why::repeat, .to = step.to, .step = i, .repeat = times});
  }
  return out;
}

Time next_due(const EscalationRecord& record, const EscalationPlan& plan, Time now) {
  auto next = Time::max();
  if (record.done < plan.steps.size()) next = record.since + plan.steps[record.done].after;
  if (!record.owed.empty()) next = std::min(next, next_minute(now));
  if (repeats(record, plan)) next = std::min(next, record.since + plan.repeat * (std::int64_t{record.repeats} + 1));
  return next;
}

void restart(EscalationRecord& record, Time now) {
  record.since = now;
  record.done = 0;
  record.repeats = 0;
  record.owed.clear();
}

Escalations read_escalations(config::Section& section, const NamedIntervals& intervals, const Targets& targets) {
  Escalations out;
  // Either form: a list of steps, or a mapping that has one.
  auto all = section.child("escalations");
  const auto mapping = section.raw("escalations").value_or(config::Node{});
  for (const auto& [name, value] : mapping.entries()) {
    EscalationPlan plan;
    plan.name = name;
    if (value.kind() == config::Node::Kind::mapping) {
      auto from = config::Section(value, all.path() + "." + name, section.problems());
      plan.steps = read_steps(from.children("steps"), intervals, targets);
      plan.repeat = from.duration("repeat", milliseconds{0});
      if (plan.repeat.count() > 0 && plan.repeat < std::chrono::minutes{1})
        from.problems().add(from.at("repeat"), "a page would be repeated more than once a minute", "Use 5m or more.");
      from.close();
    } else {
      plan.steps = read_steps(all.children(name), intervals, targets);
    }
    if (plan.steps.empty())
      section.problems().add(value.at(), "the escalation '" + name + "' has no steps, so it would tell nobody",
                             "Write one: '" + name + ": [{after: 0m, to: RECEIVER}]'.");
    else if (plan.steps.front().after.count() > 0)
      section.problems().add(value.at(), "the escalation '" + name + "' tells nobody at once",
                             "Give its first step 'after: 0m'.");
    else if (plan.steps.front().unless_acked)
      section.problems().add(value.at(), "the first step of the escalation '" + name + "' has 'unless: acked'",
                             "Remove it there: nobody can acknowledge what nobody has heard of.");
    out.emplace(name, std::move(plan));
  }
  return out;
}

}  // namespace ward::collector
