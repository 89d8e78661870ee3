// The story of an alert: what its rule says, where it went, and why nobody was woken by it.
#include <algorithm>
#include <map>

#include "collector/review/story.hpp"
#include "collector/review/words.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::review {
namespace {

std::string rule_place(const RuleFact& rule) { return rule.file + ", group " + rule.group; }

std::vector<StoryLine> about_rules(const std::vector<RuleFact>& rules, Time now, bool anything_live) {
  std::vector<StoryLine> out;
  for (const auto& rule : rules) {
    const auto cls = class_of(rule.labels);
    const auto stated = std::string(to_string(cls)) + (rule.labels.has("class") ? "" : ", for want of a class");
    const auto when = rule.hold.count() > 0 ? "fires when its expression has held for " + format_duration(rule.hold)
                                            : std::string("fires as soon as its expression holds");
    out.push_back({{}, rule.name + " is a rule of " + rule_place(rule) + ": " + stated + ", and " + when + "."});
    if (!rule.last_error.empty())
      out.push_back({rule.last_evaluation, "Its last evaluation FAILED, so it can tell nothing: " + rule.last_error + "."});
    else if (rule.last_evaluation == Time{})
      out.push_back({{}, "It has not been evaluated yet."});
    else
      out.push_back({rule.last_evaluation, "It was evaluated " + lasting(now - rule.last_evaluation) + " ago" +
                                               (anything_live ? "." : " and found nothing: it is inactive.")});
    if (!rule.off_for.empty())
      out.push_back({{}, "It is off for the tenants " + listed(rule.off_for) + " (tenantOverrides)."});
  }
  return out;
}

/// Where an alert stands by itself.
StoryLine state_line(const AlertCase& one, const std::vector<RuleFact>& rules, Time now) {
  const auto& a = one.alert;
  if (!one.live)
    return {a.resolved_at, name_of(a) + " does not fire now; it fired last from " + format_time(a.fired_at) +
                               (a.resolved_at == Time{} ? "." : " for " + lasting(a.resolved_at - a.fired_at) + ".")};
  if (a.phase == AlertPhase::firing)
    return {a.fired_at, name_of(a) + " fires for " + lasting(now - a.fired_at) + "; its expression holds for " +
                            lasting(now - a.active_at) + "."};
  std::string left;
  if (!rules.empty() && rules.front().hold.count() > 0) {
    const auto due = a.active_at + rules.front().hold;
    left = due > now ? " It fires in " + lasting(due - now) + " when that goes on." : " It fires at the next evaluation.";
  }
  return {a.active_at, name_of(a) + " is pending for " + lasting(now - a.active_at) +
                           ": nobody is told before it has held as long as its rule says." + left};
}

const Decision* last_of(const std::vector<Decision>& decisions, std::string_view what) {
  const auto at = std::find_if(decisions.rbegin(), decisions.rend(), [&](const Decision& d) { return d.what == what; });
  return at == decisions.rend() ? nullptr : &*at;
}

/// A firing alert that no incident has: held, or just come.
std::vector<StoryLine> outside_incidents(const AlertCase& one, Time now) {
  std::vector<StoryLine> out;
  if (one.live && one.alert.phase == AlertPhase::firing) {
    const auto* held = last_of(one.decisions, "held");
    const bool of_now = held != nullptr && held->at >= one.alert.active_at;
    out.push_back({of_now ? held->at : now,
                   of_now ? "Nobody is told yet. It is held, so that a cause can show first: " + held->why + "."
                          : "It is in no incident yet: correlation has not placed it. Ask again in a minute."});
  }
  if (const auto* passed = last_of(one.decisions, "passed"); passed != nullptr && !one.live)
    out.push_back({passed->at, "It told nobody: " + passed->why + "."});
  return out;
}

/// Its part in an incident.
std::vector<StoryLine> inside(const AlertCase& one) {
  const auto& incident = one.incident->file.incident;
  std::vector<StoryLine> out;
  const bool is_root = !incident.alerts.empty() && alert_id(incident.alerts.front()) == alert_id(one.alert);
  if (is_root && incident.in_common.empty()) {
    out.push_back({{}, "It is the cause of incident " + incident.id + "."});
  } else {
    const auto reason = std::find_if(one.decisions.rbegin(), one.decisions.rend(),
                                     [&](const Decision& d) { return d.what == "attached" && d.incident == incident.id; });
    out.push_back({reason == one.decisions.rend() ? Time{} : reason->at,
                   "It did not page by itself: incident " + incident.id + " (" + incident.root_alert + " at " +
                       place_of(incident) + ") has it" +
                       (reason == one.decisions.rend() ? "." : ", for " + reason->why + ".")});
  }
  return out;
}

std::vector<StoryLine> about_alert(const AlertCase& one, const std::vector<RuleFact>& rules, Time now) {
  std::vector<StoryLine> out{state_line(one, rules, now)};
  if (class_of(one.alert.labels) == AlertClass::informational)
    out.push_back({{}, "It is informational: it never wakes anybody."});
  for (const auto& silence : one.silences)
    out.push_back({silence.starts_at, "Silence " + silence.id + " by " + silence.created_by + " covers it until " +
                                          format_time(silence.ends_at) + ": " + silence.comment});
  const auto more = one.incident ? inside(one) : outside_incidents(one, now);
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

std::string headline(const AlertEvidence& evidence) {
  if (evidence.alerts.empty() && evidence.rules.empty())
    return "Nothing is called '" + evidence.asked +
           "': no loaded rule, no SLO, no alert and no incident of the last 90 days.";
  const auto count = [&](auto fits) {
    return static_cast<std::size_t>(std::count_if(evidence.alerts.begin(), evidence.alerts.end(), fits));
  };
  const auto firing = count([](const AlertCase& c) { return c.live && c.alert.phase == AlertPhase::firing; });
  const auto pending = count([](const AlertCase& c) { return c.live && c.alert.phase == AlertPhase::pending; });
  if (firing == 0 && pending == 0)
    return evidence.asked + " does not fire now" + (evidence.alerts.empty() ? ", and did not within 90 days." : ".");
  std::string out = evidence.asked + ": ";
  if (firing > 0) out += count_of(firing, "alert") + (firing == 1 ? " fires" : " fire");
  if (pending > 0)
    out += std::string(firing > 0 ? ", " : "") + std::to_string(pending) + (pending == 1 ? " is" : " are") + " pending";
  return out + (evidence.more > 0 ? ", and more." : ".");
}

}  // namespace

Story tell_alert(const AlertEvidence& evidence, Time now) {
  Story out;
  out.headline = headline(evidence);
  if (evidence.alerts.empty() && evidence.rules.empty()) {
    out.sections.push_back({"What to try", {}});
    auto& lines = out.sections.back().lines;
    if (!evidence.near.empty()) lines.push_back({{}, "Did you mean " + listed(evidence.near) + "?"});
    lines.push_back(
        {{}, "Write an alert's name, name{label=\"value\"}, its fingerprint, or the id of an incident or its beginning."});
    lines.push_back({{}, "'wardctl alerts' lists what fires, 'wardctl incidents' what is open."});
    return out;
  }
  const bool live = std::any_of(evidence.alerts.begin(), evidence.alerts.end(), [](const AlertCase& c) { return c.live; });
  if (auto lines = about_rules(evidence.rules, now, live); !lines.empty())
    out.sections.push_back({"The rule", std::move(lines)});
  std::map<std::string, const IncidentEvidence*> incidents;
  for (const auto& one : evidence.alerts) {
    out.sections.push_back({name_of(one.alert), about_alert(one, evidence.rules, now)});
    if (one.incident) incidents.emplace(one.incident->file.incident.id, &*one.incident);
  }
  if (evidence.more > 0)
    out.sections.push_back({"More",
                            {{{},
                              count_of(evidence.more, "alert") + " more of that name; narrow it with " +
                                  evidence.asked.substr(0, evidence.asked.find('{')) + "{label=\"value\"}."}}});
  // With one incident the whole of it; with several each has its own story.
  if (incidents.size() == 1) {
    auto story = tell_incident(*incidents.begin()->second, now);
    out.sections.push_back({"Its incident", {{{}, story.headline}}});
    for (auto& section : story.sections) out.sections.push_back(std::move(section));
  } else if (incidents.size() > 1) {
    StorySection section{"Their incidents", {}};
    for (const auto& [id, incident] : incidents)
      section.lines.push_back(
          {incident->file.incident.opened_at, tell_incident(*incident, now).headline + " 'wardctl explain " + id + "'"});
    out.sections.push_back(std::move(section));
  }
  return out;
}

}  // namespace ward::collector::review
