#include "collector/promql/rewrite.hpp"

#include <algorithm>

#include "collector/promql/parser.hpp"
#include "common/base/assert.hpp"

namespace ward::promql {
namespace {

NodePtr copy(const Node& node);

NodePtr copy(const NodePtr& node) { return node ? copy(*node) : nullptr; }

struct Copier {
  Node operator()(const NumberLiteral& n) const { return with(n); }
  Node operator()(const StringLiteral& s) const { return with(s); }
  Node operator()(const VectorSelector& s) const { return with(s); }
  Node operator()(const MatrixSelector& m) const { return with(m); }
  Node operator()(const Subquery& s) const {
    return with(Subquery{.expr = copy(s.expr), .range = s.range, .step = s.step, .when = s.when});
  }
  Node operator()(const Call& c) const {
    Call out{.function = c.function, .args = {}};
    for (const auto& arg : c.args) out.args.push_back(copy(arg));
    return with(std::move(out));
  }
  Node operator()(const Aggregate& a) const {
    return with(
        Aggregate{.op = a.op, .expr = copy(a.expr), .param = copy(a.param), .grouping = a.grouping, .without = a.without});
  }
  Node operator()(const Binary& b) const {
    return with(
        Binary{.op = b.op, .lhs = copy(b.lhs), .rhs = copy(b.rhs), .matching = b.matching, .return_bool = b.return_bool});
  }
  Node operator()(const Unary& u) const { return with(Unary{.negative = u.negative, .expr = copy(u.expr)}); }
  Node operator()(const Paren& p) const { return with(Paren{copy(p.expr)}); }

  template <class T>
  Node with(T data) const {
    return Node{.pos = from.pos, .depth = from.depth, .data = std::move(data)};
  }
  const Node& from;
};

NodePtr copy(const Node& node) { return std::make_unique<Node>(std::visit(Copier{node}, node.data)); }

struct Narrowing {
  std::span<const Matcher> matchers;

  void enter(Node& node) const {
    std::visit([this](auto& n) { (*this)(n); }, node.data);
  }
  void operator()(NumberLiteral&) const {}
  void operator()(StringLiteral&) const {}
  void operator()(VectorSelector& s) const {
    for (const auto& m : matchers) {
      const auto same = [&m](const Matcher& own) { return own.name() == m.name(); };
      if (std::any_of(s.matchers.begin(), s.matchers.end(), same)) continue;
      s.matchers.insert(s.name.empty() ? s.matchers.end() : s.matchers.end() - 1, m);  // a name before the braces stays last
    }
  }
  void operator()(MatrixSelector& m) const { (*this)(m.vector); }
  void operator()(Subquery& s) const { enter(*s.expr); }
  void operator()(Call& c) const {
    for (auto& arg : c.args) enter(*arg);
  }
  void operator()(Aggregate& a) const {
    enter(*a.expr);
    if (a.param) enter(*a.param);
  }
  void operator()(Binary& b) const {
    enter(*b.lhs);
    enter(*b.rhs);
  }
  void operator()(Unary& u) const { enter(*u.expr); }
  void operator()(Paren& p) const { enter(*p.expr); }
};

/// The number itself, `-0.5` included.
bool is_number(const Node& node) {
  const auto& inner = unwrap_parens(node);
  if (const auto* unary = std::get_if<Unary>(&inner.data)) return is_number(*unary->expr);
  return std::holds_alternative<NumberLiteral>(inner.data);
}

/// Where the limit stands in `node`; null without one.
NodePtr* find_limit(Node& node) {
  if (auto* paren = std::get_if<Paren>(&node.data)) return find_limit(*paren->expr);
  auto* binary = std::get_if<Binary>(&node.data);
  if (binary == nullptr) return nullptr;
  if (binary->op == BinaryOp::land || binary->op == BinaryOp::lunless) return find_limit(*binary->lhs);
  if (!is_comparison(binary->op)) return nullptr;
  if (is_number(*binary->rhs)) return &binary->rhs;
  return is_number(*binary->lhs) ? &binary->lhs : nullptr;
}

/// What is printed parses back to the same tree, so this cannot fail on a tree that was parsed.
Expr printed(const Node& root) {
  auto expr = parse(to_string(root));
  WARD_ASSERT(expr.has_value());
  return std::move(*expr);
}

}  // namespace

Expr narrowed(const Expr& expr, std::span<const Matcher> matchers) {
  const auto root = copy(expr.root());
  Narrowing{matchers}.enter(*root);
  return printed(*root);
}

Result<Expr> with_limit(const Expr& expr, double limit) {
  const auto root = copy(expr.root());
  auto* at = find_limit(*root);
  if (at == nullptr)
    return fail(Errc::invalid, "the expression has no limit: nothing in it is compared with a number at the outermost place",
                "Write the rule as 'EXPRESSION > NUMBER', or give the tenant a rule of its own.");
  *at = std::make_unique<Node>(Node{.pos = (*at)->pos, .depth = 1, .data = NumberLiteral{.value = limit}});
  return printed(*root);
}

std::optional<Expr> as_question(const Expr& expr) {
  const auto root = copy(expr.root());
  auto* node = root.get();
  while (auto* paren = std::get_if<Paren>(&node->data)) node = paren->expr.get();
  auto* binary = std::get_if<Binary>(&node->data);
  if (binary == nullptr || !is_comparison(binary->op)) return std::nullopt;
  binary->return_bool = true;
  return printed(*root);
}

}  // namespace ward::promql
