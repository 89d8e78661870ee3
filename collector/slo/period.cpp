#include "collector/slo/period.hpp"

#include <array>

#include "collector/slo/time_zone.hpp"
#include "common/base/duration.hpp"
#include "common/base/parse.hpp"

namespace ward::collector::slo {
namespace {

using std::chrono::days;
using std::chrono::seconds;

struct UnitName {
  char letter;
  PeriodUnit unit;
  std::int64_t minutes;  ///< nominal
};
constexpr std::array<UnitName, 7> kUnits{{{'m', PeriodUnit::minute, 1},
                                          {'h', PeriodUnit::hour, 60},
                                          {'d', PeriodUnit::day, 1'440},
                                          {'w', PeriodUnit::week, 10'080},
                                          {'M', PeriodUnit::month, 43'200},
                                          {'Q', PeriodUnit::quarter, 129'600},
                                          {'Y', PeriodUnit::year, 525'600}}};

const UnitName& name_of(PeriodUnit unit) { return kUnits[static_cast<std::size_t>(unit)]; }

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

/// The local start of the `index`-th period, for units whose length the calendar decides.
std::int64_t months_later(std::int64_t start, std::int64_t months) {
  using namespace std::chrono;
  const local_seconds at{seconds{start}};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const auto moved = year_month{date.year(), date.month()} + std::chrono::months{months};
  // The 31st of a month that has none is its last day.
  auto target = moved / date.day();
  if (!target.ok()) target = year_month_day{moved / last};
  return local_seconds{local_days{target} + (at - day)}.time_since_epoch().count();
}

std::int64_t months_between(std::int64_t start, std::int64_t local) {
  using namespace std::chrono;
  const year_month_day from{floor<days>(local_seconds{seconds{start}})};
  const year_month_day to{floor<days>(local_seconds{seconds{local}})};
  return (static_cast<int>(to.year()) - static_cast<int>(from.year())) * 12 +
         (static_cast<int>(static_cast<unsigned>(to.month())) - static_cast<int>(static_cast<unsigned>(from.month())));
}

std::int64_t step_months(const Period& p) {
  switch (p.unit) {
    case PeriodUnit::month: return p.count;
    case PeriodUnit::quarter: return p.count * 3;
    case PeriodUnit::year: return p.count * 12;
    case PeriodUnit::minute:
    case PeriodUnit::hour:
    case PeriodUnit::day:
    case PeriodUnit::week: return 0;
  }
  return 0;
}

/// The period of `now`, from a guess at its index. `start` is the local start of a period; a clock that is set back shows
/// some times twice, so that the moment decides and not what the clock shows.
template <class Start>
MinuteRange around(Minute now, std::int64_t index, Start start) {
  while (start(index) > now) --index;
  while (start(index + 1) <= now) ++index;
  return {start(index), start(index + 1)};
}

}  // namespace

Result<Period> parse_period(std::string_view text) {
  const auto wrong = [&] {
    return fail(Errc::invalid, "'" + std::string(text) + "' is no time window",
                "Write a number and one of m h d w M Q Y, like 30d, 4w or 1M.");
  };
  if (text.size() < 2) return wrong();
  const auto count = to_u64(text.substr(0, text.size() - 1));
  if (!count || *count == 0 || *count > 1'000'000 || text.front() == '0') return wrong();
  for (const auto& unit : kUnits) {
    if (unit.letter != text.back()) continue;
    Period period{.count = static_cast<int>(*count), .unit = unit.unit};
    if (nominal_length(period) > minutes{2 * 525'600})
      return fail(Errc::invalid, "the time window '" + std::string(text) + "' is longer than two years",
                  "Choose a shorter one.");
    return period;
  }
  return wrong();
}

std::string format_period(const Period& period) { return std::to_string(period.count) + name_of(period.unit).letter; }

minutes nominal_length(const Period& period) { return minutes{period.count * name_of(period.unit).minutes}; }

MinuteRange current_period(const Period& p, Time now) {
  const auto end = minute_of(now) + minutes{1};
  if (p.rolling) return {end - nominal_length(p), end};
  const auto local = to_local_seconds(p.zone, now);
  const auto at = [&](std::int64_t start) { return minute_of(from_local_seconds(p.zone, start)); };
  if (const auto step = step_months(p); step > 0)
    return around(minute_of(now), floor_div(months_between(p.start_local, local), step),
                  [&](std::int64_t i) { return at(months_later(p.start_local, i * step)); });
  const auto length = nominal_length(p).count() * 60;
  // Days and weeks are counted on the local clock, hours and minutes are hours and minutes whatever the clock shows.
  if (p.unit == PeriodUnit::day || p.unit == PeriodUnit::week)
    return around(minute_of(now), floor_div(local - p.start_local, length),
                  [&](std::int64_t i) { return at(p.start_local + i * length); });
  const auto start = std::chrono::floor<seconds>(from_local_seconds(p.zone, p.start_local)).time_since_epoch().count();
  const auto utc = std::chrono::floor<seconds>(now).time_since_epoch().count();
  const auto index = floor_div(utc - start, length);
  const auto from = Minute{minutes{floor_div(start + index * length, 60)}};
  return {from, from + nominal_length(p)};
}

Result<std::int64_t> parse_local_time(std::string_view text) {
  const auto wrong = [&] {
    return fail(Errc::invalid, "'" + std::string(text) + "' is no date and time",
                "Write it like 2026-01-01 00:00:00, on the clock of timeZone.");
  };
  std::string spelled(text);
  if (spelled.size() == 10) spelled += " 00:00:00";
  if (spelled.size() != 19 || (spelled[10] != ' ' && spelled[10] != 'T')) return wrong();
  spelled[10] = 'T';
  const auto parsed = parse_time(spelled + ".000Z");
  if (!parsed) return wrong();
  return std::chrono::floor<seconds>(*parsed).time_since_epoch().count();
}

}  // namespace ward::collector::slo
