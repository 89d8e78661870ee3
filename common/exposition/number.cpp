#include "common/exposition/number.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "common/base/parse.hpp"

namespace ward::exposition {
namespace {

bool is_word(std::string_view word, std::string_view lower_case) {
  return std::equal(word.begin(), word.end(), lower_case.begin(), lower_case.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; });
}

/// Beyond the range of a double: only the C library says to which side.
std::optional<double> out_of_range(std::string_view digits) {
  const double value = std::strtod(std::string(digits).c_str(), nullptr);
  return std::isinf(value) ? std::nullopt : std::optional(value);
}

}  // namespace

std::optional<double> read_value(std::string_view word) {
  if (is_word(word, "nan")) return std::numeric_limits<double>::quiet_NaN();
  const bool negative = word.starts_with('-');
  if (negative || word.starts_with('+')) word.remove_prefix(1);
  const double sign = negative ? -1 : 1;
  if (is_word(word, "inf") || is_word(word, "infinity")) return sign * std::numeric_limits<double>::infinity();
  // What from_chars would take and Go does not: a second sign, "nan(...)".
  if (word.empty() || (word.front() != '.' && (word.front() < '0' || word.front() > '9'))) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (end != word.data() + word.size() || error == std::errc::invalid_argument) return std::nullopt;
  if (error != std::errc{}) {
    const auto rounded = out_of_range(word);
    if (!rounded) return std::nullopt;
    value = *rounded;
  }
  return sign * value;
}

std::optional<Time> read_milliseconds(std::string_view word) {
  const auto ms = to_i64(word);
  return ms ? std::optional(from_ms(*ms)) : std::nullopt;
}

std::optional<Time> read_seconds(std::string_view word) {
  constexpr double kMost = 9e15;  // seconds whose milliseconds fit 64 bits
  const auto seconds = read_value(word);
  if (!seconds || !(std::abs(*seconds) <= kMost)) return std::nullopt;
  return from_ms(std::llround(*seconds * 1000));
}

std::string canonical_bound(std::string_view word) {
  const auto value = read_value(word);
  if (!value) return std::string(word);
  if (std::isnan(*value)) return "NaN";
  if (std::isinf(*value)) return *value > 0 ? "+Inf" : "-Inf";
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, *value, std::chars_format::general).ptr;
  std::string out(text, end);
  return out.find_first_of("e.") == std::string::npos ? out + ".0" : out;
}

}  // namespace ward::exposition
