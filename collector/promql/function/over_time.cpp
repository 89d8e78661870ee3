#include <cmath>

#include "collector/promql/function/call_frame.hpp"
#include "collector/promql/function/quantile_check.hpp"
#include "collector/promql/kahan.hpp"
#include "collector/promql/quantile.hpp"

// The *_over_time family: one number out of all samples of a window. absent_over_time lives with absent.

namespace ward::promql {
namespace {

template <class F>
Result<Operand> over(CallFrame& frame, F f, Names names = Names::drop) {
  return map_windows(frame, 0, names, [&f](const Window& w) { return std::optional<double>{f(w.samples)}; });
}

std::vector<double> values_of(std::span<const Sample> samples) {
  std::vector<double> values;
  values.reserve(samples.size());
  for (const auto& s : samples) values.push_back(s.v);
  return values;
}

/// The sample that `better` prefers; the first of equals, any number over NaN.
template <class Better>
const Sample& extreme(std::span<const Sample> samples, Better better) {
  const Sample* best = &samples.front();
  for (const auto& s : samples.subspan(1))
    if (better(s.v, best->v) || std::isnan(best->v)) best = &s;
  return *best;
}
constexpr auto kGreater = [](double a, double b) { return a > b; };
constexpr auto kLess = [](double a, double b) { return a < b; };
constexpr auto kGreaterOrLater = [](double a, double b) { return a >= b; };
constexpr auto kLessOrLater = [](double a, double b) { return a <= b; };

double variance(std::span<const Sample> samples) {
  KahanVariance v;
  for (const auto& s : samples) v.add(s.v);
  return v.variance();
}

}  // namespace

Result<Operand> eval_avg_over_time(CallFrame& frame) {
  return over(frame, [](std::span<const Sample> samples) {
    KahanMean mean;
    for (const auto& s : samples) mean.add(s.v);
    return mean.mean();
  });
}
Result<Operand> eval_sum_over_time(CallFrame& frame) {
  return over(frame, [](std::span<const Sample> samples) {
    KahanSum sum;
    for (const auto& s : samples) sum.add(s.v);
    return sum.total();
  });
}
Result<Operand> eval_count_over_time(CallFrame& frame) {
  return over(frame, [](std::span<const Sample> samples) { return static_cast<double>(samples.size()); });
}
Result<Operand> eval_present_over_time(CallFrame& frame) {
  return over(frame, [](std::span<const Sample>) { return 1.0; });
}
Result<Operand> eval_min_over_time(CallFrame& frame) {
  return over(frame, [](std::span<const Sample> samples) { return extreme(samples, kLess).v; });
}
Result<Operand> eval_max_over_time(CallFrame& frame) {
  return over(frame, [](std::span<const Sample> samples) { return extreme(samples, kGreater).v; });
}
Result<Operand> eval_first_over_time(CallFrame& frame) {
  return over(
      frame, [](std::span<const Sample> samples) { return samples.front().v; }, Names::keep);
}
Result<Operand> eval_last_over_time(CallFrame& frame) {
  return over(
      frame, [](std::span<const Sample> samples) { return samples.back().v; }, Names::keep);
}
Result<Operand> eval_stdvar_over_time(CallFrame& frame) {
  return over(frame, [](std::span<const Sample> samples) { return variance(samples); });
}
Result<Operand> eval_stddev_over_time(CallFrame& frame) {
  return over(frame, [](std::span<const Sample> samples) { return std::sqrt(variance(samples)); });
}
Result<Operand> eval_mad_over_time(CallFrame& frame) {
  return over(frame, [](std::span<const Sample> samples) {
    auto values = values_of(samples);
    const double median = quantile(0.5, values);
    for (auto& v : values) v = std::abs(v - median);
    return quantile(0.5, std::move(values));
  });
}
Result<Operand> eval_ts_of_first_over_time(CallFrame& frame) {
  return over(frame, [](std::span<const Sample> samples) { return to_seconds(samples.front().t); });
}
Result<Operand> eval_ts_of_last_over_time(CallFrame& frame) {
  return over(frame, [](std::span<const Sample> samples) { return to_seconds(samples.back().t); });
}
Result<Operand> eval_ts_of_min_over_time(CallFrame& frame) {
  return over(frame, [](std::span<const Sample> samples) { return to_seconds(extreme(samples, kLessOrLater).t); });
}
Result<Operand> eval_ts_of_max_over_time(CallFrame& frame) {
  return over(frame, [](std::span<const Sample> samples) { return to_seconds(extreme(samples, kGreaterOrLater).t); });
}

Result<Operand> eval_quantile_over_time(CallFrame& frame) {
  const auto q = frame.scalar(0);
  if (!q) return fail(q.error());
  warn_of_quantiles(frame, 0, *q);
  return map_windows(frame, 1, Names::drop,
                     [&q](const Window& w) { return std::optional<double>{quantile((*q)[w.step], values_of(w.samples))}; });
}

}  // namespace ward::promql
