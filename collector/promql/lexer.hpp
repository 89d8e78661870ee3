#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collector/promql/ast.hpp"

namespace ward::promql {

enum class TokenKind : std::uint8_t {
  end_of_input,
  error,
  identifier,
  metric_identifier,
  string,
  number,
  duration,
  left_paren,
  right_paren,
  left_brace,
  right_brace,
  left_bracket,
  right_bracket,
  comma,
  colon,
  assign,  ///< = inside braces or alone
  regex_match,
  regex_no_match,
  at,
  binary,      ///< every BinaryOp, words included
  aggregator,  ///< every AggregateOp
  kw_bool,
  kw_by,
  kw_group_left,
  kw_group_right,
  kw_ignoring,
  kw_offset,
  kw_on,
  kw_without,
  kw_start,
  kw_end,
};

struct Token {
  TokenKind kind = TokenKind::end_of_input;
  PositionRange pos;
  std::string_view text;            ///< as written, quotes included; points into the query
  BinaryOp binary = BinaryOp::add;  ///< with TokenKind::binary
  AggregateOp aggregate = AggregateOp::sum;
  std::string message;  ///< with TokenKind::error
};

/// Splits a query into tokens; comments and blanks vanish. The last token is end_of_input or error, errors worded as
/// Prometheus does.
std::vector<Token> lex(std::string_view query);
/// A token as Prometheus' messages name it: `identifier "foo"`, `<op:+>`, `number "5"`, `end of input`.
std::string describe(const Token& token);
/// The contents of a quoted string token: backticks raw, else Go's escapes. Errors: invalid with Prometheus' words.
Result<std::string> unquote(std::string_view quoted);
/// Go's %q.
std::string quote(std::string_view text);

}  // namespace ward::promql
