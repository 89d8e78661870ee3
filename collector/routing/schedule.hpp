#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "collector/routing/targets.hpp"
#include "collector/routing/time_interval.hpp"
#include "common/config/node.hpp"
#include "common/timezone/timezone.hpp"

namespace ward::collector {

/// People who take turns. A turn begins at `handover` by the clocks of the zone, whatever changes of the clocks lie between.
struct RotationLayer {
  std::vector<std::string> rotation;  ///< receivers, in the order of their turns
  std::chrono::year_month_day start;  ///< when the first has the first turn
  milliseconds handover{0};           ///< since midnight
  std::chrono::days every{7};         ///< length of a turn
  TimeIntervals only;                 ///< has somebody only then; empty = always
  friend bool operator==(const RotationLayer&, const RotationLayer&) = default;
};

/// One has the turn, whatever the rotation says.
struct ScheduleOverride {
  Time from;
  Time until;  ///< the first moment after it
  std::string who;
  friend bool operator==(const ScheduleOverride&, const ScheduleOverride&) = default;
};

/// Who is on call when.
struct Schedule {
  TimeZone zone;
  std::vector<RotationLayer> layers;        ///< the first that has somebody says who
  std::vector<ScheduleOverride> overrides;  ///< before all layers; of several the last one

  /// A receiver; nullopt when nobody is on call.
  [[nodiscard]] std::optional<std::string> on_call(Time t) const;
  friend bool operator==(const Schedule&, const Schedule&) = default;
};

using Schedules = std::map<std::string, Schedule, std::less<>>;

/// A time in which nobody is on call.
struct ScheduleGap {
  Time from;
  Time until;
  friend bool operator==(const ScheduleGap&, const ScheduleGap&) = default;
};
/// The first one between two moments, to a quarter of an hour.
std::optional<ScheduleGap> first_gap(const Schedule& schedule, Time from, Time until);
/// The first one in the year after all layers have begun; the part that the calendar repeats.
std::optional<ScheduleGap> first_gap(const Schedule& schedule);

/// Reads `schedules: {NAME: {time_zone, layers: [{rotation, start: 2026-01-05, handover: "09:00", every: 1w, only: [...]}],
/// overrides: [{from, until, who}]}}`; times of an override without an offset are of the zone.
Schedules read_schedules(config::Section& section, const Targets& targets);

}  // namespace ward::collector
