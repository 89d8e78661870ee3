#pragma once
#include <cstdint>
#include <string>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace ward::collector::slo {

using minutes = std::chrono::minutes;
/// A minute of wall time: whole minutes since the Unix epoch, UTC.
using Minute = std::chrono::sys_time<minutes>;
[[nodiscard]] constexpr Minute minute_of(Time t) { return std::chrono::floor<minutes>(t); }
[[nodiscard]] constexpr std::int64_t number_of(Minute m) { return m.time_since_epoch().count(); }

enum class PeriodUnit : std::uint8_t { minute, hour, day, week, month, quarter, year };

/// The time an error budget is for: OpenSLO's timeWindow. A rolling one ends now; one by the calendar begins anew at `start`
/// and every `count` units after it, by the clock of `zone`: a day of a DST change has 23 or 25 hours.
struct Period {
  int count = 30;
  PeriodUnit unit = PeriodUnit::day;
  bool rolling = true;
  std::string zone = "UTC";      ///< of the calendar; checked when read
  std::int64_t start_local = 0;  ///< seconds since 1970-01-01 00:00 on the clock of `zone`
  friend bool operator==(const Period&, const Period&) = default;
};

struct MinuteRange {
  Minute from;
  Minute to;  ///< excluded
  friend bool operator==(const MinuteRange&, const MinuteRange&) = default;
  [[nodiscard]] minutes length() const { return to - from; }
};

/// "30d", "4w", "1M", "1Q", "1Y", "12h", "90m". Errors: invalid.
Result<Period> parse_period(std::string_view text);
std::string format_period(const Period& period);
/// A month counts as 30 days and a year as 365 here: for burn rates, which stay on rolling windows.
minutes nominal_length(const Period& period);
/// The period that holds `now`: of a rolling one the minutes that end with the current one.
MinuteRange current_period(const Period& period, Time now);

/// "2026-01-31 00:00:00" or "2026-01-31", as seconds on a clock that has no zone. Errors: invalid.
Result<std::int64_t> parse_local_time(std::string_view text);
/// Whether the system's time zones hold this name. Errors: invalid, naming it; unavailable when there are none.
Status check_zone(const std::string& name);

}  // namespace ward::collector::slo
