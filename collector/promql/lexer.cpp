#include "collector/promql/lexer.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace ward::promql {
namespace {

constexpr char kEnd = '\0';

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_word(char c) { return is_alpha(c) || is_digit(c); }

struct Keyword {
  std::string_view word;
  TokenKind kind;
};
constexpr std::array kKeywords{Keyword{"bool", TokenKind::kw_bool},
                               Keyword{"by", TokenKind::kw_by},
                               Keyword{"group_left", TokenKind::kw_group_left},
                               Keyword{"group_right", TokenKind::kw_group_right},
                               Keyword{"ignoring", TokenKind::kw_ignoring},
                               Keyword{"offset", TokenKind::kw_offset},
                               Keyword{"on", TokenKind::kw_on},
                               Keyword{"without", TokenKind::kw_without},
                               Keyword{"start", TokenKind::kw_start},
                               Keyword{"end", TokenKind::kw_end},
                               Keyword{"inf", TokenKind::number},
                               Keyword{"nan", TokenKind::number}};

std::string lower(std::string_view text) {
  std::string out{text};
  for (auto& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// One pass over a query. Brackets change what a word means, so their state is kept here.
class Lexer {
 public:
  explicit Lexer(std::string_view query) : query_(query) {}
  std::vector<Token> run() {
    while (!done_) brace_open_ ? inside_braces() : statement();
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const { return at_ + ahead < query_.size() ? query_[at_ + ahead] : kEnd; }
  [[nodiscard]] bool at_end() const { return at_ >= query_.size(); }
  /// The character at `at_` quoted as Go's %q of a rune.
  [[nodiscard]] std::string quoted_char() const;

  void emit(TokenKind kind, std::size_t length) {
    Token t;
    t.kind = kind;
    t.pos = {static_cast<std::uint32_t>(at_), static_cast<std::uint32_t>(at_ + length)};
    t.text = query_.substr(at_, length);
    tokens_.push_back(std::move(t));
    at_ += length;
    done_ = kind == TokenKind::end_of_input;
  }
  void emit(BinaryOp op, std::size_t length) {
    emit(TokenKind::binary, length);
    tokens_.back().binary = op;
  }
  /// Go's lexer places an error at the start of the token it was reading.
  void error(std::size_t from, std::string message) {
    Token t;
    t.kind = TokenKind::error;
    t.pos = {static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(std::min(query_.size(), from + 1))};
    t.message = std::move(message);
    tokens_.push_back(std::move(t));
    done_ = true;
  }

  bool skip_blanks() {
    if (is_space(peek()) && !at_end()) {
      while (!at_end() && is_space(peek())) ++at_;
      return true;
    }
    if (peek() != '#') return false;
    while (!at_end() && peek() != '\n') ++at_;
    return true;
  }

  void statement();
  bool bracket();
  bool symbol();
  void inside_braces();
  void word();
  void quoted();
  void raw();
  void number_or_duration();
  struct Scan {
    std::size_t length;
    bool good;
  };
  [[nodiscard]] Scan scan_number() const;
  /// From behind the first number.
  [[nodiscard]] Scan scan_duration(std::size_t n) const;

  std::string_view query_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
  bool brace_open_ = false;
  bool bracket_open_ = false;
  bool got_colon_ = false;
  int paren_depth_ = 0;
  bool done_ = false;
};

std::string Lexer::quoted_char() const {
  if (at_end()) return "'\\x00'";
  std::size_t n = 1;
  while (at_ + n < query_.size() && (static_cast<unsigned char>(query_[at_ + n]) & 0xC0U) == 0x80U) ++n;
  const auto c = query_.substr(at_, n);
  if (c == "'") return "'\\''";
  auto text = quote(c);
  return c == "\"" ? "'\"'" : "'" + text.substr(1, text.size() - 2) + "'";
}

void Lexer::statement() {
  if (skip_blanks()) return;
  if (at_end()) {
    if (paren_depth_ != 0) return error(at_, "unclosed left parenthesis");
    if (bracket_open_) return error(at_, "unclosed left bracket");
    return emit(TokenKind::end_of_input, 0);
  }
  const char c = peek();
  if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number_or_duration();
  if (c == '"' || c == '\'') return quoted();
  if (c == '`') return raw();
  if (is_alpha(c) || (c == ':' && !bracket_open_)) return word();
  if (bracket() || symbol()) return;
  error(at_, "unexpected character: " + quoted_char());
}

bool Lexer::bracket() {
  switch (peek()) {
    case '(':
      ++paren_depth_;
      emit(TokenKind::left_paren, 1);
      return true;
    case ')':
      if (--paren_depth_ < 0) {
        error(at_ + 1, "unexpected right parenthesis ')'");  // Prometheus points behind it
        return true;
      }
      emit(TokenKind::right_paren, 1);
      return true;
    case '{':
      brace_open_ = true;
      emit(TokenKind::left_brace, 1);
      return true;
    case '[':
      if (bracket_open_) {
        error(at_, "unexpected left bracket '['");
        return true;
      }
      bracket_open_ = true;
      got_colon_ = false;
      emit(TokenKind::left_bracket, 1);
      return true;
    case ']':
      if (!bracket_open_) {
        error(at_, "unexpected right bracket ']'");
        return true;
      }
      bracket_open_ = false;
      emit(TokenKind::right_bracket, 1);
      return true;
    case ':':
      if (got_colon_) {
        error(at_, "unexpected colon ':'");
        return true;
      }
      got_colon_ = true;
      emit(TokenKind::colon, 1);
      return true;
    default: return false;
  }
}

bool Lexer::symbol() {
  const char next = peek(1);
  switch (peek()) {
    case ',': emit(TokenKind::comma, 1); return true;
    case '@': emit(TokenKind::at, 1); return true;
    case '+': emit(BinaryOp::add, 1); return true;
    case '-': emit(BinaryOp::sub, 1); return true;
    case '*': emit(BinaryOp::mul, 1); return true;
    case '/': emit(BinaryOp::div, 1); return true;
    case '%': emit(BinaryOp::mod, 1); return true;
    case '^': emit(BinaryOp::pow, 1); return true;
    case '<': next == '=' ? emit(BinaryOp::less_equal, 2) : emit(BinaryOp::less, 1); return true;
    case '>': next == '=' ? emit(BinaryOp::greater_equal, 2) : emit(BinaryOp::greater, 1); return true;
    case '=':
      if (next == '~') {
        const auto from = at_++;
        error(from, "unexpected character after '=': " + quoted_char());
      } else if (next == '=') {
        emit(BinaryOp::equal, 2);
      } else {
        emit(TokenKind::assign, 1);
      }
      return true;
    case '!':
      if (next == '=') {
        emit(BinaryOp::not_equal, 2);
      } else {
        const auto from = at_++;
        error(from, "unexpected character after '!': " + quoted_char());
      }
      return true;
    default: return false;
  }
}

void Lexer::inside_braces() {
  if (skip_blanks()) return;
  if (at_end()) return error(at_, "unexpected end of input inside braces");
  const char c = peek();
  if (is_alpha(c)) {
    std::size_t n = 1;
    while (is_word(peek(n))) ++n;
    return emit(TokenKind::identifier, n);
  }
  switch (c) {
    case ',': return emit(TokenKind::comma, 1);
    case '"':
    case '\'': return quoted();
    case '`': return raw();
    case '=': return peek(1) == '~' ? emit(TokenKind::regex_match, 2) : emit(TokenKind::assign, 1);
    case '!':
      if (peek(1) == '~') return emit(TokenKind::regex_no_match, 2);
      if (peek(1) == '=') return emit(BinaryOp::not_equal, 2);
      ++at_;
      return error(at_ - 1, "unexpected character after '!' inside braces: " + quoted_char());
    case '{': return error(at_, "unexpected left brace '{'");
    case '}': brace_open_ = false; return emit(TokenKind::right_brace, 1);
    default: return error(at_, "unexpected character inside braces: " + quoted_char());
  }
}

void Lexer::word() {
  std::size_t n = 0;
  bool has_colon = false;
  while (is_word(peek(n)) || peek(n) == ':') has_colon |= peek(n++) == ':';
  const auto text = lower(query_.substr(at_, n));
  if (text == "and") return emit(BinaryOp::land, n);
  if (text == "or") return emit(BinaryOp::lor, n);
  if (text == "unless") return emit(BinaryOp::lunless, n);
  if (text == "atan2") return emit(BinaryOp::atan2, n);
  for (auto op = AggregateOp::sum;; op = static_cast<AggregateOp>(static_cast<int>(op) + 1)) {
    if (text == to_string(op)) {
      emit(TokenKind::aggregator, n);
      tokens_.back().aggregate = op;
      return;
    }
    if (op == AggregateOp::limit_ratio) break;
  }
  for (const auto& k : kKeywords)
    if (text == k.word) return emit(k.kind, n);
  emit(has_colon ? TokenKind::metric_identifier : TokenKind::identifier, n);
}

void Lexer::quoted() {
  const char open = peek();
  std::size_t n = 1;
  while (true) {
    if (at_ + n >= query_.size() || peek(n) == '\n') return error(at_, "unterminated quoted string");
    if (peek(n) == open) break;
    if (peek(n) == '\\') {
      ++n;
      if (at_ + n >= query_.size()) return error(at_, "escape sequence not terminated");
    }
    ++n;
  }
  if (const auto text = unquote(query_.substr(at_, n + 1)); !text) return error(at_, text.error().what);
  emit(TokenKind::string, n + 1);
}

void Lexer::raw() {
  const auto close = query_.find('`', at_ + 1);
  if (close == std::string_view::npos) return error(at_, "unterminated raw string");
  emit(TokenKind::string, close + 1 - at_);
}

Lexer::Scan Lexer::scan_number() const {
  std::size_t n = 0;
  const bool hex = peek() == '0' && (peek(1) == 'x' || peek(1) == 'X');
  if (hex) n = 2;
  const auto digits = [&] {
    const auto from = n;
    while (hex ? std::isxdigit(static_cast<unsigned char>(peek(n))) != 0 || peek(n) == '_'
               : is_digit(peek(n)) || peek(n) == '_')
      ++n;
    return n > from;
  };
  digits();
  if (!hex && peek(n) == '.') {
    ++n;
    digits();
  }
  const auto mantissa = n;
  if (!hex && (peek(n) == 'e' || peek(n) == 'E')) {
    ++n;
    if (peek(n) == '+' || peek(n) == '-') ++n;
    if (!digits()) return {mantissa, false};
  }
  return {n, !is_word(peek(n))};
}

Lexer::Scan Lexer::scan_duration(std::size_t n) const {
  // Units in a wrong order or doubled are found when the duration is read.
  const auto unit = [&](std::string_view letters) {
    if (at_ + n >= query_.size() || letters.find(peek(n)) == std::string_view::npos) return false;
    ++n;
    if (peek(n) == 's') ++n;
    return true;
  };
  if (!unit("smhdwy")) return {n, false};
  while (is_digit(peek(n))) {
    while (is_digit(peek(n))) ++n;
    if (!unit("smhdw")) return {n, false};
  }
  return is_word(peek(n)) ? Scan{n + 1, false} : Scan{n, true};
}

void Lexer::number_or_duration() {
  const auto number = scan_number();
  if (number.good) return emit(TokenKind::number, number.length);
  const auto duration = scan_duration(number.length);
  if (duration.good) return emit(TokenKind::duration, duration.length);
  error(at_, "bad number or duration syntax: " + quote(query_.substr(at_, duration.length)));
}

}  // namespace

std::vector<Token> lex(std::string_view query) { return Lexer{query}.run(); }

std::string describe(const Token& token) {
  const auto quoted = [&token] {
    constexpr std::size_t kShown = 10;
    return token.text.size() > kShown ? quote(token.text.substr(0, kShown)) + "..." : quote(token.text);
  };
  const auto tagged = [&token](std::string_view tag) { return "<" + std::string(tag) + std::string(token.text) + ">"; };
  switch (token.kind) {
    case TokenKind::end_of_input: return "end of input";
    case TokenKind::error: return "error " + token.message;
    case TokenKind::identifier: return "identifier " + quote(token.text);
    case TokenKind::metric_identifier: return "metric identifier " + quote(token.text);
    case TokenKind::string: return "string " + quoted();
    case TokenKind::number: return "number " + quoted();
    case TokenKind::duration: return "duration " + quoted();
    case TokenKind::left_paren:
    case TokenKind::right_paren:
    case TokenKind::left_brace:
    case TokenKind::right_brace:
    case TokenKind::left_bracket:
    case TokenKind::right_bracket:
    case TokenKind::comma:
    case TokenKind::colon:
    case TokenKind::assign:
    case TokenKind::kw_start:
    case TokenKind::kw_end: return quoted();
    case TokenKind::regex_match:
    case TokenKind::regex_no_match:
    case TokenKind::at:
    case TokenKind::binary: return tagged("op:");
    case TokenKind::aggregator: return tagged("aggr:");
    case TokenKind::kw_bool:
    case TokenKind::kw_by:
    case TokenKind::kw_group_left:
    case TokenKind::kw_group_right:
    case TokenKind::kw_ignoring:
    case TokenKind::kw_offset:
    case TokenKind::kw_on:
    case TokenKind::kw_without: return tagged("");
  }
  return {};
}

}  // namespace ward::promql
