// The only file of this room that sees the date library, which throws.
#include "collector/slo/time_zone.hpp"

#include <date/tz.h>

#include "collector/slo/period.hpp"

namespace ward::collector::slo {
namespace {

const date::time_zone* find(const std::string& name) {
  try {
    return date::locate_zone(name);
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // namespace

Status check_zone(const std::string& name) {
  if (find(name) != nullptr) return {};
  if (find("UTC") == nullptr && find("Etc/UTC") == nullptr)
    return fail(Errc::unavailable, "the system has no time zones, so '" + name + "' cannot be looked up",
                "Install the package tzdata.");
  return fail(Errc::invalid, "the time zone '" + name + "' does not exist", "Use a name like Europe/Paris or UTC.");
}

std::int64_t to_local_seconds(const std::string& zone, Time t) {
  const auto utc = std::chrono::floor<std::chrono::seconds>(t);
  const auto* found = find(zone);
  if (found == nullptr) return utc.time_since_epoch().count();
  return found->to_local(utc).time_since_epoch().count();
}

Time from_local_seconds(const std::string& zone, std::int64_t local) {
  const auto* found = find(zone);
  if (found == nullptr) return Time{std::chrono::seconds{local}};
  const date::local_seconds wanted{std::chrono::seconds{local}};
  return found->to_sys(wanted, date::choose::earliest);
}

}  // namespace ward::collector::slo
