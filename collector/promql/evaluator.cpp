#include "collector/promql/evaluator.hpp"

#include <algorithm>

#include "collector/promql/binary_op.hpp"
#include "collector/promql/function/call_frame.hpp"
#include "collector/promql/function/function.hpp"

namespace ward::promql {

Result<Operand> Evaluator::eval(const Node& node) {
  if (auto in_time = query_.budget.check_time(); !in_time) return fail(in_time.error());
  if (steps_.count > 1 && is_step_invariant(node)) return eval_once(node);
  return std::visit([this, &node](const auto& n) { return eval(node, n); }, node.data);
}

Result<Operand> Evaluator::eval_once(const Node& node) {
  Evaluator once{query_, {steps_.start, steps_.step, 1}};
  auto value = once.eval(node);
  if (!value) return value;
  if (auto* scalar = std::get_if<StepScalar>(&value->data)) scalar->assign(steps_.count, scalar->front());
  auto* vector = std::get_if<StepVector>(&value->data);
  if (vector == nullptr) return value;
  if (auto ok = query_.budget.charge(vector->size() * steps_.count); !ok) return fail(ok.error());
  for (auto& s : *vector) {
    auto spread = new_series(s.labels);
    spread.drop_name = s.drop_name;
    std::fill(spread.row().begin(), spread.row().end(), s.row().front());
    s = spread;
  }
  return value;
}

std::span<double> Evaluator::new_row() {
  auto* at = static_cast<double*>(query_.budget.memory().allocate(steps_.count * sizeof(double), alignof(double)));
  std::fill_n(at, steps_.count, stale_marker());
  return {at, steps_.count};
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

Result<Operand> Evaluator::eval(const Node&, const NumberLiteral& n) { return constant(n.value); }
Result<Operand> Evaluator::eval(const Node&, const StringLiteral& s) { return Operand{s.value}; }
Result<Operand> Evaluator::eval(const Node&, const Paren& p) { return eval(*p.expr); }

Result<Operand> Evaluator::eval(const Node&, const VectorSelector& s) {
  auto selected = select(s);
  if (!selected) return fail(selected.error());
  return Operand{std::move(*selected)};
}

// Type checking lets range vectors stand only where a function or the query itself reads their windows.
Result<Operand> Evaluator::eval(const Node&, const MatrixSelector&) {
  return fail(Errc::internal, "a range vector has no value by itself", "");
}
Result<Operand> Evaluator::eval(const Node&, const Subquery&) {
  return fail(Errc::internal, "a range vector has no value by itself", "");
}

Result<Operand> Evaluator::eval(const Node& node, const Call& c) {
  CallFrame frame{*this, node, c};
  return c.function->evaluate(frame);
}

Result<Operand> Evaluator::eval(const Node&, const Aggregate& a) {
  auto input = vector(*a.expr);
  if (!input) return fail(input.error());
  auto out =
      has_parameter(a.op) ? aggregate_with_parameter(*this, a, std::move(*input)) : aggregate(*this, a, std::move(*input));
  if (!out) return fail(out.error());
  return Operand{std::move(*out)};
}

Result<Operand> Evaluator::eval(const Node&, const Unary& u) {
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

Result<Operand> Evaluator::eval(const Node&, const Binary& b) {
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
  LabelSetIndex known;
  std::size_t kept = 0;
  for (std::size_t n = 0; n < vector.size(); ++n) {
    const auto place = known.add(vector[n].labels);
    if (place.is_new) {
      vector[kept++] = vector[n];
      continue;
    }
    auto& into = vector[place.number];
    for (std::size_t i = 0; i < into.steps(); ++i) {
      if (!vector[n].has(i)) continue;
      if (into.has(i))
        return fail(Errc::invalid, "vector cannot contain metrics with the same labelset",
                    "Aggregate, or keep a label that tells the series apart.");
      into.set(i, vector[n].at(i));
    }
  }
  vector.resize(kept);
  return {};
}

Status Evaluator::drop_names(StepVector& vector) {
  if (query_.options.delayed_name_removal) {
    for (auto& s : vector) s.drop_name = true;
    return {};
  }
  bool one_name = true;
  const auto first = vector.empty() ? LabelSpace::kNone : labels().name_id(vector.front().labels);
  for (auto& s : vector) {
    one_name = one_name && labels().name_id(s.labels) == first;
    s.labels = labels().without_name(s.labels);
  }
  // Series of one name differ elsewhere, so that dropping it joins none.
  return one_name ? Status{} : join_alike(vector);
}

Status drop_marked_names(Evaluator& ev, StepVector& vector) {
  bool any = false;
  for (auto& s : vector) {
    if (!s.drop_name) continue;
    s.labels = ev.labels().without_name(s.labels);
    any = true;
  }
  return any ? join_alike(vector) : Status{};
}

void drop_empty(StepVector& vector) {
  std::erase_if(vector, [](const StepSeries& s) { return !s.any(); });
}

}  // namespace ward::promql
