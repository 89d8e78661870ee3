#pragma once
#include <optional>

#include "collector/promql/evaluator.hpp"

namespace ward::promql {

/// One call of a function with its arguments, evaluated on demand. Argument types are checked by the parser.
class CallFrame {
 public:
  CallFrame(Evaluator& evaluator, const Node& node, const Call& call) : evaluator_(evaluator), node_(node), call_(call) {}
  [[nodiscard]] const Call& call() const { return call_; }
  [[nodiscard]] const Node& node() const { return node_; }
  [[nodiscard]] std::size_t args() const { return call_.args.size(); }
  [[nodiscard]] const Node& arg(std::size_t n) const { return *call_.args[n]; }
  Result<StepVector> vector(std::size_t n) { return evaluator_.vector(arg(n)); }
  Result<StepScalar> scalar(std::size_t n) { return evaluator_.scalar(arg(n)); }
  Result<std::string> string(std::size_t n) { return evaluator_.string(arg(n)); }
  [[nodiscard]] const StepRange& steps() const { return evaluator_.steps(); }
  Evaluator& evaluator() { return evaluator_; }
  LabelSpace& labels() { return evaluator_.labels(); }
  Budget& budget() { return evaluator_.query().budget; }
  /// Annotations at the place of an argument.
  void warn(std::size_t n, std::string_view what) { evaluator_.query().notes.warn(arg(n).pos, what); }
  void inform(std::size_t n, std::string_view what) { evaluator_.query().notes.inform(arg(n).pos, what); }
  [[nodiscard]] PositionRange where() const { return node_.pos; }

 private:
  Evaluator& evaluator_;
  const Node& node_;
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
  if (auto ok = frame.evaluator().drop_names(*input); !ok) return fail(ok.error());
  return Operand{std::move(*input)};
}

/// Walks range argument `n` series by series: `walk(cursor, row)` fills the row of a series; those it leaves empty are
/// dropped.
template <class Walk>
Result<StepVector> walk_series(CallFrame& frame, std::size_t n, Walk walk) {
  auto& ev = frame.evaluator();
  const auto shape = ev.shape(frame.arg(n));
  StepVector out;
  std::span<double> row;
  const auto take = [&](const StepSeries& series, std::span<const Sample> samples) -> Status {
    if (row.empty()) row = ev.new_row();
    WindowCursor cursor{shape, ev.steps(), samples};
    walk(cursor, samples, row);
    StepSeries result{series.labels, row};
    result.drop_name = series.drop_name;
    if (!result.any()) return {};  // the next series may have the row
    out.push_back(result);
    row = {};
    return frame.budget().charge(ev.steps().count);
  };
  if (auto ok = ev.each_series(frame.arg(n), shape, take); !ok) return fail(ok.error());
  return out;
}

/// Applies `f(window) -> optional<double>` to every window of range argument `n` that holds a sample.
template <class F>
Result<Operand> map_windows(CallFrame& frame, std::size_t n, Names names, F f) {
  const auto steps = frame.steps().count;
  auto out = walk_series(frame, n, [&](WindowCursor& cursor, std::span<const Sample>, std::span<double> row) {
    for (std::size_t i = 0; i < steps; ++i) {
      const auto window = cursor.at(i);
      if (window.samples.empty()) continue;
      if (const std::optional<double> v = f(window)) row[i] = *v;
    }
  });
  if (!out) return fail(out.error());
  if (names == Names::drop)
    if (auto ok = frame.evaluator().drop_names(*out); !ok) return fail(ok.error());
  return Operand{std::move(*out)};
}

}  // namespace ward::promql
