#include <cmath>
#include <numbers>

#include "collector/promql/function/call_frame.hpp"

// Between types and times: time, timestamp, vector, scalar, pi.

namespace ward::promql {

Result<Operand> eval_time(CallFrame& frame) {
  StepScalar out(frame.steps().count);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = to_seconds(frame.steps().at(i));
  return Operand{std::move(out)};
}

Result<Operand> eval_pi(CallFrame& frame) { return Operand{StepScalar(frame.steps().count, std::numbers::pi)}; }

Result<Operand> eval_timestamp(CallFrame& frame) {
  // Of a plain selector it is the sample's own time, of anything computed the evaluation time.
  if (const auto* selector = std::get_if<VectorSelector>(&unwrap_parens(frame.arg(0)).data)) {
    auto out = frame.evaluator().select(*selector, Evaluator::Take::timestamp);
    if (!out) return fail(out.error());
    if (auto ok = frame.evaluator().drop_names(*out); !ok) return fail(ok.error());
    return Operand{std::move(*out)};
  }
  return map_values(frame, 0, [&](double, std::size_t i) { return std::optional<double>{to_seconds(frame.steps().at(i))}; });
}

Result<Operand> eval_vector(CallFrame& frame) {
  const auto scalar = frame.scalar(0);
  if (!scalar) return fail(scalar.error());
  auto out = frame.evaluator().new_series({});
  for (std::size_t i = 0; i < scalar->size(); ++i) out.set(i, (*scalar)[i]);
  return Operand{StepVector{out}};
}

Result<Operand> eval_scalar(CallFrame& frame) {
  const auto input = frame.vector(0);
  if (!input) return fail(input.error());
  StepScalar out(frame.steps().count, std::nan(""));
  std::vector<std::uint32_t> found(out.size());
  for (const auto& s : *input) {
    for (std::size_t i = 0; i < out.size(); ++i)
      if (s.has(i)) out[i] = ++found[i] == 1 ? s.at(i) : std::nan("");
  }
  return Operand{std::move(out)};
}

}  // namespace ward::promql
