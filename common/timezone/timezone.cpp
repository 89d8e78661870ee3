// Howard Hinnant's date library behind this wall; it reads the system's tzdata.
#include "common/timezone/timezone.hpp"

#include <date/tz.h>
#include <exception>

namespace ward {
namespace {

LocalTime shown(date::local_time<milliseconds> t) {
  const auto since = t.time_since_epoch();
  const auto day = std::chrono::floor<std::chrono::days>(since);
  const std::chrono::sys_days date{day};
  return {.date = std::chrono::year_month_day{date}, .weekday = std::chrono::weekday{date}, .of_day = since - day};
}

}  // namespace

Result<TimeZone> TimeZone::find(std::string_view name) {
  TimeZone out;
  if (name.empty() || name == "UTC") return out;
  try {
    out.zone_ = date::locate_zone(name);
    return out;
  } catch (const std::exception&) {
    return fail(Errc::not_found, "the time zone '" + std::string(name) + "' is not known here",
                "Write a name of the time zone database, for example Europe/Paris or UTC; is tzdata installed?");
  }
}

LocalTime TimeZone::local(Time t) const {
  return shown(zone_ == nullptr ? date::local_time<milliseconds>{t.time_since_epoch()} : zone_->to_local(t));
}

Time TimeZone::instant(std::chrono::year_month_day date, milliseconds of_day) const {
  const auto since = std::chrono::sys_days{date}.time_since_epoch() + of_day;
  if (zone_ == nullptr) return Time{since};
  const auto info = zone_->get_info(date::local_time<milliseconds>{since});
  if (info.result == date::local_info::nonexistent) return Time{info.first.end};
  return Time{since - info.first.offset};
}

std::string TimeZone::name() const { return zone_ == nullptr ? "UTC" : zone_->name(); }

}  // namespace ward
