// The only file of this room that sees PromQL.
#include "collector/exchange/ratio_query.hpp"

#include <algorithm>
#include <optional>

#include "collector/promql/function/function.hpp"
#include "collector/promql/parser.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::exchange {
namespace {

using promql::Node;
using promql::unwrap_parens;

/// sum [by (...)] (rate(selector[window]))
struct Count {
  std::string selector;
  std::vector<std::string> group_by;
};

bool is_zero(const Node& node) {
  const auto* call = std::get_if<promql::Call>(&unwrap_parens(node).data);
  if (call == nullptr || call->function->name != "vector") return false;
  const auto* number = std::get_if<promql::NumberLiteral>(&unwrap_parens(*call->args.front()).data);
  return number != nullptr && number->value == 0;
}

/// The left side of `... or vector(0)`.
const Node& without_zero(const Node& node, bool& dropped) {
  const auto& inner = unwrap_parens(node);
  const auto* binary = std::get_if<promql::Binary>(&inner.data);
  if (binary == nullptr || binary->op != promql::BinaryOp::lor || !is_zero(*binary->rhs)) return inner;
  dropped = true;
  return unwrap_parens(*binary->lhs);
}

std::vector<std::string> grouping_of(const Node& node) {
  const auto& inner = unwrap_parens(node);
  if (const auto* aggregate = std::get_if<promql::Aggregate>(&inner.data))
    return aggregate->without ? std::vector<std::string>{} : aggregate->grouping;
  if (const auto* binary = std::get_if<promql::Binary>(&inner.data)) return grouping_of(*binary->lhs);
  return {};
}

std::optional<Count> count_of(const Node& node, milliseconds window) {
  const auto* sum = std::get_if<promql::Aggregate>(&unwrap_parens(node).data);
  if (sum == nullptr || sum->op != promql::AggregateOp::sum || sum->without) return std::nullopt;
  const auto* call = std::get_if<promql::Call>(&unwrap_parens(*sum->expr).data);
  if (call == nullptr || (call->function->name != "rate" && call->function->name != "increase")) return std::nullopt;
  const auto* range = std::get_if<promql::MatrixSelector>(&unwrap_parens(*call->args.front()).data);
  if (range == nullptr || range->range != window) return std::nullopt;
  const auto& when = range->vector.when;
  if (when.offset.count() != 0 || when.point != promql::AtPoint::none) return std::nullopt;
  return Count{to_string(Node{.pos = {}, .depth = 1, .data = range->vector}), sum->grouping};
}

/// A rate and a growth are alike only when both sides are one of them; a ratio of the two would be off by the window.
std::string_view function_of(const Node& node) {
  const auto* sum = std::get_if<promql::Aggregate>(&unwrap_parens(node).data);
  const auto* call = sum == nullptr ? nullptr : std::get_if<promql::Call>(&unwrap_parens(*sum->expr).data);
  return call == nullptr ? std::string_view{} : call->function->name;
}

std::optional<RatioIndicator> counted(const Node& errors, const Node& total, milliseconds window) {
  const auto all = count_of(total, window);
  if (!all) return std::nullopt;
  const auto indicator = [&](RatioIndicator::Kind kind, const std::string& part) {
    return RatioIndicator{.kind = kind, .part = part, .total = all->selector, .group_by = all->group_by};
  };
  if (const auto bad = count_of(errors, window)) {
    const bool same = bad->group_by == all->group_by && bad->selector != all->selector;
    if (!same || function_of(errors) != function_of(total)) return std::nullopt;
    return indicator(RatioIndicator::Kind::bad, bad->selector);
  }
  const auto* minus = std::get_if<promql::Binary>(&errors.data);
  if (minus == nullptr || minus->op != promql::BinaryOp::sub || minus->matching.on || !minus->matching.labels.empty())
    return std::nullopt;
  const auto from = count_of(*minus->lhs, window);
  const auto good = count_of(*minus->rhs, window);
  const bool of_all = from && good && from->selector == all->selector && from->group_by == all->group_by &&
                      good->group_by == all->group_by && good->selector != all->selector;
  const bool alike =
      of_all && function_of(*minus->lhs) == function_of(total) && function_of(*minus->rhs) == function_of(total);
  return alike ? std::optional{indicator(RatioIndicator::Kind::good, good->selector)} : std::nullopt;
}

Result<promql::Expr> parse_value(std::string_view query) {
  auto expr = promql::parse(query);
  if (!expr) return expr;
  if (expr->type() == promql::ValueType::vector || expr->type() == promql::ValueType::scalar) return expr;
  return fail(Errc::invalid, "the query yields a " + std::string(documented(expr->type())) + ", not one value a series", "");
}

}  // namespace

Result<RatioIndicator> events_indicator(std::string_view errors, std::string_view total, std::string_view window) {
  const auto range = parse_duration(window);
  if (!range) return fail(range.error());
  const auto bad = parse_value(errors);
  if (!bad) return fail(bad.error());
  const auto all = parse_value(total);
  if (!all) return fail(all.error());
  bool dropped = false;
  const auto& bad_node = without_zero(bad->root(), dropped);
  const auto& all_node = without_zero(all->root(), dropped);
  if (auto events = counted(bad_node, all_node, *range)) {
    events->dropped_zero = dropped;
    return std::move(*events);
  }
  return RatioIndicator{.kind = RatioIndicator::Kind::raw,
                        .part = "(" + to_string(*bad) + ") / (" + to_string(*all) + ")",
                        .total = {},
                        .group_by = grouping_of(all_node)};
}

Result<RatioIndicator> raw_indicator(std::string_view ratio) {
  const auto expr = parse_value(ratio);
  if (!expr) return fail(expr.error());
  return RatioIndicator{
      .kind = RatioIndicator::Kind::raw, .part = to_string(*expr), .total = {}, .group_by = grouping_of(expr->root())};
}

Result<std::string> selector_text(std::string_view query) {
  const auto expr = promql::parse(query);
  if (!expr) return fail(expr.error());
  const auto& root = unwrap_parens(expr->root());
  const auto* selector = std::get_if<promql::VectorSelector>(&root.data);
  if (selector == nullptr || selector->when.offset.count() != 0 || selector->when.point != promql::AtPoint::none)
    return fail(Errc::invalid, "it is no plain selector like requests_total{code=~\"5..\"}", "");
  return to_string(root);
}

}  // namespace ward::collector::exchange
