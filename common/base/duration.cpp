#include "common/base/duration.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <limits>

#include "common/base/parse.hpp"

namespace ward {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t ms;
};
constexpr std::array kUnits{Unit{"y", 31'536'000'000}, Unit{"w", 604'800'000}, Unit{"d", 86'400'000}, Unit{"h", 3'600'000},
                            Unit{"m", 60'000},         Unit{"s", 1'000},       Unit{"ms", 1}};

tl::unexpected<Error> bad_duration(std::string_view text) {
  return fail(Errc::invalid, "'" + std::string(text) + "' is not a duration", "Write it like 15s, 500ms, 1h30m or 2w.");
}

/// Takes digits off `text`; nullopt-like -1 when there are none or they overflow.
std::int64_t take_digits(std::string_view& text) {
  std::int64_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || value < 0) return -1;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::string_view take_letters(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && std::isalpha(static_cast<unsigned char>(text[n])) != 0) ++n;
  const auto word = text.substr(0, n);
  text.remove_prefix(n);
  return word;
}

}  // namespace

Result<milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return milliseconds{0};
  auto rest = text;
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  if (rest.empty()) return bad_duration(text);
  while (!rest.empty()) {
    if (std::isdigit(static_cast<unsigned char>(rest.front())) == 0) return bad_duration(text);
    const auto count = take_digits(rest);
    const auto name = take_letters(rest);
    std::size_t unit = next_unit;
    while (unit < kUnits.size() && kUnits[unit].name != name) ++unit;
    if (count < 0 || unit == kUnits.size()) return bad_duration(text);
    std::int64_t part = 0;
    if (__builtin_mul_overflow(count, kUnits[unit].ms, &part) || __builtin_add_overflow(total, part, &total))
      return bad_duration(text);
    next_unit = unit + 1;
  }
  return milliseconds{total};
}

std::string format_duration(milliseconds d) {
  auto left = d.count();
  if (left == 0) return "0s";
  std::string out = left < 0 ? "-" : "";
  if (left < 0) left = -left;
  for (const auto& unit : kUnits) {
    // Years and weeks only when exact: 8d reads better than 1w1d.
    if (unit.ms >= 604'800'000 && left % unit.ms != 0) continue;
    if (left < unit.ms) continue;
    out += std::to_string(left / unit.ms);
    out += unit.name;
    left %= unit.ms;
  }
  return out;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::array kSizes{Unit{"", 1},          Unit{"B", 1},         Unit{"KiB", 1LL << 10}, Unit{"MiB", 1LL << 20},
                              Unit{"GiB", 1LL << 30}, Unit{"TiB", 1LL << 40}, Unit{"kB", 1'000},     Unit{"MB", 1'000'000},
                              Unit{"GB", 1'000'000'000}, Unit{"TB", 1'000'000'000'000}};
  auto rest = trim(text);
  const auto count = rest.empty() ? -1 : take_digits(rest);
  const auto name = trim(rest);
  for (const auto& size : kSizes) {
    std::int64_t value = 0;
    if (count >= 0 && size.name == name && !__builtin_mul_overflow(count, size.ms, &value)) return static_cast<std::uint64_t>(value);
  }
  return fail(Errc::invalid, "'" + std::string(text) + "' is not a size", "Write it like 64KiB, 512MiB or 1GiB.");
}

std::string format_time(Time t) {
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{t - day};
  std::array<char, 48> text{};
  const auto n = std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                               static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                               static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                               static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(n)};
}

Result<Time> parse_time(std::string_view text) {
  const auto bad = [&] {
    return fail(Errc::invalid, "'" + std::string(text) + "' is not a time", "Write it like 2026-11-22T10:42:07Z or as Unix seconds.");
  };
  if (const auto unix_seconds = to_double(text)) {
    if (!(*unix_seconds > -9e12 && *unix_seconds < 9e12)) return bad();
    return from_ms(static_cast<std::int64_t>(*unix_seconds * 1000.0 + (*unix_seconds < 0 ? -0.5 : 0.5)));
  }
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, used = 0;
  double second = 0;
  const std::string copy{text};
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%lf%n", &year, &month, &day, &hour, &minute, &second, &used) != 6) return bad();
  const auto zone = std::string_view{copy}.substr(static_cast<std::size_t>(used));
  int offset_minutes = 0;
  if (zone != "Z" && zone != "z") {
    char sign = 0;
    int zone_hours = 0, zone_minutes = 0;
    if (std::sscanf(std::string(zone).c_str(), "%c%2d:%2d", &sign, &zone_hours, &zone_minutes) != 3 || (sign != '+' && sign != '-'))
      return bad();
    offset_minutes = (sign == '-' ? -1 : 1) * (zone_hours * 60 + zone_minutes);
  }
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour > 23 || hour < 0 || minute > 59 || minute < 0 || !(second >= 0 && second < 61)) return bad();
  const auto in_day = std::chrono::minutes{hour * 60 + minute - offset_minutes};
  return Time{std::chrono::sys_days{date}.time_since_epoch() + in_day + milliseconds{static_cast<std::int64_t>(second * 1000.0 + 0.5)}};
}

}  // namespace ward
