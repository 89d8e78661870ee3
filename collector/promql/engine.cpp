#include "collector/promql/engine.hpp"

#include <algorithm>

#include "collector/promql/evaluator.hpp"

namespace ward::promql {
namespace {

Result<Value> windows_value(Evaluator& ev, const Node& node) {
  const auto windows = ev.windows(node);
  if (!windows) return fail(windows.error());
  Matrix out;
  for (const auto& series : windows->series) {
    std::size_t from = 0;
    std::size_t to = 0;
    const auto window = window_at(*windows, series, ev.steps(), 0, from, to);
    if (!window.samples.empty()) out.push_back({series.labels, {window.samples.begin(), window.samples.end()}});
  }
  return Value{std::move(out)};
}

Matrix as_matrix(const StepVector& vector, const StepRange& steps) {
  Matrix out;
  for (const auto& s : vector) {
    MatrixSeries series{s.labels, {}};
    for (std::size_t i = 0; i < s.steps(); ++i)
      if (s.has(i)) series.samples.push_back({steps.at(i), s.at(i)});
    if (!series.samples.empty()) out.push_back(std::move(series));
  }
  std::sort(out.begin(), out.end(), [](const MatrixSeries& a, const MatrixSeries& b) { return a.labels < b.labels; });
  return out;
}

}  // namespace

Result<Value> Engine::instant(const Expr& expr, const collector::Queryable& store, Time at) const {
  Budget budget{options_.limits, *clock_};
  QueryContext query{store, options_, budget, at, at};
  Evaluator ev{query, {at, milliseconds{1}, 1}};
  if (expr.type() == ValueType::matrix) return windows_value(ev, expr.root());
  auto value = ev.eval(expr.root());
  if (!value) return fail(value.error());
  if (auto* text = std::get_if<std::string>(&value->data)) return Value{std::move(*text)};
  if (const auto* scalar = std::get_if<StepScalar>(&value->data)) return Value{scalar->front()};
  Vector out;
  for (auto& s : std::get<StepVector>(value->data))
    if (s.has(0)) out.push_back({std::move(s.labels), s.at(0)});
  return Value{std::move(out)};
}

Result<Matrix> Engine::range(const Expr& expr, const collector::Queryable& store, RangeSpec spec) const {
  if (expr.type() != ValueType::scalar && expr.type() != ValueType::vector)
    return fail(Errc::invalid,
                "invalid expression type \"" + std::string(documented(expr.type())) +
                    "\" for range query, must be Scalar or instant Vector",
                "Ask for it as an instant query.");
  if (spec.step.count() <= 0)
    return fail(Errc::invalid, "zero or negative query resolution step widths are not accepted", "Try a positive integer.");
  if (spec.end < spec.start)
    return fail(Errc::invalid, "end timestamp must not be before start time", "Swap start and end.");
  const auto span = static_cast<std::uint64_t>(to_ms(spec.end)) - static_cast<std::uint64_t>(to_ms(spec.start));
  const std::uint64_t count = span / static_cast<std::uint64_t>(spec.step.count()) + 1;
  Budget budget{options_.limits, *clock_};
  if (auto ok = budget.charge(count); !ok) return fail(ok.error());
  QueryContext query{store, options_, budget, spec.start, spec.end};
  Evaluator ev{query, {spec.start, spec.step, static_cast<std::size_t>(count)}};
  auto value = ev.eval(expr.root());
  if (!value) return fail(value.error());
  if (const auto* vector = std::get_if<StepVector>(&value->data)) return as_matrix(*vector, ev.steps());
  MatrixSeries series;
  const auto& scalar = std::get<StepScalar>(value->data);
  for (std::size_t i = 0; i < scalar.size(); ++i) series.samples.push_back({ev.steps().at(i), scalar[i]});
  return Matrix{std::move(series)};
}

}  // namespace ward::promql
