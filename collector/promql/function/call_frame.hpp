#pragma once
#include <optional>

#include "collector/promql/evaluator.hpp"

namespace ward::promql {

/// One call of a function with its arguments, evaluated on demand. Argument types are checked by the parser.
class CallFrame {
 public:
  CallFrame(Evaluator& evaluator, const Call& call) : evaluator_(evaluator), call_(call) {}
  [[nodiscard]] std::size_t args() const { return call_.args.size(); }
  [[nodiscard]] const Node& arg(std::size_t n) const { return *call_.args[n]; }
  Result<StepVector> vector(std::size_t n) { return evaluator_.vector(arg(n)); }
  Result<StepScalar> scalar(std::size_t n) { return evaluator_.scalar(arg(n)); }
  Result<std::string> string(std::size_t n) { return evaluator_.string(arg(n)); }
  Result<Windows> windows(std::size_t n) { return evaluator_.windows(arg(n)); }
  [[nodiscard]] const StepRange& steps() const { return evaluator_.steps(); }
  Evaluator& evaluator() { return evaluator_; }
  Budget& budget() { return evaluator_.query().budget; }

 private:
  Evaluator& evaluator_;
  const Call& call_;
};

enum class Names : std::uint8_t { drop, keep };

/// Applies `f(value, step) -> optional<double>` to every value of vector argument `n`; no result removes the value.
template <class F>
Result<Operand> map_values(CallFrame& frame, std::size_t n, F f) {
  auto input = frame.vector(n);
  if (!input) return fail(input.error());
  for (auto& s : *input) {
    for (std::size_t i = 0; i < s.steps(); ++i) {
      if (!s.has(i)) continue;
      const std::optional<double> v = f(s.at(i), i);
      if (v)
        s.set(i, *v);
      else
        s.clear(i);
    }
  }
  drop_empty(*input);
  if (auto ok = drop_names(*input); !ok) return fail(ok.error());
  return Operand{std::move(*input)};
}

/// Applies `f(window) -> optional<double>` to every window of range argument `n` that holds a sample.
template <class F>
Result<Operand> map_windows(CallFrame& frame, std::size_t n, Names names, F f) {
  auto windows = frame.windows(n);
  if (!windows) return fail(windows.error());
  const auto steps = frame.steps().count;
  if (auto ok = frame.budget().charge(windows->series.size() * steps); !ok) return fail(ok.error());
  StepVector out;
  out.reserve(windows->series.size());
  for (auto& series : windows->series) {
    if (auto ok = frame.budget().check_time(); !ok) return fail(ok.error());
    StepSeries result{std::move(series.labels), steps};
    std::size_t from = 0;
    std::size_t to = 0;
    bool any = false;
    for (std::size_t i = 0; i < steps; ++i) {
      const auto window = window_at(*windows, series, frame.steps(), i, from, to);
      if (window.samples.empty()) continue;
      const std::optional<double> v = f(window);
      if (!v) continue;
      result.set(i, *v);
      any = true;
    }
    if (any) out.push_back(std::move(result));
  }
  if (names == Names::drop)
    if (auto ok = drop_names(out); !ok) return fail(ok.error());
  return Operand{std::move(out)};
}

}  // namespace ward::promql
