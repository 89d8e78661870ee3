#include <cmath>
#include <limits>

#include "collector/promql/function/call_frame.hpp"
#include "collector/promql/kahan.hpp"

// Where a gauge is going: deriv, predict_linear (least squares) and double_exponential_smoothing (Holt).

namespace ward::promql {
namespace {

struct Line {
  double slope = 0;
  double intercept = 0;
};

/// Least squares with x in seconds from `origin`.
Line fit(std::span<const Sample> samples, Time origin) {
  KahanSum x_sum, y_sum, xy_sum, xx_sum;
  bool constant = true;
  for (const auto& s : samples) {
    constant = constant && s.v == samples.front().v;
    const double x = static_cast<double>(to_ms(s.t) - to_ms(origin)) / 1000.0;
    x_sum.add(x);
    y_sum.add(s.v);
    xy_sum.add(x * s.v);
    xx_sum.add(x * x);
  }
  if (constant) {
    const double y = samples.front().v;
    if (std::isinf(y)) return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
    return {0, y};
  }
  const auto n = static_cast<double>(samples.size());
  const double sx = x_sum.sum + x_sum.lost;
  const double sy = y_sum.sum + y_sum.lost;
  const double covariance = (xy_sum.sum + xy_sum.lost) - sx * sy / n;
  const double variance = (xx_sum.sum + xx_sum.lost) - sx * sx / n;
  const double slope = covariance / variance;
  return {slope, sy / n - slope * sx / n};
}

Status check_factor(double factor, std::string_view kind, std::string_view sign) {
  if (factor > 0 && factor < 1) return {};
  return fail(Errc::invalid,
              "invalid " + std::string(kind) + " factor. Expected: 0 < " + std::string(sign) +
                  " < 1, got: " + std::to_string(factor),
              "Write a number between 0 and 1.");
}

}  // namespace

Result<Operand> eval_deriv(CallFrame& frame) {
  return map_windows(frame, 0, Names::drop, [](const Window& w) {
    if (w.samples.size() < 2) return std::optional<double>{};
    return std::optional<double>{fit(w.samples, w.samples.front().t).slope};
  });
}

Result<Operand> eval_predict_linear(CallFrame& frame) {
  const auto ahead = frame.scalar(1);
  if (!ahead) return fail(ahead.error());
  return map_windows(frame, 0, Names::drop, [&ahead](const Window& w) {
    if (w.samples.size() < 2) return std::optional<double>{};
    const auto line = fit(w.samples, w.evaluation_time);
    return std::optional<double>{line.slope * (*ahead)[w.step] + line.intercept};
  });
}

Result<Operand> eval_double_exponential_smoothing(CallFrame& frame) {
  const auto level_factor = frame.scalar(1);
  if (!level_factor) return fail(level_factor.error());
  const auto trend_factor = frame.scalar(2);
  if (!trend_factor) return fail(trend_factor.error());
  for (std::size_t i = 0; i < frame.steps().count; ++i) {
    if (auto ok = check_factor((*level_factor)[i], "smoothing", "sf"); !ok) return fail(ok.error());
    if (auto ok = check_factor((*trend_factor)[i], "trend", "tf"); !ok) return fail(ok.error());
  }
  return map_windows(frame, 0, Names::drop, [&](const Window& w) {
    if (w.samples.size() < 2) return std::optional<double>{};
    const double sf = (*level_factor)[w.step];
    const double tf = (*trend_factor)[w.step];
    double previous = 0;
    double level = w.samples[0].v;
    double trend = w.samples[1].v - w.samples[0].v;
    for (std::size_t i = 1; i < w.samples.size(); ++i) {
      if (i > 1) trend = tf * (level - previous) + (1 - tf) * trend;
      const double next = sf * w.samples[i].v + (1 - sf) * (level + trend);
      previous = level;
      level = next;
    }
    return std::optional<double>{level};
  });
}

}  // namespace ward::promql
