#include "collector/routing/time_interval.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "common/base/parse.hpp"

namespace ward::collector {
namespace {

constexpr std::array<std::string_view, 7> kWeekdays{"sunday",   "monday", "tuesday", "wednesday",
                                                    "thursday", "friday", "saturday"};
constexpr std::array<std::string_view, 12> kMonths{"january", "february", "march",     "april",   "may",      "june",
                                                   "july",    "august",   "september", "october", "november", "december"};
constexpr int kMinutesOfDay = 24 * 60;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

template <std::size_t N>
std::optional<int> position(const std::array<std::string_view, N>& names, std::string_view text) {
  const auto at = std::find(names.begin(), names.end(), lower(text));
  return at == names.end() ? std::nullopt : std::optional<int>{static_cast<int>(at - names.begin())};
}

std::optional<int> number(std::string_view text, int min, int max) {
  const auto value = to_i64(text);
  if (!value || *value < min || *value > max) return std::nullopt;
  return static_cast<int>(*value);
}

/// "hh:mm" as minutes.
std::optional<int> minutes_of(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto digits = [](std::string_view two) { return two[0] >= '0' && two[0] <= '9' && two[1] >= '0' && two[1] <= '9'; };
  if (!digits(text.substr(0, 2)) || !digits(text.substr(3))) return std::nullopt;
  const int out = ((text[0] - '0') * 10 + text[1] - '0') * 60 + (text[3] - '0') * 10 + text[4] - '0';
  return text[3] < '6' && out <= kMinutesOfDay ? std::optional<int>{out} : std::nullopt;
}

/// "a:b" or "a", each end read by `one`.
template <class One>
std::optional<TimeInterval::Range> range_of(std::string_view text, One one) {
  // The colon of a range never begins it.
  const auto colon = text.find(':', 1);
  const auto first = one(trim(text.substr(0, colon)));
  const auto last = colon == std::string_view::npos ? first : one(trim(text.substr(colon + 1)));
  if (!first || !last) return std::nullopt;
  return TimeInterval::Range{*first, *last};
}

struct Kind {
  std::string_view key;
  std::string_view fix;
};

template <class One>
std::vector<TimeInterval::Range> read_ranges(config::Section& section, const Kind& kind, One one) {
  std::vector<TimeInterval::Range> out;
  const auto refuse = [&](const std::string& text, const std::string& why) {
    section.problems().add(section.at(kind.key), std::string(kind.key) + " has '" + text + "', " + why,
                           std::string(kind.fix));
  };
  for (const auto& text : section.texts(kind.key)) {
    const auto range = range_of(text, one);
    if (!range)
      refuse(text, "which is none");
    else if (range->first > range->last)
      refuse(text, "whose end is before its beginning");
    else
      out.push_back(*range);
  }
  return out;
}

/// The end may be counted from either end of the month; what is empty in every month is a mistake.
std::vector<TimeInterval::Range> read_days(config::Section& section) {
  constexpr Kind kKind{"days_of_month", "Write days like '1:5', '15' or '-3:-1'; the last day is -1."};
  std::vector<TimeInterval::Range> out;
  for (const auto& text : section.texts(kKind.key)) {
    const auto range = range_of(text, [](std::string_view t) { return number(t, -31, 31); });
    std::string why;
    if (!range || range->first == 0 || range->last == 0)
      why = "which is none";
    else if (range->first < 0 && range->last > 0)
      why = "which begins counting from the month's end and ends counting from its beginning";
    else if ((range->first < 0) == (range->last < 0) && range->first > range->last)
      why = "whose end is before its beginning";
    // In a month of 31 days, the longest: 5:-28 is 5:4.
    else if (range->last < 0 && range->first > 0 && range->first > 32 + range->last)
      why = "whose end is before its beginning in every month";
    if (why.empty())
      out.push_back(*range);
    else
      section.problems().add(section.at(kKind.key), "days_of_month has '" + text + "', " + why, std::string(kKind.fix));
  }
  return out;
}

bool in_days(const std::vector<TimeInterval::Range>& ranges, std::chrono::year_month_day date) {
  const auto length = static_cast<int>(
      static_cast<unsigned>(std::chrono::year_month_day_last{date.year() / date.month() / std::chrono::last}.day()));
  const auto day = static_cast<int>(static_cast<unsigned>(date.day()));
  const auto from_start = [&](int d) { return d < 0 ? length + d + 1 : d; };
  return ranges.empty() || std::any_of(ranges.begin(), ranges.end(), [&](const TimeInterval::Range& r) {
           return day >= from_start(r.first) && day <= from_start(r.last);
         });
}

bool in_ranges(const std::vector<TimeInterval::Range>& ranges, int value) {
  return ranges.empty() || std::any_of(ranges.begin(), ranges.end(),
                                       [&](const TimeInterval::Range& r) { return value >= r.first && value <= r.last; });
}

}  // namespace

bool TimeInterval::contains(Time t) const {
  const auto local = zone.local(t);
  const auto minute = static_cast<int>(std::chrono::floor<std::chrono::minutes>(local.of_day).count());
  const bool in_times = times.empty() || std::any_of(times.begin(), times.end(),
                                                     [&](const Range& r) { return minute >= r.first && minute < r.last; });
  return in_times && in_days(days_of_month, local.date) &&
         in_ranges(weekdays, static_cast<int>(local.weekday.c_encoding())) &&
         in_ranges(months, static_cast<int>(static_cast<unsigned>(local.date.month()))) &&
         in_ranges(years, static_cast<int>(local.date.year()));
}

bool any_contains(const TimeIntervals& intervals, Time t) {
  return std::any_of(intervals.begin(), intervals.end(), [&](const TimeInterval& i) { return i.contains(t); });
}

Time next_minute(Time t) { return std::chrono::floor<std::chrono::minutes>(t) + std::chrono::minutes{1}; }

TimeInterval read_time_interval(config::Section& section) {
  TimeInterval out;
  for (auto& time : section.children("times")) {
    const auto start = time.text("start_time");
    const auto end = time.text("end_time");
    const auto first = minutes_of(start);
    const auto last = minutes_of(end);
    if (!start.empty() && !end.empty() && (!first || !last || *first >= *last))
      time.problems().add(time.at(), "times go from '" + start + "' to '" + end + "', which is no part of a day",
                          "Write start_time and end_time like \"09:00\" and \"17:30\"; a night is two times, to \"24:00\" "
                          "and from \"00:00\".");
    else if (first && last)
      out.times.push_back({*first, *last});
    time.close();
  }
  out.weekdays = read_ranges(section, {"weekdays", "Write days like monday or 'monday:friday'; a week begins on Sunday."},
                             [](std::string_view t) { return position(kWeekdays, t); });
  out.days_of_month = read_days(section);
  out.months = read_ranges(section, {"months", "Write months like january, 'may:august' or '1:3'."}, [](std::string_view t) {
    const auto named = position(kMonths, t);
    return named ? std::optional<int>{*named + 1} : number(t, 1, 12);
  });
  out.years = read_ranges(section, {"years", "Write years like '2026' or '2026:2028'."},
                          [](std::string_view t) { return number(t, 0, 9'999); });
  if (const auto zone = TimeZone::find(section.text("location", "")); zone)
    out.zone = *zone;
  else
    section.problems().add(section.at("location"), zone.error().what, zone.error().fix);
  section.close();
  return out;
}

NamedIntervals read_named_intervals(config::Section& section) {
  NamedIntervals out;
  for (auto& named : section.children("time_intervals")) {
    const auto name = named.text("name");
    TimeIntervals intervals;
    for (auto& one : named.children("time_intervals")) intervals.push_back(read_time_interval(one));
    // Without one it would hold no moment: to mute by it, or to be active in it, is never what was meant.
    if (intervals.empty())
      named.problems().add(named.at(), "the time interval '" + name + "' holds no time", "List times under time_intervals.");
    if (!out.emplace(name, std::move(intervals)).second)
      named.problems().add(named.at("name"), "the time interval '" + name + "' is there twice", "Give each its own name.");
    named.close();
  }
  return out;
}

ActiveTimes read_active_times(config::Section& section, const NamedIntervals& known) {
  ActiveTimes out;
  const auto read = [&](std::string_view key, TimeIntervals& into) {
    const auto names = section.texts(key);
    for (const auto& name : names) {
      const auto found = known.find(name);
      if (found != known.end())
        into.insert(into.end(), found->second.begin(), found->second.end());
      else
        section.problems().add(section.at(key), "the time interval '" + name + "' does not exist",
                               "Define it under time_intervals, or name another.");
    }
    return !names.empty();
  };
  read("mute_time_intervals", out.mute);
  out.has_active = read("active_time_intervals", out.active);
  return out;
}

}  // namespace ward::collector
