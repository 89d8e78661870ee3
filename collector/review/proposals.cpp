// Keep, tune or delete: one line a rule, with the reason.
#include <algorithm>

#include "collector/review/paged_incident.hpp"
#include "collector/review/words.hpp"
#include "collector/routing/escalation.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::review {
namespace {

using std::chrono::minutes;
using Action = Proposal::Action;

constexpr std::size_t kEnough = 3;  // incidents, to say anything of a rule
constexpr std::chrono::hours kLongEnough{24 * 60};

std::string percent(double share) { return std::to_string(static_cast<int>(share * 100 + 0.5)) + " %"; }

std::size_t verdicts_of(const AlertFigures& figures, VerdictKind kind) {
  const auto at = figures.verdicts.find(kind);
  return at == figures.verdicts.end() ? 0 : at->second;
}
std::size_t verdicts_of(const AlertFigures& figures) {
  std::size_t out = 0;
  for (const auto& [kind, times] : figures.verdicts) out += times;
  return out;
}

/// A `for` that the short ones would not have lived through: above nine tenths of them, in whole minutes.
milliseconds longer_hold(const std::vector<Reviewed>& reviewed, const std::string& rule, milliseconds hold) {
  std::vector<milliseconds> lengths;
  for (const auto& one : reviewed) {
    const auto& i = one.incident();
    if (i.root_alert == rule && one.over() && !one.acknowledged && i.resolved_at - i.opened_at < minutes{5})
      lengths.push_back(i.resolved_at - i.opened_at);
  }
  return hold + std::chrono::ceil<minutes>(spread_of(std::move(lengths)).p90 + milliseconds{1});
}

Proposal judge_fired(const AlertFigures& f, const RuleFact* rule, const std::vector<Reviewed>& reviewed,
                     const std::string& name) {
  Proposal out{.action = Action::keep, .rule = name, .reason = {}, .change = {}};
  const auto judged = verdicts_of(f);
  const auto wrong = verdicts_of(f, VerdictKind::false_alarm);
  const auto useless = wrong + verdicts_of(f, VerdictKind::known);
  if (judged >= kEnough && useless == judged && f.precise == 0) {
    out.action = Action::remove;
    out.reason = "nobody ever had to act: of " + count_of(judged, "verdict") + " " + std::to_string(wrong) + " false, " +
                 std::to_string(useless - wrong) + " known, and no service level suffered";
    return out;
  }
  if (f.paged >= kEnough && 2 * f.noise >= f.paged) {
    const auto hold = longer_hold(reviewed, name, rule == nullptr ? milliseconds{0} : rule->hold);
    out.action = Action::tune;
    out.hold = hold;
    out.change = "for: " + format_duration(hold);
    out.reason = std::to_string(f.noise) + " of " + count_of(f.paged, "paged incident") +
                 " were over within five minutes without anybody";
    return out;
  }
  if (f.flaps >= kEnough) {
    out.action = Action::tune;
    out.change = "keep_firing_for: 15m, or a threshold with room between on and off";
    out.reason = "it flapped or came back " + count_of(f.flaps, "time");
    return out;
  }
  if (const auto precision = f.precision(); precision && f.precise + f.imprecise >= kEnough && *precision < 0.5) {
    out.action = Action::tune;
    out.change = "a higher threshold, or class: actionable";
    out.reason = "only " + percent(*precision) + " of its pages came when users felt something or somebody had to act";
    return out;
  }
  if (const auto each = f.pages_per_incident(); each && f.paged >= kEnough && *each > 2) {
    out.action = Action::tune;
    out.change = "its escalation: who is told first should be who can take it on";
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", *each);
    out.reason = std::string(text) + " pages an incident";
    return out;
  }
  out.reason = count_of(f.paged, "paged incident");
  if (const auto acted = verdicts_of(f, VerdictKind::acted); acted > 0)
    out.reason += ", " + std::to_string(acted) + " acted on";
  if (f.precise > 0) out.reason += ", " + std::to_string(f.precise) + " that mattered";
  if (f.paged < kEnough && judged < kEnough) out.reason += "; too few to say more";
  return out;
}

Proposal judge_quiet(const RuleFact& rule, const AlertReportInput& input) {
  Proposal out{.action = Action::keep, .rule = rule.name, .reason = {}, .change = {}};
  const auto log = input.now - input.log_from;
  const auto never = "never fired in " + lasting(log);
  if (input.fired.contains(rule.name)) {
    out.reason = "quiet in this time, but has fired before";
  } else if (log < kLongEnough) {
    out.reason = never + ", which is too short a time to tell";
  } else if (rule.labels.has("class") && pages(class_of(rule.labels))) {
    const bool tested = input.tested.contains(rule.name);
    out.reason = never + (tested ? "; a test shows that it would" : "; no test shows that it would: write one");
  } else {
    out.action = Action::remove;
    out.reason = never + ", and it would wake nobody if it did";
  }
  return out;
}

int rank(Action action) {
  switch (action) {
    case Action::remove: return 0;
    case Action::tune: return 1;
    case Action::keep: return 2;
  }
  return 2;
}

}  // namespace

std::vector<Proposal> propose(const AlertReportInput& input, const std::vector<Reviewed>& reviewed,
                              const AlertReport& report) {
  std::map<std::string, const RuleFact*> rules;
  for (const auto& rule : input.rules) rules.emplace(rule.name, &rule);
  std::vector<Proposal> out;
  for (const auto& [name, figures] : report.by_rule) {
    const auto at = rules.find(name);
    out.push_back(judge_fired(figures, at == rules.end() ? nullptr : at->second, reviewed, name));
  }
  for (const auto& [name, rule] : rules)
    if (!report.by_rule.contains(name)) out.push_back(judge_quiet(*rule, input));
  std::stable_sort(out.begin(), out.end(), [](const Proposal& a, const Proposal& b) {
    return std::pair(rank(a.action), a.rule) < std::pair(rank(b.action), b.rule);
  });
  return out;
}

}  // namespace ward::collector::review
