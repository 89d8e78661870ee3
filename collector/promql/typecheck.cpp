#include "collector/promql/typecheck.hpp"

#include <algorithm>

#include "collector/promql/function/baseline.hpp"
#include "collector/promql/function/function.hpp"
#include "collector/promql/lexer.hpp"

namespace ward::promql {
namespace {

class Checker {
 public:
  explicit Checker(std::string_view query) : query_(query) {}
  void check(const Node& node) {
    if (error_) return;
    std::visit([&](const auto& n) { check(node, n); }, node.data);
  }
  [[nodiscard]] std::optional<ParseError> error() && { return std::move(error_); }

 private:
  void fail_at(PositionRange pos, std::string message) {
    if (!error_) error_ = ParseError{pos, std::move(message)};
  }
  void expect(const Node& node, ValueType want, const std::string& context) {
    check(node);
    const auto got = type_of(node);
    if (got != want)
      fail_at(node.pos,
              "expected type " + std::string(documented(want)) + " in " + context + ", got " + std::string(documented(got)));
  }

  void check(const Node&, const NumberLiteral&) {}
  void check(const Node&, const StringLiteral&) {}
  void check(const Node& node, const VectorSelector& s) {
    if (s.name.empty()) {
      const bool selective =
          std::any_of(s.matchers.begin(), s.matchers.end(), [](const Matcher& m) { return !m.matches(""); });
      if (!selective) fail_at(node.pos, "vector selector must contain at least one non-empty matcher");
      return;
    }
    // The last matcher is the name before the braces; no other may name the metric.
    for (std::size_t i = 0; i + 1 < s.matchers.size(); ++i)
      if (s.matchers[i].name() == kNameLabel)
        fail_at(node.pos, "metric name must not be set twice: " + quote(s.name) + " or " + quote(s.matchers[i].value()));
  }
  void check(const Node& node, const MatrixSelector& m) { check(node, m.vector); }
  void check(const Node&, const Paren& p) { check(*p.expr); }
  void check(const Node& node, const Subquery& s) {
    check(*s.expr);
    if (type_of(*s.expr) == ValueType::vector) return;
    constexpr std::string_view kShort[] = {"scalar", "vector", "matrix", "string"};
    fail_at(node.pos, "subquery is only allowed on instant vector, got " +
                          std::string(kShort[static_cast<int>(type_of(*s.expr))]) + " instead");
  }
  void check(const Node& node, const Unary& u) {
    check(*u.expr);
    const auto t = type_of(*u.expr);
    if (t != ValueType::scalar && t != ValueType::vector)
      fail_at(node.pos, "unary expression only allowed on expressions of type scalar or instant vector, got \"" +
                            std::string(documented(t)) + "\"");
  }
  void check(const Node&, const Aggregate& a) {
    expect(*a.expr, ValueType::vector, "aggregation expression");
    if (!a.param) return;
    expect(*a.param, a.op == AggregateOp::count_values ? ValueType::string : ValueType::scalar, "aggregation parameter");
  }
  void check(const Node& node, const Call& c);
  void check(const Node& node, const Binary& b);
  void check_info_labels(const Node& node);
  [[nodiscard]] PositionRange operator_range(const Binary& b) const;

  std::string_view query_;
  std::optional<ParseError> error_;
};

void Checker::check(const Node& node, const Call& c) {
  const auto& f = *c.function;
  const auto listed = static_cast<int>(f.args().size());
  const auto given = static_cast<int>(c.args.size());
  const auto wrong = [&](std::string_view bound, int wanted) {
    fail_at(node.pos, "expected " + std::string(bound) + std::to_string(wanted) + " argument(s) in call to \"" +
                          std::string(f.name) + "\", got " + std::to_string(given));
  };
  if (f.variadic == 0) {
    if (given != listed) wrong("", listed);
  } else if (given < listed - 1) {
    wrong("at least ", listed - 1);
  } else if (f.variadic > 0 && given > listed - 1 + f.variadic) {
    wrong("at most ", listed - 1 + f.variadic);
  }
  if (error_) return;
  for (int i = 0; i < given; ++i) {
    if (f.name == "info" && i == 1) {
      check_info_labels(*c.args[1]);
      continue;
    }
    const auto want = f.args()[static_cast<std::size_t>(std::min(i, listed - 1))];
    expect(*c.args[static_cast<std::size_t>(i)], want, "call to function \"" + std::string(f.name) + "\"");
  }
  if (!error_ && is_baseline(c))
    if (const auto season = season_of(c); !season) fail_at(node.pos, season.error().what);
}

/// The second argument of info() stands for labels to add: a selector without a name before its braces, which may be empty.
void Checker::check_info_labels(const Node& node) {
  const auto got = type_of(node);
  if (got != ValueType::vector)
    fail_at(node.pos, "expected type instant vector in call to function \"info\", got " + std::string(documented(got)));
  const auto* selector = std::get_if<VectorSelector>(&node.data);
  if (selector == nullptr)
    fail_at(node.pos, "expected label selectors only");
  else if (!selector->name.empty())
    fail_at(node.pos, "expected label selectors only, got vector selector instead");
}

PositionRange Checker::operator_range(const Binary& b) const {
  auto at = b.lhs->pos.end;
  while (at < query_.size() && std::string_view{" \t\r\n"}.find(query_[at]) != std::string_view::npos) ++at;
  return {at, b.rhs->pos.start};
}

void Checker::check(const Node& node, const Binary& b) {
  check(*b.lhs);
  check(*b.rhs);
  const auto lt = type_of(*b.lhs);
  const auto rt = type_of(*b.rhs);
  if (b.return_bool && !is_comparison(b.op))
    fail_at(operator_range(b), "bool modifier can only be used on comparison operators");
  if (is_comparison(b.op) && !b.return_bool && lt == ValueType::scalar && rt == ValueType::scalar)
    fail_at(operator_range(b), "comparisons between scalars must use BOOL modifier");
  if (b.matching.on)
    for (const auto& label : b.matching.labels)
      if (std::find(b.matching.include.begin(), b.matching.include.end(), label) != b.matching.include.end())
        fail_at(operator_range(b), "label " + quote(label) + " must not occur in ON and GROUP clause at once");
  for (const auto* side : {b.lhs.get(), b.rhs.get()}) {
    const auto t = type_of(*side);
    if (t != ValueType::scalar && t != ValueType::vector)
      fail_at(side->pos, "binary expression must contain only scalar and instant vector types");
  }
  if (lt != ValueType::vector || rt != ValueType::vector) {
    if (!b.matching.labels.empty()) fail_at(node.pos, "vector matching only allowed between instant vectors");
  } else if (is_set(b.op) && b.matching.card != Cardinality::many_to_many) {
    fail_at(node.pos, "no grouping allowed for \"" + std::string(to_string(b.op)) + "\" operation");
  }
  if ((lt == ValueType::scalar || rt == ValueType::scalar) && is_set(b.op))
    fail_at(node.pos, "set operator \"" + std::string(to_string(b.op)) + "\" not allowed in binary scalar expression");
}

}  // namespace

std::optional<ParseError> check_types(const Node& root, std::string_view query) {
  Checker checker{query};
  checker.check(root);
  return std::move(checker).error();
}

}  // namespace ward::promql
