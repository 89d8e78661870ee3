#include "collector/promql/evaluator.hpp"

#include <algorithm>
#include <unordered_map>

#include "collector/promql/binary_op.hpp"
#include "collector/promql/function/call_frame.hpp"
#include "collector/promql/function/function.hpp"

namespace ward::promql {

Budget::Budget(const EvalLimits& limits, const Clock& clock)
    : limits_(limits), clock_(clock), deadline_(clock.mono() + limits.timeout) {}

Status Budget::charge(std::uint64_t samples) {
  if (samples > limits_.max_samples - used_)
    return fail(Errc::overloaded, "query processing would load too many samples into memory in query execution",
                "Ask for a shorter range, a longer step or fewer series, or raise the sample limit of queries.");
  used_ += samples;
  return check_time();
}

Status Budget::check_time() const {
  if (limits_.timeout.count() != 0 && clock_.mono() > deadline_)
    return fail(Errc::timed_out, "query timed out in expression evaluation",
                "Ask for a shorter range, a longer step or fewer series, or raise the time limit of queries.");
  return {};
}

Result<Operand> Evaluator::eval(const Node& node) {
  if (auto in_time = query_.budget.check_time(); !in_time) return fail(in_time.error());
  return std::visit([this](const auto& n) { return eval(n); }, node.data);
}

Result<StepVector> Evaluator::vector(const Node& node) {
  auto value = eval(node);
  if (!value) return fail(value.error());
  return std::get<StepVector>(std::move(value->data));
}

Result<StepScalar> Evaluator::scalar(const Node& node) {
  auto value = eval(node);
  if (!value) return fail(value.error());
  return std::get<StepScalar>(std::move(value->data));
}

Result<std::string> Evaluator::string(const Node& node) {
  auto value = eval(node);
  if (!value) return fail(value.error());
  return std::get<std::string>(std::move(value->data));
}

Operand Evaluator::constant(double value) const { return {StepScalar(steps_.count, value)}; }

Result<Operand> Evaluator::eval(const NumberLiteral& n) { return constant(n.value); }
Result<Operand> Evaluator::eval(const StringLiteral& s) { return Operand{s.value}; }
Result<Operand> Evaluator::eval(const Paren& p) { return eval(*p.expr); }

Result<Operand> Evaluator::eval(const VectorSelector& s) {
  auto selected = select(s);
  if (!selected) return fail(selected.error());
  return Operand{std::move(*selected)};
}

// Type checking lets range vectors stand only where a function or the query itself reads their windows.
Result<Operand> Evaluator::eval(const MatrixSelector&) {
  return fail(Errc::internal, "a range vector has no value by itself", "");
}
Result<Operand> Evaluator::eval(const Subquery&) {
  return fail(Errc::internal, "a range vector has no value by itself", "");
}

Result<Operand> Evaluator::eval(const Call& c) {
  if (c.function->evaluate == nullptr)
    return fail(Errc::invalid, "function \"" + std::string(c.function->name) + "\" is not evaluated by this version",
                "Use another function, or evaluate this query in Prometheus.");
  CallFrame frame{*this, c};
  return c.function->evaluate(frame);
}

Result<Operand> Evaluator::eval(const Aggregate& a) {
  auto input = vector(*a.expr);
  if (!input) return fail(input.error());
  auto out =
      has_parameter(a.op) ? aggregate_with_parameter(*this, a, std::move(*input)) : aggregate(*this, a, std::move(*input));
  if (!out) return fail(out.error());
  return Operand{std::move(*out)};
}

Result<Operand> Evaluator::eval(const Unary& u) {
  auto value = eval(*u.expr);
  if (!value || !u.negative) return value;
  if (auto* scalars = std::get_if<StepScalar>(&value->data)) {
    for (auto& v : *scalars) v = -v;
    return value;
  }
  auto& series = std::get<StepVector>(value->data);
  for (auto& s : series)
    for (std::size_t i = 0; i < s.steps(); ++i)
      if (s.has(i)) s.set(i, -s.at(i));
  if (auto dropped = drop_names(series); !dropped) return fail(dropped.error());
  return value;
}

Result<Operand> Evaluator::eval(const Binary& b) {
  auto lhs = eval(*b.lhs);
  if (!lhs) return lhs;
  auto rhs = eval(*b.rhs);
  if (!rhs) return rhs;
  auto* left_scalar = std::get_if<StepScalar>(&lhs->data);
  auto* right_scalar = std::get_if<StepScalar>(&rhs->data);
  if (left_scalar != nullptr && right_scalar != nullptr) {
    for (std::size_t i = 0; i < steps_.count; ++i)
      (*left_scalar)[i] = apply(b.op, (*left_scalar)[i], (*right_scalar)[i]).as_bool(b.op);
    return lhs;
  }
  if (left_scalar == nullptr && right_scalar == nullptr) {
    auto left = std::get<StepVector>(std::move(lhs->data));
    auto right = std::get<StepVector>(std::move(rhs->data));
    auto out = is_set(b.op) ? set_operation(*this, b, std::move(left), std::move(right))
                            : binary_vectors(*this, b, std::move(left), std::move(right));
    if (!out) return fail(out.error());
    return Operand{std::move(*out)};
  }
  const auto& scalars = left_scalar != nullptr ? *left_scalar : *right_scalar;
  auto& result = left_scalar != nullptr ? *rhs : *lhs;
  auto& series = std::get<StepVector>(result.data);
  for (auto& s : series) {
    for (std::size_t i = 0; i < s.steps(); ++i) {
      if (!s.has(i)) continue;
      const double v = s.at(i);
      const auto outcome = left_scalar != nullptr ? apply(b.op, scalars[i], v) : apply(b.op, v, scalars[i]);
      if (b.return_bool)
        s.set(i, outcome.keep ? 1 : 0);
      else if (!outcome.keep)
        s.clear(i);
      else if (!is_comparison(b.op))  // a comparison keeps the vector's value, whatever its side
        s.set(i, outcome.value);
    }
  }
  drop_empty(series);
  if (!is_comparison(b.op) || b.return_bool)
    if (auto dropped = drop_names(series); !dropped) return fail(dropped.error());
  return std::move(result);
}

Status join_alike(StepVector& vector) {
  std::unordered_map<Labels, std::size_t> first;
  std::size_t kept = 0;
  for (auto& s : vector) {
    const auto [at, is_new] = first.try_emplace(s.labels, kept);
    if (is_new) {
      if (&vector[kept] != &s) vector[kept] = std::move(s);
      ++kept;
      continue;
    }
    auto& into = vector[at->second];
    for (std::size_t i = 0; i < s.steps(); ++i) {
      if (!s.has(i)) continue;
      if (into.has(i))
        return fail(Errc::invalid, "vector cannot contain metrics with the same labelset",
                    "Aggregate, or keep a label that tells the series apart.");
      into.set(i, s.at(i));
    }
  }
  vector.resize(kept);
  return {};
}

Status drop_names(StepVector& vector) {
  bool one_name = true;
  for (const auto& s : vector) one_name = one_name && s.labels.name() == vector.front().labels.name();
  for (auto& s : vector) s.labels.erase(kNameLabel);
  // Series of one name differ elsewhere, so that dropping it joins none.
  return one_name ? Status{} : join_alike(vector);
}

void drop_empty(StepVector& vector) {
  std::erase_if(vector, [](const StepSeries& s) { return !s.any(); });
}

}  // namespace ward::promql
