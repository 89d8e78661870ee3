#include "collector/promql/number.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "common/base/duration.hpp"

namespace ward::promql {
namespace {

/// Go's ParseInt with base 0: the prefix tells the base, underscores may part digits.
std::optional<std::int64_t> parse_integer(std::string_view text) {
  int base = 10;
  auto digits = text;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    base = 16;
    digits.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0') {
    base = 8;
    digits.remove_prefix(1);
  }
  if (digits.empty() || digits.back() == '_' || digits.find("__") != std::string_view::npos) return std::nullopt;
  if (base == 10 && digits.front() == '_') return std::nullopt;
  std::string plain{digits};
  std::erase(plain, '_');
  std::int64_t value = 0;
  const auto [end, ec] = std::from_chars(plain.data(), plain.data() + plain.size(), value, base);
  if (ec != std::errc{} || end != plain.data() + plain.size()) return std::nullopt;
  return value;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) { return (a | 0x20) == b; });
}

}  // namespace

Result<double> parse_number(std::string_view text) {
  if (equals_ignoring_case(text, "inf")) return std::numeric_limits<double>::infinity();
  if (equals_ignoring_case(text, "nan")) return std::numeric_limits<double>::quiet_NaN();
  if (const auto integer = parse_integer(text)) return static_cast<double>(*integer);
  double value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec == std::errc{} && end == text.data() + text.size()) return value;
  if (ec == std::errc::result_out_of_range && std::string_view{text}.find("e-") != std::string_view::npos) return 0.0;
  return fail(Errc::invalid,
              "error parsing number: strconv.ParseFloat: parsing \"" + std::string(text) +
                  "\": " + (ec == std::errc::result_out_of_range ? "value out of range" : "invalid syntax"),
              "Write a decimal, octal (0..) or hexadecimal (0x..) number.");
}

Result<milliseconds> parse_length(std::string_view text) {
  const bool has_unit = !text.empty() && std::string_view{"ywdhms"}.find(text.back()) != std::string_view::npos;
  if (has_unit) {
    if (auto d = parse_duration(text)) return *d;
    return fail(Errc::invalid, "not a valid duration string: \"" + std::string(text) + "\"",
                "Write units from large to small, each once: 1h30m.");
  }
  const auto seconds = parse_number(text);
  if (!seconds) return fail(seconds.error());
  return length_of(*seconds);
}

Result<milliseconds> length_of(double seconds) {
  constexpr double kMaxSeconds = 9'223'372'036.0;  // Prometheus counts durations in int64 nanoseconds
  if (!(std::abs(seconds) < kMaxSeconds)) return fail(Errc::invalid, "duration out of range", "Write a shorter duration.");
  return milliseconds{std::llround(seconds * 1000)};
}

std::string format_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 400> text{};  // the longest fixed double has 309 digits before the point
  const auto [end, ec] = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  return ec == std::errc{} ? std::string(text.data(), end) : "0";
}

}  // namespace ward::promql
