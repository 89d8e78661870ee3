#pragma once
#include <map>
#include <string>
#include <vector>

#include "common/config/node.hpp"
#include "common/timezone/timezone.hpp"

namespace ward::collector {

/// One of Alertmanager's time intervals: a moment is inside when every kind that is named holds it; a kind that is not
/// named holds every moment. Source: https://prometheus.io/docs/alerting/latest/configuration/#time_interval
struct TimeInterval {
  /// Both ends belong to it.
  struct Range {
    int first = 0;
    int last = 0;
    friend bool operator==(const Range&, const Range&) = default;
  };
  std::vector<Range> times;          ///< minutes of the day; the last one is outside: 24:00 is 1440
  std::vector<Range> weekdays;       ///< Sunday is 0
  std::vector<Range> days_of_month;  ///< -1 is the month's last day
  std::vector<Range> months;
  std::vector<Range> years;
  TimeZone zone;

  [[nodiscard]] bool contains(Time t) const;
  friend bool operator==(const TimeInterval&, const TimeInterval&) = default;
};

/// Alternatives: inside when one of them is.
using TimeIntervals = std::vector<TimeInterval>;
[[nodiscard]] bool any_contains(const TimeIntervals& intervals, Time t);
/// The start of the next minute: intervals begin and end with minutes, and zones differ by whole ones.
[[nodiscard]] Time next_minute(Time t);

/// Reads `times: [{start_time, end_time}]`, `weekdays`, `days_of_month`, `months`, `years` and `location`, and closes the
/// section.
TimeInterval read_time_interval(config::Section& section);

using NamedIntervals = std::map<std::string, TimeIntervals, std::less<>>;
/// Reads `time_intervals: [{name, time_intervals: [...]}]`. A name given twice is a problem.
NamedIntervals read_named_intervals(config::Section& section);

/// When something is told: Alertmanager's `mute_time_intervals` and `active_time_intervals`.
struct ActiveTimes {
  TimeIntervals mute;
  TimeIntervals active;
  bool has_active = false;  ///< an active interval is named: outside of it nothing is told
  [[nodiscard]] bool muted(Time t) const { return any_contains(mute, t) || (has_active && !any_contains(active, t)); }
  friend bool operator==(const ActiveTimes&, const ActiveTimes&) = default;
};
/// Reads both keys; a name that `known` does not have is a problem.
ActiveTimes read_active_times(config::Section& section, const NamedIntervals& known);

}  // namespace ward::collector
