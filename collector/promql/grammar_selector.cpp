#include <cctype>
#include <cmath>

#include "collector/promql/grammar.hpp"
#include "collector/promql/number.hpp"

// The grammar of selectors and what stands behind them: label matchers, grouping lists, ranges, subqueries, offset and @.

namespace ward::promql {

Parser::Labels Parser::grouping() {
  if (!accept(TokenKind::left_paren)) {
    unexpected("grouping opts", "\"(\"");
    return std::nullopt;
  }
  std::vector<std::string> labels;
  while (!accept(TokenKind::right_paren)) {
    const auto& token = now();
    const bool is_label = !token.text.empty() && token.text.find(':') == std::string_view::npos &&
                          (token.text.front() == '_' || std::isalpha(static_cast<unsigned char>(token.text.front())) != 0);
    if (token.kind == TokenKind::string) {
      labels.push_back(*unquote(take().text));
    } else if (is_label) {
      labels.emplace_back(take().text);
    } else {
      unexpected("grouping opts", "label");
      return std::nullopt;
    }
    if (accept(TokenKind::comma) || is(TokenKind::right_paren)) continue;
    unexpected("grouping opts", "\",\" or \")\"");
    return std::nullopt;
  }
  return labels;
}

NodePtr Parser::selector() {
  const auto start = now().pos.start;
  VectorSelector s;
  if (!is(TokenKind::left_brace)) s.name = take().text;
  if (accept(TokenKind::left_brace) && !matchers(s)) return nullptr;
  if (!s.name.empty()) s.matchers.push_back(*Matcher::make(Matcher::Op::equal, std::string(kNameLabel), s.name));
  return make({start, last_end_}, std::move(s));
}

bool Parser::matchers(VectorSelector& s) {
  while (!accept(TokenKind::right_brace)) {
    if (!matcher(s)) return false;
    if (accept(TokenKind::comma) || is(TokenKind::right_brace)) continue;
    unexpected("label matching", "\",\" or \"}\"");
    return false;
  }
  return true;
}

bool Parser::matcher(VectorSelector& s) {
  if (!is(TokenKind::identifier) && !is(TokenKind::string))
    return unexpected("label matching", "identifier or \"}\"") != nullptr;
  const auto label = take();
  const auto name = label.kind == TokenKind::string ? *unquote(label.text) : std::string(label.text);
  auto op = Matcher::Op::equal;
  switch (now().kind) {
    case TokenKind::assign: break;
    case TokenKind::regex_match: op = Matcher::Op::regex; break;
    case TokenKind::regex_no_match: op = Matcher::Op::not_regex; break;
    case TokenKind::binary: op = Matcher::Op::not_equal; break;  // inside braces the lexer knows only != of them
    default:
      if (label.kind == TokenKind::string && (is(TokenKind::comma) || is(TokenKind::right_brace))) {
        s.matchers.push_back(*Matcher::make(Matcher::Op::equal, std::string(kNameLabel), name));
        return true;
      }
      unexpected("label matching", "label matching operator");
      return false;
  }
  take();
  if (!is(TokenKind::string)) {
    unexpected("label matching", "string");
    return false;
  }
  auto made = Matcher::make(op, name, *unquote(take().text));
  if (!made) {
    fail_at({label.pos.start, last_end_}, made.error().what);
    return false;
  }
  s.matchers.push_back(std::move(*made));
  return true;
}

std::optional<milliseconds> Parser::range_length(std::string_view context, std::string_view expected) {
  const auto start = now().pos;
  const auto seconds = duration(0, context, expected);
  if (!seconds) return std::nullopt;
  const auto length = length_of(*seconds);
  if (length && length->count() > 0) return *length;
  fail_at(start, length ? "duration must be greater than 0" : length.error().what);
  return std::nullopt;
}

NodePtr Parser::bracket(NodePtr node) {
  const auto open = take().pos;
  const auto range = range_length("subquery or range selector", "number or duration");
  if (!range) return nullptr;
  if (accept(TokenKind::right_bracket)) {
    auto* vector = std::get_if<VectorSelector>(&node->data);
    std::string_view wrong;
    if (vector == nullptr)
      wrong = "ranges only allowed for vector selectors";
    else if (vector->when.offset.count() != 0)
      wrong = "no offset modifiers allowed before range";
    else if (vector->when.point != AtPoint::none)
      wrong = "no @ modifiers allowed before range";
    if (!wrong.empty()) return fail_at({open.start, last_end_}, std::string(wrong));
    return make({node->pos.start, last_end_}, MatrixSelector{std::move(*vector), *range});
  }
  if (!accept(TokenKind::colon)) return unexpected("subquery or range", "\":\" or \"]\"");
  milliseconds step{0};
  if (!is(TokenKind::right_bracket)) {
    const auto given = range_length("subquery selector", "number, duration or \"]\"");
    if (!given) return nullptr;
    step = *given;
  }
  if (!accept(TokenKind::right_bracket)) return unexpected("subquery selector", "\"]\"");
  const PositionRange pos{node->pos.start, last_end_};
  return make(pos, Subquery{std::move(node), *range, step, {}});
}

namespace {

TimeModifiers* modifiers_of(Node& node) {
  if (auto* v = std::get_if<VectorSelector>(&node.data)) return &v->when;
  if (auto* m = std::get_if<MatrixSelector>(&node.data)) return &m->vector.when;
  if (auto* s = std::get_if<Subquery>(&node.data)) return &s->when;
  return nullptr;
}

}  // namespace

bool Parser::offset(Node& node) {
  take();
  const bool negative = is_sign() && take().binary == BinaryOp::sub;
  const auto start = now().pos;
  const auto seconds = duration_operand("offset", "number or duration");
  if (!seconds) return false;
  const auto length = length_of(*seconds);
  auto* when = modifiers_of(node);
  if (!length)
    fail_at(start, length.error().what);
  else if (when == nullptr)
    fail_at(node.pos,
            "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery");
  else if (when->offset.count() != 0)
    fail_at(node.pos, "offset may not be set multiple times");
  if (error_) return false;
  when->offset = negative ? -*length : *length;
  node.pos.end = last_end_;
  return true;
}

bool Parser::at_modifier(Node& node) {
  take();
  TimeModifiers given;
  if (is(TokenKind::kw_start) || is(TokenKind::kw_end)) {
    given.point = take().kind == TokenKind::kw_start ? AtPoint::start : AtPoint::end;
    if (!accept(TokenKind::left_paren) || !accept(TokenKind::right_paren)) return unexpected("@", "timestamp") != nullptr;
  } else {
    const bool negative = is_sign() && take().binary == BinaryOp::sub;
    if (!is(TokenKind::number) && !is(TokenKind::duration)) return unexpected("@", "timestamp") != nullptr;
    const auto token = take();
    auto seconds = parse_number(token.text);
    if (token.kind == TokenKind::duration) {
      const auto length = parse_length(token.text);
      seconds =
          length ? Result<double>{static_cast<double>(length->count()) / 1000.0} : Result<double>{fail(length.error())};
    }
    if (!seconds) return fail_at(token.pos, seconds.error().what) != nullptr;
    const double value = negative ? -*seconds : *seconds;
    constexpr double kMaxSeconds = 9.2e15;  // ms in 64 bits
    if (!(std::abs(value) < kMaxSeconds))
      return fail_at(node.pos, "timestamp out of bounds for @ modifier: " + std::to_string(value)) != nullptr;
    given.point = AtPoint::fixed;
    given.at = from_ms(std::llround(value * 1000));
  }
  auto* when = modifiers_of(node);
  if (when == nullptr)
    return fail_at(node.pos,
                   "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery") !=
           nullptr;
  if (when->point != AtPoint::none) return fail_at(node.pos, "@ <timestamp> may not be set multiple times") != nullptr;
  when->point = given.point;
  when->at = given.at;
  node.pos.end = last_end_;
  return true;
}

}  // namespace ward::promql
