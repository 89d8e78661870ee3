#include "collector/promql/function/baseline.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "collector/promql/baseline_cache.hpp"
#include "collector/promql/function/call_frame.hpp"
#include "collector/promql/function/function.hpp"
#include "collector/promql/quantile.hpp"

// ward_baseline(v, q, options...) and ward_baseline_mad(v, options...): what v usually is at this hour, by the same hour of
// past weeks, or by the month's first and last working days. Only those hours are evaluated, twelve times each.

namespace ward::promql {
namespace {

constexpr milliseconds kStep = std::chrono::minutes{5};
constexpr std::size_t kPoints = 12;
/// A day with fewer points is a gap, not a day.
constexpr std::size_t kLeastPoints = kPoints / 2;
/// With two days the odd one would be half of the truth.
constexpr std::size_t kLeastDays = 3;

enum class Statistic : std::uint8_t { quantile, deviation };

using Day = std::vector<double>;
using Values = std::vector<std::pair<LabelSet, double>>;

double median(std::vector<double> values) { return quantile(0.5, std::move(values)); }

/// Of each day first, then of the days: one bad day, however bad, moves nothing.
double judge(const std::vector<Day>& days, Statistic statistic, double q) {
  std::vector<double> each;
  if (statistic == Statistic::quantile) {
    for (const auto& day : days) each.push_back(quantile(q, day));
    return median(std::move(each));
  }
  for (const auto& day : days) each.push_back(median(day));
  const auto middle = median(std::move(each));
  each.clear();
  for (auto day : days) {
    for (auto& v : day) v = std::abs(v - middle);
    each.push_back(median(std::move(day)));
  }
  return median(std::move(each));
}

class Baseline {
 public:
  Baseline(CallFrame& frame, Season season, Statistic statistic)
      : frame_(frame), season_(std::move(season)), statistic_(statistic), cache_(frame.evaluator().query().baselines) {}

  Result<Operand> run(const StepScalar& q) {
    auto& ev = frame_.evaluator();
    LabelSetIndex index;
    StepVector out;
    Values values;
    std::optional<Time> hour;
    double last_q = 0;
    for (std::size_t i = 0; i < ev.steps().count; ++i) {
      const auto own = hour_start(season_, ev.steps().at(i));
      if (!hour || *hour != own || std::bit_cast<std::uint64_t>(last_q) != std::bit_cast<std::uint64_t>(q[i])) {
        auto found = of_hour(own, q[i]);
        if (!found) return fail(found.error());
        values = std::move(*found);
        hour = own;
        last_q = q[i];
      }
      for (const auto& [labels, value] : values) {
        const auto place = index.add(labels);
        if (place.is_new) out.push_back(ev.new_series(labels));
        out[place.number].set(i, value);
      }
    }
    if (auto ok = ev.drop_names(out); !ok) return fail(ok.error());
    return Operand{std::move(out)};
  }

 private:
  Result<Values> of_hour(Time hour, double q) {
    const auto key = cache_ == nullptr ? std::string{} : key_of(q);
    if (cache_ != nullptr) {
      if (const auto known = cache_->find(key, hour)) {
        Values out;
        for (const auto& [labels, value] : *known) out.emplace_back(frame_.labels().make(labels), value);
        return out;
      }
    }
    auto computed = compute(hour, q);
    if (!computed || cache_ == nullptr) return computed;
    BaselineCache::Values kept;
    for (const auto& [labels, value] : *computed) kept.emplace_back(frame_.labels().labels(labels), value);
    cache_->put(key, hour, std::move(kept));
    return computed;
  }

  [[nodiscard]] std::string key_of(double q) const {
    return to_string(frame_.node()) + "@" + std::to_string(std::bit_cast<std::uint64_t>(q));
  }

  Result<Values> compute(Time hour, double q) {
    LabelSetIndex index;
    std::vector<std::vector<Day>> series;
    for (const auto start : comparable_hours(season_, hour)) {
      Evaluator inner{frame_.evaluator().query(), StepRange{start, kStep, kPoints}};
      const auto then = inner.vector(frame_.arg(0));
      if (!then) return fail(then.error());
      for (const auto& s : *then) {
        Day day;
        for (std::size_t i = 0; i < s.steps(); ++i)
          if (s.has(i) && std::isfinite(s.at(i))) day.push_back(s.at(i));
        if (day.size() < kLeastPoints) continue;
        if (auto ok = frame_.budget().charge(day.size()); !ok) return fail(ok.error());
        const auto place = index.add(s.labels);
        if (place.is_new) series.emplace_back();
        series[place.number].push_back(std::move(day));
      }
    }
    Values out;
    for (std::size_t n = 0; n < series.size(); ++n)
      if (series[n].size() >= kLeastDays) out.emplace_back(index[n], judge(series[n], statistic_, q));
    return out;
  }

  CallFrame& frame_;
  Season season_;
  Statistic statistic_;
  BaselineCache* cache_;
};

Result<Operand> evaluate(CallFrame& frame, Statistic statistic) {
  auto season = season_of(frame.call());
  if (!season) return fail(season.error());
  StepScalar q(frame.steps().count, 0.5);
  if (statistic == Statistic::quantile) {
    auto given = frame.scalar(1);
    if (!given) return fail(given.error());
    q = std::move(*given);
  }
  for (const auto one : q)
    if (!(one >= 0 && one <= 1))
      return fail(Errc::invalid, "the quantile of ward_baseline() is not between 0 and 1", "Write a share like 0.95.");
  return Baseline{frame, std::move(*season), statistic}.run(q);
}

}  // namespace

Result<Operand> eval_ward_baseline(CallFrame& frame) { return evaluate(frame, Statistic::quantile); }
Result<Operand> eval_ward_baseline_mad(CallFrame& frame) { return evaluate(frame, Statistic::deviation); }

bool is_baseline(const Call& call) {
  return call.function->evaluate == &eval_ward_baseline || call.function->evaluate == &eval_ward_baseline_mad;
}

Result<Season> season_of(const Call& call) {
  Season season;
  for (std::size_t n = call.function->evaluate == &eval_ward_baseline ? 2 : 1; n < call.args.size(); ++n) {
    const auto* text = std::get_if<StringLiteral>(&unwrap_parens(*call.args[n]).data);
    if (text == nullptr) continue;  // the type check tells
    if (auto ok = set_season(season, text->value); !ok) return fail(ok.error());
  }
  return season;
}

}  // namespace ward::promql
