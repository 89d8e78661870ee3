#include "collector/promql/grammar.hpp"

#include "collector/promql/function/function.hpp"
#include "collector/promql/number.hpp"

// The grammar of expressions: operators by precedence, literals, calls and aggregations.

namespace ward::promql {
namespace {

constexpr int kUnaryBinds = 5;  ///< unary minus binds like *, weaker than ^

int precedence(BinaryOp op) {
  switch (op) {
    case BinaryOp::lor: return 1;
    case BinaryOp::land:
    case BinaryOp::lunless: return 2;
    case BinaryOp::equal:
    case BinaryOp::not_equal:
    case BinaryOp::less:
    case BinaryOp::less_equal:
    case BinaryOp::greater:
    case BinaryOp::greater_equal: return 3;
    case BinaryOp::add:
    case BinaryOp::sub: return 4;
    case BinaryOp::mul:
    case BinaryOp::div:
    case BinaryOp::mod:
    case BinaryOp::atan2: return kUnaryBinds;
    case BinaryOp::pow: return 6;
  }
  return 0;
}

struct DepthOf {
  static int of(const NodePtr& n) { return n ? n->depth : 0; }
  int operator()(const Subquery& s) const { return of(s.expr); }
  int operator()(const Call& c) const {
    int deepest = 0;
    for (const auto& a : c.args) deepest = std::max(deepest, of(a));
    return deepest;
  }
  int operator()(const Aggregate& a) const { return std::max(of(a.expr), of(a.param)); }
  int operator()(const Binary& b) const { return std::max(of(b.lhs), of(b.rhs)); }
  int operator()(const Unary& u) const { return of(u.expr); }
  int operator()(const Paren& p) const { return of(p.expr); }
  template <class Leaf>
  int operator()(const Leaf&) const {
    return 0;
  }
};

}  // namespace

std::nullptr_t Parser::unexpected(std::string_view context, std::string_view expected) {
  const auto& token = now();
  if (token.kind == TokenKind::error) return fail_at(token.pos, token.message);
  std::string message = "unexpected " + describe(token);
  if (!context.empty()) message.append(" in ").append(context);
  if (!expected.empty()) message.append(", expected ").append(expected);
  return fail_at(token.pos, std::move(message));
}

NodePtr Parser::make(PositionRange pos, decltype(Node::data) data) {
  const int depth = std::visit(DepthOf{}, data) + 1;
  if (depth > kMaxDepth) return fail_at(pos, "expression is nested more than " + std::to_string(kMaxDepth) + " levels deep");
  auto node = std::make_unique<Node>();
  node->pos = pos;
  node->depth = static_cast<std::uint16_t>(depth);
  node->data = std::move(data);
  return node;
}

NodePtr Parser::query() {
  if (is(TokenKind::end_of_input)) return fail_at({}, "no expression found in input");
  auto node = expression(0);
  if (node && !is(TokenKind::end_of_input)) return unexpected();
  return node;
}

std::optional<std::vector<Matcher>> Parser::selector_only() {
  auto node = primary();
  if (!node) return std::nullopt;
  if (!std::holds_alternative<VectorSelector>(node->data)) {
    fail_at(node->pos, "expected a vector selector");
    return std::nullopt;
  }
  if (!is(TokenKind::end_of_input)) {
    unexpected();
    return std::nullopt;
  }
  return std::move(std::get<VectorSelector>(node->data).matchers);
}

NodePtr Parser::expression(int binds) {
  if (open_ >= kMaxDepth)
    return fail_at(now().pos, "expression is nested more than " + std::to_string(kMaxDepth) + " levels deep");
  ++open_;
  auto lhs = operand();
  while (lhs && is(TokenKind::binary) && precedence(now().binary) >= binds) {
    Binary binary;
    binary.op = take().binary;
    if (!modifier(binary)) return nullptr;
    const int level = precedence(binary.op);
    binary.rhs = expression(binary.op == BinaryOp::pow ? level : level + 1);
    if (!binary.rhs) return nullptr;
    if (is_set(binary.op) && binary.matching.card == Cardinality::one_to_one)
      binary.matching.card = Cardinality::many_to_many;
    const PositionRange pos{lhs->pos.start, binary.rhs->pos.end};
    binary.lhs = std::move(lhs);
    lhs = make(pos, std::move(binary));
  }
  --open_;
  return lhs;
}

NodePtr Parser::operand() {
  if (is_sign()) return unary();
  auto node = primary();
  return node ? postfix(std::move(node)) : nullptr;
}

NodePtr Parser::unary() {
  const auto start = now().pos.start;
  const bool negative = take().binary == BinaryOp::sub;
  auto inner = expression(kUnaryBinds + 1);
  if (!inner) return nullptr;
  if (auto* number = std::get_if<NumberLiteral>(&inner->data)) {
    if (negative) number->value = -number->value;
    inner->pos.start = start;
    return inner;
  }
  const PositionRange pos{start, inner->pos.end};
  return make(pos, Unary{negative, std::move(inner)});
}

NodePtr Parser::literal() {
  const auto token = take();
  if (token.kind == TokenKind::string) return make(token.pos, StringLiteral{*unquote(token.text)});
  if (token.kind == TokenKind::duration) {
    const auto length = parse_length(token.text);
    if (!length) return fail_at(token.pos, length.error().what);
    return make(token.pos, NumberLiteral{static_cast<double>(length->count()) / 1000.0, true});
  }
  const auto number = parse_number(token.text);
  if (!number) return fail_at(token.pos, number.error().what);
  return make(token.pos, NumberLiteral{*number, false});
}

NodePtr Parser::paren() {
  const auto start = take().pos.start;
  auto inner = expression(0);
  if (!inner) return nullptr;
  if (!accept(TokenKind::right_paren)) return unexpected();
  return make({start, last_end_}, Paren{std::move(inner)});
}

NodePtr Parser::primary() {
  switch (now().kind) {
    case TokenKind::number:
    case TokenKind::duration:
    case TokenKind::string: return literal();
    case TokenKind::left_paren: return paren();
    case TokenKind::identifier: return ahead().kind == TokenKind::left_paren ? call() : selector();
    case TokenKind::aggregator: return aggregate();
    case TokenKind::metric_identifier:
    case TokenKind::left_brace:
    case TokenKind::kw_by:
    case TokenKind::kw_without:
    case TokenKind::kw_offset:
    case TokenKind::kw_start:
    case TokenKind::kw_end: return selector();
    case TokenKind::binary: return is_set(now().binary) ? selector() : unexpected();
    case TokenKind::end_of_input:
    case TokenKind::error:
    case TokenKind::right_paren:
    case TokenKind::right_brace:
    case TokenKind::left_bracket:
    case TokenKind::right_bracket:
    case TokenKind::comma:
    case TokenKind::colon:
    case TokenKind::assign:
    case TokenKind::regex_match:
    case TokenKind::regex_no_match:
    case TokenKind::at:
    case TokenKind::kw_bool:
    case TokenKind::kw_group_left:
    case TokenKind::kw_group_right:
    case TokenKind::kw_ignoring:
    case TokenKind::kw_on: return unexpected();
  }
  return unexpected();
}

NodePtr Parser::postfix(NodePtr node) {
  while (node) {
    if (is(TokenKind::left_bracket)) {
      node = bracket(std::move(node));
    } else if (is(TokenKind::kw_offset)) {
      if (!offset(*node)) return nullptr;
    } else if (is(TokenKind::at)) {
      if (!at_modifier(*node)) return nullptr;
    } else {
      return node;
    }
  }
  return nullptr;
}

std::optional<std::vector<NodePtr>> Parser::arguments() {
  std::vector<NodePtr> args;
  take();  // (
  if (accept(TokenKind::right_paren)) return args;
  while (true) {
    auto arg = expression(0);
    if (!arg) return std::nullopt;
    args.push_back(std::move(arg));
    if (accept(TokenKind::right_paren)) return args;
    const auto comma = now().pos;
    if (!accept(TokenKind::comma)) {
      unexpected();
      return std::nullopt;
    }
    if (is(TokenKind::right_paren)) {
      fail_at(comma, "trailing commas not allowed in function call args");
      return std::nullopt;
    }
  }
}

NodePtr Parser::call() {
  const auto name = take();
  auto args = arguments();
  if (!args) return nullptr;
  const auto* function = find_function(name.text);
  if (function == nullptr) return fail_at(name.pos, "unknown function with name " + quote(name.text));
  return make({name.pos.start, last_end_}, Call{function, std::move(*args)});
}

NodePtr Parser::aggregate() {
  const auto next = ahead().kind;
  const bool opens = next == TokenKind::left_paren || next == TokenKind::kw_by || next == TokenKind::kw_without;
  if (!opens) return selector();  // aggregators are good metric names where no aggregation follows
  const auto op = take();
  Aggregate a;
  a.op = op.aggregate;
  const auto by = [&] {
    if (!is(TokenKind::kw_by) && !is(TokenKind::kw_without)) return true;
    a.without = take().kind == TokenKind::kw_without;
    auto labels = grouping();
    if (labels) a.grouping = std::move(*labels);
    return labels.has_value();
  };
  const bool modifier_first = !is(TokenKind::left_paren);
  if (modifier_first && !by()) return nullptr;
  if (!is(TokenKind::left_paren)) return unexpected("aggregation");
  auto args = arguments();
  if (!args || (!modifier_first && !by())) return nullptr;
  const PositionRange pos{op.pos.start, last_end_};
  if (args->empty()) return fail_at(pos, "no arguments for aggregate expression provided");
  const std::size_t wanted = has_parameter(a.op) ? 2 : 1;
  if (args->size() != wanted)
    return fail_at(pos, "wrong number of arguments for aggregate expression provided, expected " + std::to_string(wanted) +
                            ", got " + std::to_string(args->size()));
  if (wanted == 2) a.param = std::move(args->front());
  a.expr = std::move(args->back());
  return make(pos, std::move(a));
}

bool Parser::modifier(Binary& binary) {
  binary.return_bool = accept(TokenKind::kw_bool);
  if (!is(TokenKind::kw_on) && !is(TokenKind::kw_ignoring)) return true;
  binary.matching.on = take().kind == TokenKind::kw_on;
  auto labels = grouping();
  if (!labels) return false;
  binary.matching.labels = std::move(*labels);
  if (!is(TokenKind::kw_group_left) && !is(TokenKind::kw_group_right)) return true;
  binary.matching.card = take().kind == TokenKind::kw_group_left ? Cardinality::many_to_one : Cardinality::one_to_many;
  if (!is(TokenKind::left_paren)) return true;
  labels = grouping();
  if (labels) binary.matching.include = std::move(*labels);
  return labels.has_value();
}

}  // namespace ward::promql
