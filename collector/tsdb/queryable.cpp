#include "collector/tsdb/queryable.hpp"

#include <cctype>
#include <optional>
#include <re2/re2.h>

namespace ward::collector {
namespace {

/// Bounds the compiled program of one expression; far above any sane selector, far below what hurts the collector.
constexpr std::int64_t kRegexMemory = 8 << 20;

re2::RE2::Options regex_options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);  // Prometheus compiles ^(?s:...)$: label values may hold newlines
  options.set_max_mem(kRegexMemory);
  return options;
}

std::string_view symbol(Matcher::Op op) {
  switch (op) {
    case Matcher::Op::equal: return "=";
    case Matcher::Op::not_equal: return "!=";
    case Matcher::Op::regex: return "=~";
    case Matcher::Op::not_regex: return "!~";
  }
  return "?";
}

void quote_into(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '\\': out += "\\\\"; break;
      case '"': out += "\\\""; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      case '\r': out += "\\r"; break;
      default: out += c;
    }
  }
  out += '"';
}

/// RE2's verdict in the words of Go's regexp, which Prometheus users know.
std::string regex_problem(const re2::RE2& regex, const std::string& pattern) {
  std::string what = regex.error();
  std::string part = regex.error_arg();
  switch (regex.error_code()) {
    case re2::RE2::ErrorBadEscape: what = "invalid escape sequence"; break;
    case re2::RE2::ErrorBadCharRange: what = "invalid character class range"; break;
    case re2::RE2::ErrorMissingBracket: what = "missing closing ]"; break;
    case re2::RE2::ErrorMissingParen:
      what = "missing closing )";
      part = "^(?s:" + pattern + ")$";
      break;
    case re2::RE2::ErrorTrailingBackslash: what = "trailing backslash at end of expression"; break;
    case re2::RE2::ErrorRepeatArgument: what = "missing argument to repetition operator"; break;
    case re2::RE2::ErrorRepeatSize: what = "invalid repeat count"; break;
    case re2::RE2::ErrorRepeatOp: what = "invalid nested repetition operator"; break;
    case re2::RE2::ErrorBadPerlOp: what = "invalid or unsupported Perl syntax"; break;
    case re2::RE2::ErrorBadNamedCapture: what = "invalid named capture"; break;
    case re2::RE2::ErrorPatternTooLarge: what = "expression nests too deeply or is too large"; break;
    default: break;  // RE2's own words; it adds codes between releases
  }
  return "error parsing regexp: " + what + ": `" + part + "`";
}

/// An expression that is only text, open at one or both ends (`node-.*`): most of those people write. Comparing it takes a
/// tenth of what RE2 needs.
struct OpenText {
  enum class End : std::uint8_t { closed, any, some };  ///< nothing, .*, .+
  End before = End::closed;
  End after = End::closed;
  std::string text;

  static std::optional<OpenText> of(std::string_view pattern) {
    OpenText out;
    out.before = take_end(pattern);
    while (!pattern.empty()) {
      if (pattern == ".*" || pattern == ".+") {
        out.after = take_end(pattern);
        break;
      }
      char c = pattern.front();
      if (c == '\\') {
        // A backslash makes punctuation plain; before a letter or digit it means something else.
        if (pattern.size() < 2 || std::isalnum(static_cast<unsigned char>(pattern[1])) != 0) return std::nullopt;
        pattern.remove_prefix(1);
        c = pattern.front();
      } else if (std::string_view{".+*?()|[]{}^$"}.find(c) != std::string_view::npos) {
        return std::nullopt;
      }
      out.text += c;
      pattern.remove_prefix(1);
    }
    return out.text.empty() ? std::nullopt : std::optional{out};
  }
  [[nodiscard]] bool matches(std::string_view value) const {
    if (before == End::some) {
      if (value.empty()) return false;
      value.remove_prefix(1);
    }
    if (after == End::some) {
      if (value.empty()) return false;
      value.remove_suffix(1);
    }
    if (before == End::closed) return after == End::closed ? value == text : value.starts_with(text);
    return after == End::closed ? value.ends_with(text) : value.find(text) != std::string_view::npos;
  }

 private:
  static End take_end(std::string_view& pattern) {
    const auto end = pattern.starts_with(".*") ? End::any : pattern.starts_with(".+") ? End::some : End::closed;
    if (end != End::closed) pattern.remove_prefix(2);
    return end;
  }
};

bool plain_label_name(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  for (const char c : name) {
    const bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!ok) return false;
  }
  return true;
}

}  // namespace

struct Matcher::Pattern {
  explicit Pattern(const std::string& text) : regex(text, regex_options()), open_text(OpenText::of(text)) {}
  [[nodiscard]] bool matches(std::string_view value) const {
    if (open_text) return open_text->matches(value);
    return re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), regex);
  }
  re2::RE2 regex;
  std::optional<OpenText> open_text;
};

Matcher::Matcher(Op op, std::string name, std::string value) : op_(op), name_(std::move(name)), value_(std::move(value)) {}

Result<Matcher> Matcher::make(Op op, std::string name, std::string value) {
  if (name.empty()) return fail(Errc::invalid, "a label matcher has no label name", "Name the label, as in {job=\"node\"}.");
  Matcher m{op, std::move(name), std::move(value)};
  if (op == Op::regex || op == Op::not_regex) {
    auto pattern = std::make_shared<const Pattern>(m.value_);
    if (!pattern->regex.ok()) {
      return fail(Errc::invalid, regex_problem(pattern->regex, m.value_),
                  "Write an RE2 expression; back-references and look-around do not exist.");
    }
    m.pattern_ = std::move(pattern);
  }
  return m;
}

bool Matcher::matches(std::string_view value) const {
  switch (op_) {
    case Op::equal: return value == value_;
    case Op::not_equal: return value != value_;
    case Op::regex: return pattern_->matches(value);
    case Op::not_regex: return !pattern_->matches(value);
  }
  return false;
}

std::string to_string(const Matcher& m) {
  std::string out;
  if (plain_label_name(m.name()))
    out += m.name();
  else
    quote_into(out, m.name());
  out += symbol(m.op());
  quote_into(out, m.value());
  return out;
}

}  // namespace ward::collector
