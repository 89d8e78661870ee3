#pragma once
#include <cmath>

#include "collector/promql/ast.hpp"

namespace ward::promql {

/// What an operator makes of two numbers. `keep` is a comparison's verdict and true for arithmetic.
struct BinaryOutcome {
  double value = 0;
  bool keep = true;
  /// The scalar result: comparisons between scalars always carry `bool`.
  [[nodiscard]] double as_bool(BinaryOp op) const { return is_comparison(op) ? (keep ? 1 : 0) : value; }
};

/// Set operators never come here: they look at presence, not values.
inline BinaryOutcome apply(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::add: return {a + b};
    case BinaryOp::sub: return {a - b};
    case BinaryOp::mul: return {a * b};
    case BinaryOp::div: return {a / b};
    case BinaryOp::mod: return {std::fmod(a, b)};
    case BinaryOp::pow: return {std::pow(a, b)};
    case BinaryOp::atan2: return {std::atan2(a, b)};
    case BinaryOp::equal: return {a, a == b};
    case BinaryOp::not_equal: return {a, a != b};
    case BinaryOp::less: return {a, a < b};
    case BinaryOp::less_equal: return {a, a <= b};
    case BinaryOp::greater: return {a, a > b};
    case BinaryOp::greater_equal: return {a, a >= b};
    case BinaryOp::land:
    case BinaryOp::lor:
    case BinaryOp::lunless: break;
  }
  return {a};
}

}  // namespace ward::promql
