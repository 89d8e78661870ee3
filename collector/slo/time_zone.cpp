#include "collector/slo/time_zone.hpp"

#include "common/timezone/timezone.hpp"

namespace ward::collector::slo {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;

}  // namespace

Status check_zone(const std::string& name) {
  if (auto found = TimeZone::find(name); !found) return fail(found.error());
  return {};
}

std::int64_t to_local_seconds(const std::string& zone, Time t) {
  const auto found = TimeZone::find(zone);
  const auto local = (found ? *found : TimeZone{}).local(t);
  const seconds midnight = sys_days{local.date}.time_since_epoch();
  return (midnight + std::chrono::floor<seconds>(local.of_day)).count();
}

Time from_local_seconds(const std::string& zone, std::int64_t local) {
  const auto found = TimeZone::find(zone);
  const auto day = std::chrono::floor<days>(seconds{local});
  return (found ? *found : TimeZone{}).instant(std::chrono::year_month_day{sys_days{day}}, seconds{local} - day);
}

}  // namespace ward::collector::slo
