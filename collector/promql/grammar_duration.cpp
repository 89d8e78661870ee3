#include "collector/promql/binary_op.hpp"
#include "collector/promql/grammar.hpp"
#include "collector/promql/number.hpp"

// Durations where a range, a step or an offset stands: a literal, or arithmetic over literals, worked out while parsing.
// Behind `offset` arithmetic needs parentheses, so that `a offset 5m * 2` stays a product.

namespace ward::promql {
namespace {

int binding(BinaryOp op) {
  switch (op) {
    case BinaryOp::add:
    case BinaryOp::sub: return 1;
    case BinaryOp::mul:
    case BinaryOp::div:
    case BinaryOp::mod: return 2;
    case BinaryOp::pow: return 3;
    case BinaryOp::atan2:
    case BinaryOp::equal:
    case BinaryOp::not_equal:
    case BinaryOp::less:
    case BinaryOp::less_equal:
    case BinaryOp::greater:
    case BinaryOp::greater_equal:
    case BinaryOp::land:
    case BinaryOp::lor:
    case BinaryOp::lunless: break;
  }
  return 0;
}

}  // namespace

std::optional<double> Parser::duration_operand(std::string_view context, std::string_view expected) {
  if (accept(TokenKind::left_paren)) {
    const auto inner = duration(0, context, expected);
    if (!inner) return std::nullopt;
    if (accept(TokenKind::right_paren)) return inner;
    unexpected(context, "\")\"");
    return std::nullopt;
  }
  if (!is(TokenKind::duration) && !is(TokenKind::number)) {
    unexpected(context, expected);
    return std::nullopt;
  }
  const auto token = take();
  const auto length = token.kind == TokenKind::duration ? parse_length(token.text) : Result<milliseconds>{milliseconds{0}};
  const auto number = token.kind == TokenKind::number ? parse_number(token.text)
                      : length                        ? Result<double>{static_cast<double>(length->count()) / 1000.0}
                                                      : Result<double>{fail(length.error())};
  if (number) return *number;
  fail_at(token.pos, number.error().what);
  return std::nullopt;
}

std::optional<double> Parser::duration(int binds, std::string_view context, std::string_view expected) {
  if (open_ >= kMaxDepth) {
    fail_at(now().pos, "expression is nested more than " + std::to_string(kMaxDepth) + " levels deep");
    return std::nullopt;
  }
  ++open_;
  std::optional<double> value;
  if (is_sign()) {
    const bool negative = take().binary == BinaryOp::sub;
    value = duration(binding(BinaryOp::mul), context, expected);
    if (value && negative) value = -*value;
  } else {
    value = duration_operand(context, expected);
  }
  while (value && is(TokenKind::binary) && binding(now().binary) > binds) {
    const auto op = now();
    take();
    const int level = binding(op.binary);
    const auto right = duration(op.binary == BinaryOp::pow ? level - 1 : level, context, expected);
    if (!right) return std::nullopt;
    if (*right == 0 && (op.binary == BinaryOp::div || op.binary == BinaryOp::mod)) {
      fail_at(op.pos, op.binary == BinaryOp::div ? "division by zero" : "modulo by zero");
      return std::nullopt;
    }
    value = apply(op.binary, *value, *right).value;
  }
  --open_;
  return value;
}

}  // namespace ward::promql
