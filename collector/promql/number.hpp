#pragma once
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace ward::promql {

/// A number as PromQL writes it: decimal, 0x hex, 0 octal, exponents, digit groups with _, Inf, NaN.
/// Errors: invalid in Prometheus' words.
Result<double> parse_number(std::string_view text);
/// A length of time: "5m" or a number of seconds. Errors: invalid in Prometheus' words.
Result<milliseconds> parse_length(std::string_view text);
/// Seconds as a length. Errors: invalid when out of range or no number.
Result<milliseconds> length_of(double seconds);
/// The shortest decimal without exponent that reads back: "0.1", "+Inf", "NaN".
std::string format_number(double value);

}  // namespace ward::promql
