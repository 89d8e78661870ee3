#include <set>

#include "collector/promql/function/call_frame.hpp"

// absent and absent_over_time: one where nothing is, with the labels the selector's equalities promise.

namespace ward::promql {
namespace {

Labels promised_labels(const Node& node) {
  const auto& inner = unwrap_parens(node);
  const VectorSelector* selector = std::get_if<VectorSelector>(&inner.data);
  if (const auto* matrix = std::get_if<MatrixSelector>(&inner.data)) selector = &matrix->vector;
  Labels out;
  if (selector == nullptr) return out;
  std::set<std::string> seen;
  for (const auto& m : selector->matchers) {
    if (m.name() == kNameLabel) continue;
    // A label asked for by two equalities, or by anything else behind its equality, promises nothing.
    if (m.op() == Matcher::Op::equal && seen.insert(m.name()).second)
      out.set(m.name(), m.value());
    else
      out.erase(m.name());
  }
  return out;
}

Operand ones_where_absent(CallFrame& frame, const std::vector<std::uint8_t>& present) {
  auto out = frame.evaluator().new_series(frame.labels().make(promised_labels(frame.arg(0))));
  for (std::size_t i = 0; i < present.size(); ++i)
    if (present[i] == 0) out.set(i, 1);
  StepVector vector;
  if (out.any()) vector.push_back(std::move(out));
  return {std::move(vector)};
}

}  // namespace

Result<Operand> eval_absent(CallFrame& frame) {
  const auto input = frame.vector(0);
  if (!input) return fail(input.error());
  std::vector<std::uint8_t> present(frame.steps().count);
  for (const auto& s : *input)
    for (std::size_t i = 0; i < present.size(); ++i)
      if (s.has(i)) present[i] = 1;
  return ones_where_absent(frame, present);
}

Result<Operand> eval_absent_over_time(CallFrame& frame) {
  std::vector<std::uint8_t> present(frame.steps().count);
  const auto walked = walk_series(frame, 0, [&](WindowCursor& cursor, std::span<const Sample>, std::span<double>) {
    for (std::size_t i = 0; i < present.size(); ++i)
      if (!cursor.at(i).samples.empty()) present[i] = 1;
  });
  if (!walked) return fail(walked.error());
  return ones_where_absent(frame, present);
}

}  // namespace ward::promql
