#include "collector/promql/season.hpp"

#include <optional>
#include <string>

#include "common/base/parse.hpp"

namespace ward::promql {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::sys_days;
using std::chrono::weekday;
using std::chrono::year_month_day;

bool is_working_day(sys_days day) {
  const auto of_week = weekday{day}.iso_encoding();
  return of_week <= 5;
}

sys_days first_of_month(year_month_day date) { return sys_days{date.year() / date.month() / 1}; }
sys_days last_of_month(year_month_day date) { return sys_days{date.year() / date.month() / std::chrono::last}; }

/// The n-th working day of a month, from 1; counted from its end when `from_end`.
struct Place {
  int number = 0;
  bool from_end = false;
};

std::optional<Place> place_of(const Season& season, year_month_day date) {
  const sys_days day{date};
  if (season.month_end == 0 || !is_working_day(day)) return std::nullopt;
  int from_start = 0;
  int from_end = 0;
  for (auto d = first_of_month(date); d <= day; d += days{1}) from_start += is_working_day(d) ? 1 : 0;
  for (auto d = last_of_month(date); d >= day; d -= days{1}) from_end += is_working_day(d) ? 1 : 0;
  if (from_end <= season.month_end) return Place{from_end, true};
  if (from_start <= season.month_end) return Place{from_start, false};
  return std::nullopt;
}

sys_days day_at(Place place, year_month_day month) {
  auto day = place.from_end ? last_of_month(month) : first_of_month(month);
  const auto step = place.from_end ? days{-1} : days{1};
  for (int seen = is_working_day(day) ? 1 : 0; seen < place.number; seen += is_working_day(day) ? 1 : 0) day += step;
  return day;
}

/// The hour of that day, unless its clock skipped it.
std::optional<Time> hour_on(const Season& season, sys_days day, hours hour) {
  const auto start = season.zone.instant(year_month_day{day}, hour);
  const auto shown = season.zone.local(start);
  if (sys_days{shown.date} != day || shown.of_day != hour) return std::nullopt;
  return start;
}

Status take_number(int& into, std::string_view name, std::string_view text, int min, int max) {
  const auto value = to_i64(text);
  if (!value || *value < min || *value > max)
    return fail(Errc::invalid,
                std::string(name) + " is \"" + std::string(text) + "\", not a number from " + std::to_string(min) + " to " +
                    std::to_string(max),
                "Write it like \"" + std::string(name) + "=" + std::to_string(into > 0 ? into : min + 3) + "\".");
  into = static_cast<int>(*value);
  return {};
}

}  // namespace

Status set_season(Season& season, std::string_view option) {
  const auto equals = option.find('=');
  const auto name = trim(option.substr(0, equals));
  const auto value = equals == std::string_view::npos ? std::string_view{} : trim(option.substr(equals + 1));
  if (name == "weeks") return take_number(season.weeks, name, value, 3, 52);
  if (name == "month_end") return take_number(season.month_end, name, value, 0, 5);
  if (name == "months") return take_number(season.months, name, value, 3, 24);
  if (name == "tz") {
    auto zone = TimeZone::find(value);
    if (!zone) return fail(zone.error());
    season.zone = *zone;
    return {};
  }
  return fail(Errc::invalid, "unknown option \"" + std::string(option) + "\"",
              "Use \"weeks=8\", \"tz=Europe/Paris\", \"month_end=3\" or \"months=6\".");
}

Time hour_start(const Season& season, Time at) {
  const auto of_day = season.zone.local(at).of_day;
  return at - (of_day - std::chrono::floor<hours>(of_day));
}

std::vector<Time> comparable_hours(const Season& season, Time at) {
  const auto local = season.zone.local(at);
  const auto hour = std::chrono::floor<hours>(local.of_day);
  std::vector<Time> out;
  const auto add = [&](sys_days day) {
    if (const auto start = hour_on(season, day, hour)) out.push_back(*start);
  };
  if (const auto place = place_of(season, local.date)) {
    auto month = local.date.year() / local.date.month() / 1;
    for (int back = 1; back <= season.months; ++back) {
      month -= std::chrono::months{1};
      add(day_at(*place, month));
    }
    return out;
  }
  for (int back = 1; back <= season.weeks; ++back) {
    const auto day = sys_days{local.date} - days{7 * back};
    if (!place_of(season, day)) add(day);
  }
  return out;
}

milliseconds reach_of(const Season& season) {
  const auto weekly = days{7 * season.weeks + 1};
  const auto monthly = days{season.month_end == 0 ? 0 : 31 * (season.months + 1)};
  return std::max<milliseconds>(weekly, monthly);
}

}  // namespace ward::promql
