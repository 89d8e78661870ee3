#include "collector/alerting/template_lexer.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

namespace ward::collector::templates {
namespace {

// What may stand directly behind a name.
constexpr std::string_view kBehindName = " \t\r\n.,|:()}=";

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0; }

std::string_view trim_left(std::string_view s) {
  while (!s.empty() && is_space(s.front())) s.remove_prefix(1);
  return s;
}

std::string_view trim_right(std::string_view s) {
  while (!s.empty() && is_space(s.back())) s.remove_suffix(1);
  return s;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    bool trim_next = false;
    while (at_ < text_.size()) {
      const auto open = std::min(text_.find("{{", at_), text_.size());
      std::string_view plain = text_.substr(at_, open - at_);
      const int line_after = line_ + static_cast<int>(std::count(plain.begin(), plain.end(), '\n'));
      if (trim_next) plain = trim_left(plain);
      trim_next = false;
      const bool trims = open + 3 < text_.size() && text_[open + 2] == '-' && is_space(text_[open + 3]);
      if (trims) plain = trim_right(plain);
      if (!plain.empty()) push(Token::Kind::text, std::string(plain));
      line_ = line_after;
      at_ = open;
      if (at_ == text_.size()) break;
      at_ += trims ? 4 : 2;
      auto done = action(trim_next);
      if (!done) return fail(done.error());
    }
    push(Token::Kind::end, "");
    return std::move(tokens_);
  }

 private:
  /// One action, from behind "{{" to behind "}}".
  Status action(bool& trim_next) {
    if (rest().starts_with("/*")) return comment(trim_next);
    push(Token::Kind::open, "{{");
    bool space = false;
    while (true) {
      if (at_ >= text_.size()) return error("unclosed action");
      if (is_space(text_[at_])) {
        space = true;
        skip_one();
        if (rest().starts_with("-}}")) {
          ++at_;
          trim_next = true;
        }
        continue;
      }
      if (rest().starts_with("}}")) {
        at_ += 2;
        push(Token::Kind::close, "}}");
        return {};
      }
      space_ = space;
      space = false;
      auto done = word();
      if (!done) return done;
    }
  }

  Status comment(bool& trim_next) {
    const auto end = text_.find("*/", at_ + 2);
    if (end == std::string_view::npos) return error("unclosed comment");
    line_ += static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         text_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
    at_ = end + 2;
    if (at_ < text_.size() && is_space(text_[at_]) && text_.substr(at_ + 1).starts_with("-}}")) {
      at_ += 2;
      trim_next = true;
    }
    if (!rest().starts_with("}}")) return error("comment ends before closing delimiter");
    at_ += 2;
    return {};
  }

  Status word() {
    const char c = text_[at_];
    if (c == '"') return quoted();
    if (c == '`') return raw();
    if (c == '\'') return character();
    if (c == '$') return named(Token::Kind::variable, 1, true);
    if (c == '.' && at_ + 1 < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_ + 1])) == 0) {
      if (is_name(text_[at_ + 1])) return named(Token::Kind::field, 1, false);
      return single(Token::Kind::dot);
    }
    if (rest().starts_with(":=")) {
      at_ += 2;
      push(Token::Kind::declare, ":=");
      return {};
    }
    if (c == '=') return single(Token::Kind::assign);
    if (c == ',') return single(Token::Kind::comma);
    if (c == '|') return single(Token::Kind::pipe);
    if (c == '(') return single(Token::Kind::left);
    if (c == ')') return single(Token::Kind::right);
    if (std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-' || c == '.') return number();
    if (is_name(c)) return named(Token::Kind::word, 0, true);
    push(Token::Kind::other, std::string(1, c));
    ++at_;
    return {};
  }

  Status named(Token::Kind kind, std::size_t prefix, bool keep_prefix) {
    auto end = at_ + prefix;
    while (end < text_.size() && is_name(text_[end])) ++end;
    if (end < text_.size() && kBehindName.find(text_[end]) == std::string_view::npos) {
      std::array<char, 32> shown{};
      std::snprintf(shown.data(), shown.size(), "bad character U+%04X '%c'", static_cast<unsigned char>(text_[end]),
                    text_[end]);
      return error(shown.data());
    }
    push(kind, std::string(text_.substr(keep_prefix ? at_ : at_ + prefix, end - at_ - (keep_prefix ? 0 : prefix))));
    at_ = end;
    return {};
  }

  Status number() {
    auto end = at_ + 1;
    while (end < text_.size() &&
           (is_name(text_[end]) || text_[end] == '.' ||
            ((text_[end] == '+' || text_[end] == '-') && (text_[end - 1] == 'e' || text_[end - 1] == 'E'))))
      ++end;
    push(Token::Kind::number, std::string(text_.substr(at_, end - at_)));
    at_ = end;
    return {};
  }

  Status quoted() {
    std::string out;
    for (++at_; at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n'; ++at_) {
      if (text_[at_] != '\\') {
        out += text_[at_];
        continue;
      }
      if (++at_ >= text_.size()) break;
      const auto c = escaped(text_[at_]);
      if (!c) return fail(c.error());
      out += *c;
    }
    if (at_ >= text_.size() || text_[at_] != '"') return error("unterminated quoted string");
    ++at_;
    push(Token::Kind::string, std::move(out));
    return {};
  }

  Result<char> escaped(char c) {
    switch (c) {
      case 'n': return '\n';
      case 't': return '\t';
      case 'r': return '\r';
      case '\\': return '\\';
      case '"': return '"';
      case '\'': return '\'';
      default: return fail(Errc::invalid, std::to_string(line_) + ": invalid syntax", "Use \\n, \\t, \\\\ or \\\".");
    }
  }

  Status raw() {
    const auto end = text_.find('`', at_ + 1);
    if (end == std::string_view::npos) return error("unterminated raw quoted string");
    const auto body = text_.substr(at_ + 1, end - at_ - 1);
    push(Token::Kind::string, std::string(body));
    line_ += static_cast<int>(std::count(body.begin(), body.end(), '\n'));
    at_ = end + 1;
    return {};
  }

  /// 'x' is a number in Go: the code point.
  Status character() {
    const auto end = text_.find('\'', at_ + 1);
    if (end == std::string_view::npos) return error("unterminated character constant");
    if (end != at_ + 2) return error("malformed character constant: " + std::string(text_.substr(at_, end + 1 - at_)));
    push(Token::Kind::number, std::to_string(int{text_[at_ + 1]}));
    at_ += 3;
    return {};
  }

  Status single(Token::Kind kind) {
    push(kind, std::string(1, text_[at_]));
    ++at_;
    return {};
  }

  void skip_one() {
    if (text_[at_] == '\n') ++line_;
    ++at_;
  }
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  void push(Token::Kind kind, std::string text) {
    tokens_.push_back({.kind = kind, .text = std::move(text), .line = line_, .after_space = space_});
  }
  [[nodiscard]] Status error(const std::string& what) const {
    return fail(Errc::invalid, std::to_string(line_) + ": " + what, "Mend the template.");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool space_ = false;
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> split(std::string_view text) { return Lexer(text).run(); }

}  // namespace ward::collector::templates
