#pragma once
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/promql/lexer.hpp"
#include "collector/promql/parser.hpp"
#include "collector/promql/typecheck.hpp"

namespace ward::promql {

/// Operator-precedence parser over the token list. The first error sticks; a null node means "see error_".
class Parser {
 public:
  explicit Parser(std::string_view query) : tokens_(lex(query)) {}

  NodePtr query();
  std::optional<std::vector<Matcher>> selector_only();
  [[nodiscard]] const ParseError& error() const { return *error_; }

 private:
  using Labels = std::optional<std::vector<std::string>>;

  [[nodiscard]] const Token& now() const { return tokens_[at_]; }
  [[nodiscard]] const Token& ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  [[nodiscard]] bool is(TokenKind kind) const { return now().kind == kind; }
  [[nodiscard]] bool is_sign() const {
    return is(TokenKind::binary) && (now().binary == BinaryOp::add || now().binary == BinaryOp::sub);
  }
  const Token& take() {
    const auto& token = now();
    last_end_ = token.pos.end;
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  bool accept(TokenKind kind) {
    if (!is(kind)) return false;
    take();
    return true;
  }
  std::nullptr_t fail_at(PositionRange pos, std::string message) {
    if (!error_) error_ = ParseError{pos, std::move(message)};
    return nullptr;
  }
  std::nullptr_t unexpected(std::string_view context = {}, std::string_view expected = {});
  NodePtr make(PositionRange pos, decltype(Node::data) data);

  NodePtr expression(int binds);
  NodePtr operand();
  NodePtr unary();
  NodePtr literal();
  NodePtr paren();
  NodePtr primary();
  NodePtr postfix(NodePtr node);
  NodePtr call();
  std::optional<std::vector<NodePtr>> arguments();
  NodePtr aggregate();
  bool modifier(Binary& binary);
  Labels grouping();
  NodePtr selector();
  bool matchers(VectorSelector& selector);
  bool matcher(VectorSelector& selector);
  NodePtr bracket(NodePtr node);
  std::optional<milliseconds> range_length(std::string_view context, std::string_view expected);
  std::optional<double> duration(int binds, std::string_view context, std::string_view expected);
  std::optional<double> duration_operand(std::string_view context, std::string_view expected);
  bool offset(Node& node);
  bool at_modifier(Node& node);

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::uint32_t last_end_ = 0;
  std::uint16_t open_ = 0;  ///< recursion depth now
  std::optional<ParseError> error_;
};

}  // namespace ward::promql
