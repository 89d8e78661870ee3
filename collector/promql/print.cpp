#include <array>
#include <cctype>
#include <cstdio>

#include "collector/promql/ast.hpp"
#include "collector/promql/function/function.hpp"
#include "collector/promql/lexer.hpp"
#include "collector/promql/number.hpp"
#include "common/base/duration.hpp"

namespace ward::promql {
namespace {

bool is_plain_label(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())) != 0) return false;
  for (const char c : name)
    if (c != '_' && std::isalnum(static_cast<unsigned char>(c)) == 0) return false;
  return true;
}

std::string label_list(const std::vector<std::string>& labels) {
  std::string out = "(";
  for (const auto& label : labels) {
    if (out.size() > 1) out += ", ";
    out += is_plain_label(label) ? label : quote(label);
  }
  return out + ")";
}

std::string modifiers(const TimeModifiers& when) {
  std::string out;
  switch (when.point) {
    case AtPoint::none: break;
    case AtPoint::start: out = " @ start()"; break;
    case AtPoint::end: out = " @ end()"; break;
    case AtPoint::fixed: {
      std::array<char, 48> text{};
      const auto ms = to_ms(when.at);
      const auto size = ms < 0 ? -ms : ms;
      std::snprintf(text.data(), text.size(), " @ %s%lld.%03lld", ms < 0 ? "-" : "", static_cast<long long>(size / 1000),
                    static_cast<long long>(size % 1000));
      out = text.data();
    }
  }
  if (when.offset.count() != 0) out += " offset " + format_duration(when.offset);
  return out;
}

std::string selector(const VectorSelector& s) {
  std::string out = s.name;
  std::string inside;
  const std::size_t shown = s.matchers.size() - (s.name.empty() ? 0 : 1);
  for (std::size_t i = 0; i < shown; ++i) inside += (i == 0 ? "" : ",") + collector::to_string(s.matchers[i]);
  if (!inside.empty() || s.name.empty()) out += "{" + inside + "}";
  return out;
}

struct Printer {
  std::string operator()(const NumberLiteral& n) const {
    if (!n.is_duration) return format_number(n.value);
    return format_duration(milliseconds{static_cast<std::int64_t>(n.value * 1000.0 + (n.value < 0 ? -0.5 : 0.5))});
  }
  std::string operator()(const StringLiteral& s) const { return quote(s.value); }
  std::string operator()(const VectorSelector& s) const { return selector(s) + modifiers(s.when); }
  std::string operator()(const MatrixSelector& m) const {
    return selector(m.vector) + "[" + format_duration(m.range) + "]" + modifiers(m.vector.when);
  }
  std::string operator()(const Subquery& s) const {
    const auto step = s.step.count() == 0 ? std::string{} : format_duration(s.step);
    return to_string(*s.expr) + "[" + format_duration(s.range) + ":" + step + "]" + modifiers(s.when);
  }
  std::string operator()(const Call& c) const {
    std::string out{c.function->name};
    out += '(';
    for (std::size_t i = 0; i < c.args.size(); ++i) out += (i == 0 ? "" : ", ") + to_string(*c.args[i]);
    return out + ")";
  }
  std::string operator()(const Aggregate& a) const {
    std::string out{to_string(a.op)};
    if (a.without)
      out += " without " + label_list(a.grouping) + " ";
    else if (!a.grouping.empty())
      out += " by " + label_list(a.grouping) + " ";
    return out + "(" + (a.param ? to_string(*a.param) + ", " : "") + to_string(*a.expr) + ")";
  }
  std::string operator()(const Binary& b) const {
    std::string out = to_string(*b.lhs) + " " + std::string(to_string(b.op));
    if (b.return_bool) out += " bool";
    const auto& m = b.matching;
    const bool grouped = m.card == Cardinality::many_to_one || m.card == Cardinality::one_to_many;
    if (m.on || !m.labels.empty() || grouped) out += (m.on ? " on " : " ignoring ") + label_list(m.labels);
    if (grouped) out += (m.card == Cardinality::many_to_one ? " group_left " : " group_right ") + label_list(m.include);
    return out + " " + to_string(*b.rhs);
  }
  std::string operator()(const Unary& u) const { return (u.negative ? "-" : "+") + to_string(*u.expr); }
  std::string operator()(const Paren& p) const { return "(" + to_string(*p.expr) + ")"; }
};

}  // namespace

std::string to_string(const Node& node) { return std::visit(Printer{}, node.data); }
std::string to_string(const Expr& expr) { return to_string(expr.root()); }

}  // namespace ward::promql
