#include "collector/promql/evaluator.hpp"

namespace ward::promql {
namespace {

/// For each signature number, the steps at which any of `vector` has it.
std::vector<std::vector<std::uint8_t>> presence(const StepVector& vector, const std::vector<std::uint32_t>& numbers,
                                                std::size_t count) {
  std::vector<std::vector<std::uint8_t>> out(count);
  for (std::size_t n = 0; n < vector.size(); ++n) {
    auto& steps = out[numbers[n]];
    steps.resize(vector[n].steps());
    for (std::size_t i = 0; i < steps.size(); ++i)
      if (vector[n].has(i)) steps[i] = 1;
  }
  return out;
}

enum class Keep : std::uint8_t { where_present, where_absent };

void keep(StepVector& vector, const std::vector<std::uint32_t>& numbers, const std::vector<std::vector<std::uint8_t>>& other,
          Keep which) {
  for (std::size_t n = 0; n < vector.size(); ++n) {
    const auto& steps = other[numbers[n]];
    for (std::size_t i = 0; i < vector[n].steps(); ++i) {
      const bool there = !steps.empty() && steps[i] != 0;
      if (there != (which == Keep::where_present)) vector[n].clear(i);
    }
  }
  drop_empty(vector);
}

}  // namespace

Result<StepVector> set_operation(Evaluator& ev, const Binary& b, StepVector lhs, StepVector rhs) {
  const auto numbers = signatures(ev.labels(), b.matching, lhs, rhs);
  const auto count = numbers.labels.size();
  if (b.op != BinaryOp::lor) {
    keep(lhs, numbers.lhs, presence(rhs, numbers.rhs, count),
         b.op == BinaryOp::land ? Keep::where_present : Keep::where_absent);
    return lhs;
  }
  keep(rhs, numbers.rhs, presence(lhs, numbers.lhs, count), Keep::where_absent);
  lhs.insert(lhs.end(), std::make_move_iterator(rhs.begin()), std::make_move_iterator(rhs.end()));
  if (auto ok = join_alike(lhs); !ok) return fail(ok.error());
  return lhs;
}

}  // namespace ward::promql
