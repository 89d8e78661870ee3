// The report's other half: what pages missed, and what rules and silences lack.
#include <algorithm>

#include "collector/review/paged_incident.hpp"
#include "collector/routing/escalation.hpp"

namespace ward::collector::review {
namespace {

constexpr double kWorthTelling = 0.01;
constexpr std::chrono::hours kLongSilence{24 * 7};
constexpr std::size_t kMostMissed = 20;

}  // namespace

Detection detect(const AlertReportInput& input, const std::vector<Reviewed>& reviewed) {
  Detection out;
  std::vector<milliseconds> delays;
  std::vector<milliseconds> resets;
  for (const auto& slo : input.slos)
    for (const auto& stretch : slo.bad) {
      if (stretch.worth < kWorthTelling) continue;
      ++out.stretches;
      const Reviewed* first = nullptr;
      for (const auto& one : reviewed) {
        if (one.pages.empty() || !relates(one.incident(), slo, input.around) ||
            !together(one.incident(), stretch, input.now))
          continue;
        if (first == nullptr || one.pages.front() < first->pages.front()) first = &one;
      }
      if (first == nullptr) {
        out.missed.push_back({.slo = slo.slo, .group = slo.group, .stretch = stretch});
        continue;
      }
      ++out.paged;
      delays.push_back(std::max(milliseconds{0}, first->pages.front() - Time{stretch.from}));
      if (first->over()) resets.push_back(std::max(milliseconds{0}, first->incident().resolved_at - Time{stretch.to}));
    }
  out.delay = spread_of(std::move(delays));
  out.reset = spread_of(std::move(resets));
  std::stable_sort(out.missed.begin(), out.missed.end(),
                   [](const Missed& a, const Missed& b) { return a.stretch.worth > b.stretch.worth; });
  if (out.missed.size() > kMostMissed) out.missed.resize(kMostMissed);
  return out;
}

Hygiene tidy(const AlertReportInput& input) {
  Hygiene out;
  out.log_holds = input.now - input.log_from;
  for (const auto& silence : input.silences) {
    const auto from = std::max(silence.from, input.from);
    const auto to = std::min(silence.to, input.to);
    if (to <= from) continue;
    out.silence_hours += to_seconds(to - from) / 3600;
    if (silence.to - silence.from > kLongSilence) out.long_silences.push_back(silence);
  }
  std::set<std::string> seen;
  for (const auto& rule : input.rules) {
    if (!seen.insert(rule.name).second) continue;
    const auto service = std::string(rule.labels.get("service"));
    const bool owned = rule.labels.has("owner") || (input.around.owner_of && !input.around.owner_of(service).empty());
    if (!owned) out.without_owner.push_back(rule.name);
    if (!rule.has_runbook) out.without_runbook.push_back(rule.name);
    if (rule.labels.has("class") && pages(class_of(rule.labels)) && !input.tested.contains(rule.name))
      out.without_test.push_back(rule.name);
    if (!input.fired.contains(rule.name)) out.never_fired.push_back(rule.name);
  }
  return out;
}

}  // namespace ward::collector::review
