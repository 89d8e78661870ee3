#include <array>
#include <cstdio>

#include "collector/promql/lexer.hpp"

// Go's string literals, both ways: what a query may quote and how messages quote back.

namespace ward::promql {
namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&out](std::uint32_t b) { out += static_cast<char>(static_cast<unsigned char>(b)); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0U | (code >> 6));
  } else if (code < 0x10000) {
    byte(0xE0U | (code >> 12));
    byte(0x80U | ((code >> 6) & 0x3FU));
  } else {
    byte(0xF0U | (code >> 18));
    byte(0x80U | ((code >> 12) & 0x3FU));
    byte(0x80U | ((code >> 6) & 0x3FU));
  }
  byte(0x80U | (code & 0x3FU));
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

/// Go's %#U.
std::string rune_name(char c) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "U+%04X '%c'", static_cast<unsigned>(static_cast<unsigned char>(c)), c);
  return text.data();
}

struct NumericEscape {
  int digits;
  int base;
  std::uint32_t max;
  bool is_rune;
};

Status take_numeric(std::string_view& rest, NumericEscape form, std::string& out) {
  std::uint32_t value = 0;
  for (int i = 0; i < form.digits; ++i) {
    if (rest.empty()) return fail(Errc::invalid, "escape sequence not terminated", "Close the string.");
    const int digit = digit_value(rest.front());
    if (digit >= form.base)
      return fail(Errc::invalid, "illegal character " + rune_name(rest.front()) + " in escape sequence",
                  "Write \\\\ for a backslash.");
    value = value * static_cast<std::uint32_t>(form.base) + static_cast<std::uint32_t>(digit);
    rest.remove_prefix(1);
  }
  if (value > form.max || (form.is_rune && value >= 0xD800 && value < 0xE000))
    return fail(Errc::invalid, "escape sequence is an invalid Unicode code point", "Write \\\\ for a backslash.");
  if (form.is_rune)
    append_utf8(out, value);
  else
    out += static_cast<char>(static_cast<unsigned char>(value));
  return {};
}

Status take_escape(std::string_view& rest, char open, std::string& out) {
  const char c = rest.front();
  const auto simple = [&](char value) -> Status {
    out += value;
    rest.remove_prefix(1);
    return {};
  };
  if (c == open) return simple(open);
  switch (c) {
    case 'a': return simple('\a');
    case 'b': return simple('\b');
    case 'f': return simple('\f');
    case 'n': return simple('\n');
    case 'r': return simple('\r');
    case 't': return simple('\t');
    case 'v': return simple('\v');
    case '\\': return simple('\\');
    case 'x': rest.remove_prefix(1); return take_numeric(rest, {2, 16, 255, false}, out);
    case 'u': rest.remove_prefix(1); return take_numeric(rest, {4, 16, 0x10FFFF, true}, out);
    case 'U': rest.remove_prefix(1); return take_numeric(rest, {8, 16, 0x10FFFF, true}, out);
    default: break;
  }
  if (c >= '0' && c <= '7') return take_numeric(rest, {3, 8, 255, false}, out);
  return fail(Errc::invalid, "unknown escape sequence " + rune_name(c), "Write \\\\ for a backslash.");
}

}  // namespace

Result<std::string> unquote(std::string_view quoted) {
  if (quoted.size() < 2 || quoted.back() != quoted.front())
    return fail(Errc::invalid, "unterminated quoted string", "Close the string.");
  const char open = quoted.front();
  auto rest = quoted.substr(1, quoted.size() - 2);
  if (open == '`') return std::string(rest);
  std::string out;
  while (!rest.empty()) {
    if (rest.front() != '\\') {
      out += rest.front();
      rest.remove_prefix(1);
      continue;
    }
    rest.remove_prefix(1);
    if (rest.empty()) return fail(Errc::invalid, "escape sequence not terminated", "Close the string.");
    if (const auto taken = take_escape(rest, open, out); !taken) return fail(taken.error());
  }
  return out;
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\a': out += "\\a"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\v': out += "\\v"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          std::array<char, 8> hex{};
          std::snprintf(hex.data(), hex.size(), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
          out += hex.data();
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

}  // namespace ward::promql
