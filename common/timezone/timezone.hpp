#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace date {
class time_zone;
}

namespace ward {

/// What the calendar and the clock on a wall of some place show.
struct LocalTime {
  std::chrono::year_month_day date;
  std::chrono::weekday weekday;
  milliseconds of_day{0};  ///< since midnight by that clock: an hour may come twice, or never
  friend bool operator==(const LocalTime&, const LocalTime&) = default;
};

/// A time zone of the system's database, with its changes of the clocks. Cheap to copy; any thread.
class TimeZone {
 public:
  TimeZone() = default;  ///< UTC
  /// "Europe/Paris"; "" and "UTC" are UTC. Errc::not_found for a name that the database does not have.
  static Result<TimeZone> find(std::string_view name);

  [[nodiscard]] LocalTime local(Time t) const;
  /// When the clock there first shows `of_day` on that date; when it never does (clocks go forward), the moment of the
  /// change.
  [[nodiscard]] Time instant(std::chrono::year_month_day date, milliseconds of_day) const;
  [[nodiscard]] std::string name() const;
  friend bool operator==(const TimeZone&, const TimeZone&) = default;

 private:
  const date::time_zone* zone_ = nullptr;  // of the database, which lives as long as the process; null is UTC
};

}  // namespace ward
