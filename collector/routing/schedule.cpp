#include "collector/routing/schedule.hpp"

#include <algorithm>
#include <array>

#include "common/base/duration.hpp"
#include "common/base/parse.hpp"

namespace ward::collector {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::chrono::minutes kGapStep{15};

/// `what` digits at `at`.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (text.size() < at + count) return std::nullopt;
  int out = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    out = out * 10 + (c - '0');
  }
  return out;
}

/// "2026-01-05".
std::optional<year_month_day> date_of(std::string_view text) {
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  if (text.size() != 10 || !year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  const year_month_day out{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                           std::chrono::day{static_cast<unsigned>(*day)}};
  return out.ok() ? std::optional{out} : std::nullopt;
}

/// "09:00".
std::optional<milliseconds> hour_of(std::string_view text) {
  const auto hour = digits(text, 0, 2), minute = digits(text, 3, 2);
  if (text.size() != 5 || !hour || !minute || text[2] != ':' || *hour > 23 || *minute > 59) return std::nullopt;
  return std::chrono::hours{*hour} + std::chrono::minutes{*minute};
}

/// "2026-12-24T08:00" by the clocks of the zone, or RFC 3339.
std::optional<Time> moment_of(std::string_view text, const TimeZone& zone) {
  if (text.size() == 16 && (text[10] == 'T' || text[10] == ' ')) {
    const auto date = date_of(text.substr(0, 10));
    const auto hour = hour_of(text.substr(11));
    return date && hour ? std::optional{zone.instant(*date, *hour)} : std::nullopt;
  }
  if (text.size() < 17) return std::nullopt;
  const auto time = parse_time(text);
  return time ? std::optional{*time} : std::nullopt;
}

std::optional<std::string> turn(const RotationLayer& layer, const TimeZone& zone, Time t) {
  if (layer.rotation.empty() || (!layer.only.empty() && !any_contains(layer.only, t))) return std::nullopt;
  const sys_days start{layer.start};
  const auto past = (sys_days{zone.local(t).date} - start).count();
  auto turns = past >= 0 ? past / layer.every.count() : -1;
  // By instants, not by what the clock shows: an hour that comes twice would hand the turn back.
  if (turns >= 0 && t < zone.instant(year_month_day{start + turns * layer.every}, layer.handover)) --turns;
  if (turns < 0) return std::nullopt;
  return layer.rotation[static_cast<std::size_t>(turns) % layer.rotation.size()];
}

RotationLayer read_layer(config::Section& section, const TimeZone& zone, const Targets& targets) {
  RotationLayer out;
  section.text("name", "");
  out.rotation = section.texts("rotation");
  for (const auto& who : out.rotation) targets.check_receiver(section, "rotation", who);
  if (out.rotation.empty())
    section.problems().add(section.at("rotation"), "a layer without a rotation has nobody on call",
                           "List the receivers who take turns: 'rotation: [anna, ben]'.");
  const auto start = section.text("start");
  if (const auto date = date_of(start))
    out.start = *date;
  else if (!start.empty())
    section.problems().add(section.at("start"), "start is '" + start + "', which is no date", "Write it like 2026-01-05.");
  const auto handover = section.text("handover", "09:00");
  if (const auto hour = hour_of(handover))
    out.handover = *hour;
  else
    section.problems().add(section.at("handover"), "handover is '" + handover + "', which is no time of the day",
                           "Write it like \"09:00\".");
  const auto every = section.duration("every", days{7}, days{1});
  out.every = std::chrono::floor<days>(every);
  if (out.every != every || out.every.count() < 1) {
    section.problems().add(section.at("every"), "a turn of " + format_duration(every) + " is no number of whole days",
                           "Use 1d, 1w, 2w...; for hours of the day use several layers with 'only'.");
    out.every = days{7};
  }
  for (auto& part : section.children("only")) {
    const bool own_zone = part.has("location");
    out.only.push_back(read_time_interval(part));
    if (!own_zone) out.only.back().zone = zone;
  }
  section.close();
  return out;
}

ScheduleOverride read_override(config::Section& section, const TimeZone& zone, const Targets& targets) {
  ScheduleOverride out;
  const auto read = [&](std::string_view key) {
    const auto text = section.text(key);
    const auto t = moment_of(text, zone);
    if (!t && !text.empty())
      section.problems().add(section.at(key), std::string(key) + " is '" + text + "', which is no time",
                             "Write it like 2026-12-24T08:00, by the clocks of the schedule's zone.");
    return t.value_or(Time{});
  };
  out.from = read("from");
  out.until = read("until");
  out.who = section.text("who");
  targets.check_receiver(section, "who", out.who);
  if (out.from != Time{} && out.until != Time{} && out.until <= out.from)
    section.problems().add(section.at("until"), "the override ends before it begins", "Set until after from.");
  section.close();
  return out;
}

}  // namespace

std::optional<std::string> Schedule::on_call(Time t) const {
  for (auto one = overrides.rbegin(); one != overrides.rend(); ++one)
    if (t >= one->from && t < one->until) return one->who;
  for (const auto& layer : layers)
    if (auto who = turn(layer, zone, t)) return who;
  return std::nullopt;
}

std::optional<ScheduleGap> first_gap(const Schedule& schedule, Time from, Time until) {
  std::optional<ScheduleGap> gap;
  for (auto t = from; t < until; t += kGapStep) {
    if (schedule.on_call(t)) {
      if (gap) return gap;
    } else if (gap) {
      gap->until = t + kGapStep;
    } else {
      gap = ScheduleGap{.from = t, .until = t + kGapStep};
    }
  }
  return gap;
}

std::optional<ScheduleGap> first_gap(const Schedule& schedule) {
  const bool always = std::any_of(schedule.layers.begin(), schedule.layers.end(),
                                  [](const RotationLayer& l) { return l.only.empty() && !l.rotation.empty(); });
  if (always || schedule.layers.empty()) return std::nullopt;
  auto from = Time::min();
  for (const auto& layer : schedule.layers)
    if (layer.start.ok()) from = std::max(from, schedule.zone.instant(layer.start, layer.handover));
  // Overrides hide no gap: they end.
  Schedule rotations = schedule;
  rotations.overrides.clear();
  return from == Time::min() ? std::nullopt : first_gap(rotations, from, from + days{366});
}

Schedules read_schedules(config::Section& section, const Targets& targets) {
  Schedules out;
  for (auto& [name, from] : section.named_children("schedules")) {
    Schedule schedule;
    if (const auto zone = TimeZone::find(from.text("time_zone")); zone)
      schedule.zone = *zone;
    else
      from.problems().add(from.at("time_zone"), zone.error().what, zone.error().fix);
    for (auto& layer : from.children("layers")) schedule.layers.push_back(read_layer(layer, schedule.zone, targets));
    for (auto& one : from.children("overrides")) schedule.overrides.push_back(read_override(one, schedule.zone, targets));
    if (schedule.layers.empty())
      from.problems().add(from.at(), "the schedule '" + name + "' has no layers, so nobody is ever on call",
                          "Add one: 'layers: [{rotation: [anna, ben], start: 2026-01-05}]'.");
    from.close();
    out.emplace(name, std::move(schedule));
  }
  return out;
}

}  // namespace ward::collector
