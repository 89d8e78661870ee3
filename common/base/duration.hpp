#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace ward {

/// Prometheus durations: "1h30m", "15s", "500ms", "2w"; units y w d h m s ms in this order, each at most once; "0" is zero.
Result<milliseconds> parse_duration(std::string_view text);
/// The shortest spelling that parse_duration reads back: "1h30m", "0s".
std::string format_duration(milliseconds d);
/// "512MiB", "4KiB", "1GiB", "100" (bytes), "10MB": IEC units are powers of 1024, SI units powers of 1000.
Result<std::uint64_t> parse_size(std::string_view text);
/// RFC 3339 in UTC with milliseconds: "2026-11-22T10:42:07.123Z"; outside the years 0 to 9999, which have no such form,
/// Unix seconds. parse_time reads both.
std::string format_time(Time t);
Result<Time> parse_time(std::string_view text);

}  // namespace ward
