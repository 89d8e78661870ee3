#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/timezone/timezone.hpp"

namespace ward::promql {

/// Which past hours an hour is compared with.
struct Season {
  int weeks = 8;      ///< the same hour of the week, so many weeks back; 3 to 52
  TimeZone zone;      ///< whose clocks and calendar say which hour that is
  int month_end = 0;  ///< so many first and last working days of a month are compared with those of other months; 0 to 5
  int months = 6;     ///< how many months back then; 3 to 24
  friend bool operator==(const Season&, const Season&) = default;
};

/// Takes "weeks=8", "tz=Europe/Paris", "month_end=3" or "months=6". Errors: invalid, not_found for a time zone.
Status set_season(Season& season, std::string_view option);

/// When the hour that holds `at` began on the clock of the season's zone; an hour that comes twice begins twice.
Time hour_start(const Season& season, Time at);
/// The beginnings of the past hours that are like the one of `at`, newest first. Of an ordinary day: the same hour of the
/// same weekday, those of month ends left out. Of one of a month's first or last working days (Monday to Friday; holidays
/// are not known): the same hour of the day with the same place in the months before. An hour that a clock skipped is left
/// out.
std::vector<Time> comparable_hours(const Season& season, Time at);
/// No comparable hour lies further back.
milliseconds reach_of(const Season& season);

}  // namespace ward::promql
