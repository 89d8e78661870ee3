#include "collector/slo/windows.hpp"

#include <algorithm>
#include <array>

namespace ward::collector::slo {
namespace {

constexpr minutes up_to_minutes(milliseconds d) { return std::chrono::ceil<minutes>(d); }

/// What the SRE workbook's policy compares: shown also for SLOs without one.
constexpr std::array<minutes, 7> kUsual{minutes{5},   minutes{30},    minutes{60},   minutes{120},
                                        minutes{360}, minutes{1'440}, minutes{4'320}};

}  // namespace

std::size_t WindowPlan::index_of(minutes length) const {
  const auto at = std::find(lengths.begin(), lengths.end(), length);
  return static_cast<std::size_t>(at - lengths.begin());
}

minutes WindowPlan::longest() const { return lengths.empty() ? minutes{0} : lengths.back(); }

WindowPlan plan_windows(const SloSpec& slo, const std::vector<minutes>& above) {
  WindowPlan plan;
  plan.lengths = above;
  for (const auto& pair : slo.burn) {
    plan.lengths.push_back(up_to_minutes(pair.long_window));
    plan.lengths.push_back(up_to_minutes(pair.short_window));
  }
  if (slo.burn.empty()) plan.lengths.insert(plan.lengths.end(), kUsual.begin(), kUsual.end());
  if (slo.min_events.count > 0) plan.lengths.push_back(up_to_minutes(slo.min_events.window));
  if (slo.min_bad.count > 0) plan.lengths.push_back(up_to_minutes(slo.min_bad.window));
  // The rolling period also where the budget is for a calendar one: burn rates stay on rolling windows.
  plan.lengths.push_back(nominal_length(slo.period));
  std::sort(plan.lengths.begin(), plan.lengths.end());
  plan.lengths.erase(std::unique(plan.lengths.begin(), plan.lengths.end()), plan.lengths.end());
  plan.period = plan.index_of(nominal_length(slo.period));
  return plan;
}

WindowState judge(const Sums& sums, std::int64_t length, NoData policy, Missing missing) {
  WindowState out;
  out.sums = sums;
  out.length = length;
  const auto accounted = std::max<std::int64_t>(0, length - sums.excluded);
  const auto told = sums.known + sums.down;
  out.coverage = accounted > 0 ? std::min(1.0, static_cast<double>(told) / static_cast<double>(accounted)) : 0;
  auto unknown = std::max<std::int64_t>(0, accounted - told - missing.unborn - missing.grace);
  if (policy == NoData::unknown) unknown = 0;
  const auto known = sums.total > 0 ? static_cast<std::int64_t>(sums.known) : 0;
  const auto all = static_cast<double>(known + sums.down + unknown);
  if (all <= 0) return out;
  const auto of_events =
      sums.total > 0 ? std::clamp(static_cast<double>(sums.bad) / static_cast<double>(sums.total), 0.0, 1.0) : 0.0;
  const auto bad = of_events * static_cast<double>(known) + static_cast<double>(sums.down) +
                   (policy == NoData::bad ? static_cast<double>(unknown) : 0.0);
  out.bad_ratio = std::clamp(bad / all, 0.0, 1.0);
  return out;
}

WindowState combine(const std::vector<PartState>& parts, Composition composition) {
  WindowState out;
  double good = 1;
  double bad = 0;
  double weight = 0;
  out.coverage = parts.empty() ? 0 : 1;
  for (const auto& part : parts) {
    out.length = std::max(out.length, part.state.length);
    out.sums += part.state.sums;
    out.coverage = std::min(out.coverage, part.state.coverage);
    if (!part.state.bad_ratio) continue;
    good *= 1 - *part.state.bad_ratio;
    bad += *part.state.bad_ratio * part.weight;
    weight += part.weight;
  }
  if (weight > 0) out.bad_ratio = composition == Composition::all ? 1 - good : bad / weight;
  return out;
}

}  // namespace ward::collector::slo
