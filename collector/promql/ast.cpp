#include "collector/promql/ast.hpp"

#include <array>

#include "collector/promql/function/function.hpp"

namespace ward::promql {
namespace {

constexpr std::array<std::string_view, 16> kBinaryNames{
    "+", "-", "*", "/", "%", "^", "atan2", "==", "!=", "<", "<=", ">", ">=", "and", "or", "unless"};
constexpr std::array<std::string_view, 14> kAggregateNames{"sum",          "avg",      "count",  "min",        "max",
                                                           "group",        "stddev",   "stdvar", "topk",       "bottomk",
                                                           "count_values", "quantile", "limitk", "limit_ratio"};

struct TypeOf {
  ValueType operator()(const NumberLiteral&) const { return ValueType::scalar; }
  ValueType operator()(const StringLiteral&) const { return ValueType::string; }
  ValueType operator()(const VectorSelector&) const { return ValueType::vector; }
  ValueType operator()(const MatrixSelector&) const { return ValueType::matrix; }
  ValueType operator()(const Subquery&) const { return ValueType::matrix; }
  ValueType operator()(const Call& c) const { return c.function->result; }
  ValueType operator()(const Aggregate&) const { return ValueType::vector; }
  ValueType operator()(const Binary& b) const {
    const bool scalars = type_of(*b.lhs) == ValueType::scalar && type_of(*b.rhs) == ValueType::scalar;
    return scalars ? ValueType::scalar : ValueType::vector;
  }
  ValueType operator()(const Unary& u) const { return type_of(*u.expr); }
  ValueType operator()(const Paren& p) const { return type_of(*p.expr); }
};

}  // namespace

std::string_view documented(ValueType type) {
  switch (type) {
    case ValueType::scalar: return "scalar";
    case ValueType::vector: return "instant vector";
    case ValueType::matrix: return "range vector";
    case ValueType::string: return "string";
  }
  return "unknown";
}

std::string_view to_string(BinaryOp op) { return kBinaryNames[static_cast<std::size_t>(op)]; }
std::string_view to_string(AggregateOp op) { return kAggregateNames[static_cast<std::size_t>(op)]; }

ValueType type_of(const Node& node) { return std::visit(TypeOf{}, node.data); }

const Node& unwrap_parens(const Node& node) {
  const Node* at = &node;
  while (const auto* paren = std::get_if<Paren>(&at->data)) at = paren->expr.get();
  return *at;
}

}  // namespace ward::promql
