#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "collector/tsdb/queryable.hpp"

namespace ward::promql {

using collector::Matcher;

enum class ValueType : std::uint8_t { scalar, vector, matrix, string };
/// As the documentation names it: "instant vector", "range vector", "scalar", "string".
std::string_view documented(ValueType type);

/// Bytes [start, end) of the query text.
struct PositionRange {
  std::uint32_t start = 0;
  std::uint32_t end = 0;
  friend bool operator==(const PositionRange&, const PositionRange&) = default;
};

enum class BinaryOp : std::uint8_t {
  add,
  sub,
  mul,
  div,
  mod,
  pow,
  atan2,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  land,
  lor,
  lunless,
};
std::string_view to_string(BinaryOp op);
[[nodiscard]] constexpr bool is_comparison(BinaryOp op) { return op >= BinaryOp::equal && op <= BinaryOp::greater_equal; }
[[nodiscard]] constexpr bool is_set(BinaryOp op) { return op >= BinaryOp::land; }

enum class AggregateOp : std::uint8_t {
  sum,
  avg,
  count,
  min,
  max,
  group,
  stddev,
  stdvar,
  topk,
  bottomk,
  count_values,
  quantile,
  limitk,
  limit_ratio,
};
std::string_view to_string(AggregateOp op);
[[nodiscard]] constexpr bool has_parameter(AggregateOp op) { return op >= AggregateOp::topk; }

struct Function;  // function/function.hpp
struct Node;
using NodePtr = std::unique_ptr<Node>;

enum class AtPoint : std::uint8_t { none, fixed, start, end };

/// The `offset` and `@` behind a selector or subquery.
struct TimeModifiers {
  milliseconds offset{0};
  AtPoint point = AtPoint::none;
  Time at;  ///< with AtPoint::fixed
};

struct NumberLiteral {
  double value = 0;
  bool is_duration = false;  ///< was written like 5m
};
struct StringLiteral {
  std::string value;
};
struct VectorSelector {
  std::string name;               ///< written before the braces; empty when only the braces name the metric
  std::vector<Matcher> matchers;  ///< in the order written; that of `name` is the last one
  TimeModifiers when;
};
struct MatrixSelector {
  VectorSelector vector;
  milliseconds range{0};
};
struct Subquery {
  NodePtr expr;
  milliseconds range{0};
  milliseconds step{0};  ///< 0: the engine's default
  TimeModifiers when;
};
struct Call {
  const Function* function = nullptr;
  std::vector<NodePtr> args;
};
struct Aggregate {
  AggregateOp op = AggregateOp::sum;
  NodePtr expr;
  NodePtr param;  ///< null without one
  std::vector<std::string> grouping;
  bool without = false;
};
enum class Cardinality : std::uint8_t { one_to_one, many_to_one, one_to_many, many_to_many };
struct VectorMatching {
  Cardinality card = Cardinality::one_to_one;
  bool on = false;
  std::vector<std::string> labels;
  std::vector<std::string> include;
};
struct Binary {
  BinaryOp op = BinaryOp::add;
  NodePtr lhs;
  NodePtr rhs;
  VectorMatching matching;
  bool return_bool = false;
};
struct Unary {
  bool negative = false;
  NodePtr expr;
};
struct Paren {
  NodePtr expr;
};

struct Node {
  PositionRange pos;
  std::uint16_t depth = 1;
  std::variant<NumberLiteral, StringLiteral, VectorSelector, MatrixSelector, Subquery, Call, Aggregate, Binary, Unary, Paren>
      data;
};

ValueType type_of(const Node& node);
/// The node inside any parentheses.
const Node& unwrap_parens(const Node& node);

/// A parsed and type-checked query: immutable, cheap to copy, shared between threads.
class Expr {
 public:
  Expr(std::shared_ptr<const Node> root, std::string text) : root_(std::move(root)), text_(std::move(text)) {}
  [[nodiscard]] const Node& root() const { return *root_; }
  [[nodiscard]] ValueType type() const { return type_of(*root_); }
  /// As it was written; positions of nodes are bytes of it.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::shared_ptr<const Node> root_;
  std::string text_;
};

/// The query as Prometheus prints it; parses back to the same tree.
std::string to_string(const Expr& expr);
std::string to_string(const Node& node);

}  // namespace ward::promql
