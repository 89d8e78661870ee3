#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "collector/promql/function/call_frame.hpp"

// Functions of one number, applied to each value: abs, ceil, exp, trigonometry, rounding and clamping.

namespace ward::promql {
namespace {

template <class F>
Result<Operand> each(CallFrame& frame, F f) {
  return map_values(frame, 0, [&f](double v, std::size_t) { return std::optional<double>{f(v)}; });
}

/// Go's Max and Min: NaN wins over all but the infinity that settles the question.
double go_max(double a, double b) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  if (a == kInf || b == kInf) return kInf;
  return std::isnan(a) || std::isnan(b) ? std::numeric_limits<double>::quiet_NaN() : std::max(a, b);
}
double go_min(double a, double b) { return -go_max(-a, -b); }

constexpr double kHalfTurn = 180;

}  // namespace

Result<Operand> eval_abs(CallFrame& frame) {
  return each(frame, [](double v) { return std::abs(v); });
}
Result<Operand> eval_ceil(CallFrame& frame) {
  return each(frame, [](double v) { return std::ceil(v); });
}
Result<Operand> eval_floor(CallFrame& frame) {
  return each(frame, [](double v) { return std::floor(v); });
}
Result<Operand> eval_exp(CallFrame& frame) {
  return each(frame, [](double v) { return std::exp(v); });
}
Result<Operand> eval_ln(CallFrame& frame) {
  return each(frame, [](double v) { return std::log(v); });
}
Result<Operand> eval_log2(CallFrame& frame) {
  return each(frame, [](double v) { return std::log2(v); });
}
Result<Operand> eval_log10(CallFrame& frame) {
  return each(frame, [](double v) { return std::log10(v); });
}
Result<Operand> eval_sqrt(CallFrame& frame) {
  return each(frame, [](double v) { return std::sqrt(v); });
}
Result<Operand> eval_acos(CallFrame& frame) {
  return each(frame, [](double v) { return std::acos(v); });
}
Result<Operand> eval_acosh(CallFrame& frame) {
  return each(frame, [](double v) { return std::acosh(v); });
}
Result<Operand> eval_asin(CallFrame& frame) {
  return each(frame, [](double v) { return std::asin(v); });
}
Result<Operand> eval_asinh(CallFrame& frame) {
  return each(frame, [](double v) { return std::asinh(v); });
}
Result<Operand> eval_atan(CallFrame& frame) {
  return each(frame, [](double v) { return std::atan(v); });
}
Result<Operand> eval_atanh(CallFrame& frame) {
  return each(frame, [](double v) { return std::atanh(v); });
}
Result<Operand> eval_cos(CallFrame& frame) {
  return each(frame, [](double v) { return std::cos(v); });
}
Result<Operand> eval_cosh(CallFrame& frame) {
  return each(frame, [](double v) { return std::cosh(v); });
}
Result<Operand> eval_sin(CallFrame& frame) {
  return each(frame, [](double v) { return std::sin(v); });
}
Result<Operand> eval_sinh(CallFrame& frame) {
  return each(frame, [](double v) { return std::sinh(v); });
}
Result<Operand> eval_tan(CallFrame& frame) {
  return each(frame, [](double v) { return std::tan(v); });
}
Result<Operand> eval_tanh(CallFrame& frame) {
  return each(frame, [](double v) { return std::tanh(v); });
}
Result<Operand> eval_deg(CallFrame& frame) {
  return each(frame, [](double v) { return v * kHalfTurn / std::numbers::pi; });
}
Result<Operand> eval_rad(CallFrame& frame) {
  return each(frame, [](double v) { return v * std::numbers::pi / kHalfTurn; });
}
Result<Operand> eval_sgn(CallFrame& frame) {
  return each(frame, [](double v) { return v > 0 ? 1 : v < 0 ? -1 : v; });
}

Result<Operand> eval_round(CallFrame& frame) {
  auto nearest = frame.args() > 1 ? frame.scalar(1) : Result<StepScalar>{StepScalar(frame.steps().count, 1.0)};
  if (!nearest) return fail(nearest.error());
  return map_values(frame, 0, [&](double v, std::size_t i) {
    const double inverse = 1.0 / (*nearest)[i];
    return std::optional<double>{std::floor(v * inverse + 0.5) / inverse};
  });
}

Result<Operand> eval_clamp(CallFrame& frame) {
  const auto low = frame.scalar(1);
  if (!low) return fail(low.error());
  const auto high = frame.scalar(2);
  if (!high) return fail(high.error());
  return map_values(frame, 0, [&](double v, std::size_t i) {
    if ((*high)[i] < (*low)[i]) return std::optional<double>{};
    return std::optional<double>{go_max((*low)[i], go_min((*high)[i], v))};
  });
}

Result<Operand> eval_clamp_min(CallFrame& frame) {
  const auto low = frame.scalar(1);
  if (!low) return fail(low.error());
  return map_values(frame, 0, [&](double v, std::size_t i) { return std::optional<double>{go_max((*low)[i], v)}; });
}

Result<Operand> eval_clamp_max(CallFrame& frame) {
  const auto high = frame.scalar(1);
  if (!high) return fail(high.error());
  return map_values(frame, 0, [&](double v, std::size_t i) { return std::optional<double>{go_min((*high)[i], v)}; });
}

}  // namespace ward::promql
