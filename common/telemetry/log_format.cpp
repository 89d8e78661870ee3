#include "common/telemetry/log_format.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "common/base/duration.hpp"

namespace ward::telemetry {
namespace {

struct CodePoint {
  std::uint32_t value = 0xFFFD;
  std::size_t bytes = 1;
  bool valid = false;
};

/// The code point at the start of `text` (not empty); a malformed byte is one invalid code point.
CodePoint decode(std::string_view text) {
  const auto byte = [&](std::size_t i) -> std::uint32_t { return static_cast<unsigned char>(text[i]); };
  const auto first = byte(0);
  if (first < 0x80) return {first, 1, true};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
  std::uint32_t value = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    value = value << 6 | (byte(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  if (overlong || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
  return {value, length, true};
}

/// Characters that move a terminal's cursor, break a line, or turn the direction of the text that follows.
bool must_escape(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

std::string escaped(const CodePoint& c) {
  switch (c.value) {
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    case '"': return "\\\"";
    case '\\': return "\\\\";
  }
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "\\u%04x", c.value);  // all of must_escape is below U+10000
  return text.data();
}

enum class Quoting { json, bare };

/// Appends `text` so that it stays on its line and inside its quotes, in at most kMaxFieldBytes.
void append_text(std::string& out, std::string_view text, Quoting quoting) {
  constexpr std::string_view kCut = "...";
  const auto start = out.size();
  auto cut = start;  // how far the text may stay when it turns out too long
  while (!text.empty()) {
    const auto c = decode(text);
    const bool special = must_escape(c.value) || (quoting == Quoting::json && (c.value == '"' || c.value == '\\'));
    out += !c.valid ? std::string("\xEF\xBF\xBD") : special ? escaped(c) : std::string(text.substr(0, c.bytes));
    text.remove_prefix(c.bytes);
    if (out.size() - start <= kMaxFieldBytes - kCut.size()) cut = out.size();
    if (out.size() - start > kMaxFieldBytes) {
      out.resize(cut);
      out += kCut;
      return;
    }
  }
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> text{};
  const auto [end, ec] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}

bool needs_quotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text)
    if (c == ' ' || c == '"' || c == '=' || c == '\\') return true;
  return false;
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_text(out, text, Quoting::json);
  out += '"';
}

struct JsonValue {
  std::string& out;
  void operator()(std::string_view v) const { append_quoted(out, v); }
  void operator()(std::int64_t v) const { out += std::to_string(v); }
  void operator()(std::uint64_t v) const { out += std::to_string(v); }
  // JSON has no NaN and no infinity.
  void operator()(double v) const { std::isfinite(v) ? void(out += number(v)) : append_quoted(out, number(v)); }
  void operator()(bool v) const { out += v ? "true" : "false"; }
};

struct TextValue {
  std::string& out;
  void operator()(std::string_view v) const { needs_quotes(v) ? append_quoted(out, v) : append_text(out, v, Quoting::bare); }
  void operator()(std::int64_t v) const { out += std::to_string(v); }
  void operator()(std::uint64_t v) const { out += std::to_string(v); }
  void operator()(double v) const { out += number(v); }
  void operator()(bool v) const { out += v ? "true" : "false"; }
};

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  append_text(out, text, Quoting::bare);
  return out;
}

std::string format_line(LogFormat format, Time at, LogLevel level, std::string_view sentence, Fields fields) {
  std::string out;
  const bool json = format == LogFormat::json;
  if (json) {
    out = "{\"time\":\"" + format_time(at) + "\",\"level\":\"" + std::string(to_string(level)) + "\",\"message\":";
    append_quoted(out, sentence);
  } else {
    out = format_time(at) + " " + std::string(to_string(level)) + (to_string(level).size() < 5 ? "  " : " ");
    append_text(out, sentence, Quoting::bare);
  }
  for (const auto& field : fields) {
    out += json ? ',' : ' ';
    if (json) {
      append_quoted(out, field.key());
      out += ':';
      std::visit(JsonValue{out}, field.value());
    } else {
      append_text(out, field.key(), Quoting::bare);
      out += '=';
      std::visit(TextValue{out}, field.value());
    }
  }
  out += json ? "}\n" : "\n";
  return out;
}

}  // namespace ward::telemetry
