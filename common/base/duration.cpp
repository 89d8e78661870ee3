#include "common/base/duration.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <limits>
#include <optional>

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

/// Takes `before` and exactly `digits` digits off `text`; -1 when they do not stand there.
int take_number(std::string_view& text, std::size_t digits, char before = 0) {
  const std::size_t from = before == 0 ? 0 : 1;
  if (text.size() < from + digits || (before != 0 && text.front() != before)) return -1;
  int value = 0;
  for (std::size_t i = from; i < from + digits; ++i) {
    if (std::isdigit(static_cast<unsigned char>(text[i])) == 0) return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(from + digits);
  return value;
}

/// ".123456" rounded to milliseconds; zero when there is none, nullopt for a lone '.'.
std::optional<milliseconds> take_fraction(std::string_view& text) {
  if (!text.starts_with('.')) return milliseconds{0};
  text.remove_prefix(1);
  std::int64_t tenths = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && std::isdigit(static_cast<unsigned char>(text[digits])) != 0; ++digits)
    if (digits < 4) tenths = tenths * 10 + (text[digits] - '0');
  if (digits == 0) return std::nullopt;
  for (auto have = digits; have < 4; ++have) tenths *= 10;
  text.remove_prefix(digits);
  return milliseconds{(tenths + 5) / 10};
}

/// "Z" or "+05:30": how far the local time is ahead of UTC.
std::optional<std::chrono::minutes> take_zone(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const char sign = text.front();
  text.remove_prefix(1);
  if (sign == 'Z' || sign == 'z') return std::chrono::minutes{0};
  const int hours = take_number(text, 2), minutes = take_number(text, 2, ':');
  if ((sign != '+' && sign != '-') || hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  return std::chrono::minutes{(sign == '-' ? -1 : 1) * (hours * 60 + minutes)};
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
  // Unsigned, because the smallest duration has no positive counterpart.
  auto left = static_cast<std::uint64_t>(d.count());
  if (left == 0) return "0s";
  std::string out = d.count() < 0 ? "-" : "";
  if (d.count() < 0) left = 0 - left;
  for (const auto& unit : kUnits) {
    const auto ms = static_cast<std::uint64_t>(unit.ms);
    // Years and weeks only when exact: 8d reads better than 1w1d.
    if (unit.ms >= 604'800'000 && left % ms != 0) continue;
    if (left < ms) continue;
    out += std::to_string(left / ms);
    out += unit.name;
    left %= ms;
  }
  return out;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::array kSizes{Unit{"", 1},
                              Unit{"B", 1},
                              Unit{"KiB", 1LL << 10},
                              Unit{"MiB", 1LL << 20},
                              Unit{"GiB", 1LL << 30},
                              Unit{"TiB", 1LL << 40},
                              Unit{"kB", 1'000},
                              Unit{"MB", 1'000'000},
                              Unit{"GB", 1'000'000'000},
                              Unit{"TB", 1'000'000'000'000}};
  auto rest = trim(text);
  const auto count = rest.empty() ? -1 : take_digits(rest);
  const auto name = trim(rest);
  for (const auto& size : kSizes) {
    std::int64_t value = 0;
    if (count >= 0 && size.name == name && !__builtin_mul_overflow(count, size.ms, &value))
      return static_cast<std::uint64_t>(value);
  }
  return fail(Errc::invalid, "'" + std::string(text) + "' is not a size", "Write it like 64KiB, 512MiB or 1GiB.");
}

std::string format_time(Time t) {
  constexpr Time kFirst = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
  constexpr Time kEnd = std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1};
  if (t < kFirst || t >= kEnd) {
    std::array<char, 32> text{};
    const auto n = std::snprintf(text.data(), text.size(), "%.3f", to_seconds(t));
    return {text.data(), static_cast<std::size_t>(n)};
  }
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{t - day};
  std::array<char, 48> text{};
  const auto n =
      std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                    static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(n)};
}

Result<Time> parse_time(std::string_view text) {
  const auto bad = [&] {
    return fail(Errc::invalid, "'" + std::string(text) + "' is not a time",
                "Write it like 2026-11-22T10:42:07Z or as Unix seconds.");
  };
  if (const auto unix_seconds = to_double(text)) {
    if (!(*unix_seconds > -9e12 && *unix_seconds < 9e12)) return bad();
    return from_ms(static_cast<std::int64_t>(*unix_seconds * 1000.0 + (*unix_seconds < 0 ? -0.5 : 0.5)));
  }
  auto rest = text;
  const int year = take_number(rest, 4), month = take_number(rest, 2, '-'), day = take_number(rest, 2, '-');
  if (!rest.starts_with('T') && !rest.starts_with('t')) return bad();
  rest.remove_prefix(1);
  const int hour = take_number(rest, 2), minute = take_number(rest, 2, ':'), second = take_number(rest, 2, ':');
  const auto fraction = take_fraction(rest);
  const auto offset = take_zone(rest);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0 || !fraction || !offset || !rest.empty())
    return bad();
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return bad();
  const auto in_day = std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second};
  return Time{std::chrono::sys_days{date}.time_since_epoch() + in_day - *offset + *fraction};
}

}  // namespace ward
