// What Ward adds to promtool's test format: alerts as input, notifications as outcome.
#include "collector/rehearsal/test_notices.hpp"

#include <algorithm>
#include <array>

#include "common/base/duration.hpp"

namespace ward::collector {
namespace {

constexpr milliseconds kNever{-1};

/// The times of one round of an alert: pending, then firing, then resolved, each later than the one before.
void read_round(config::Section& from, TestAlert& alert) {
  struct Named {
    const char* key;
    AlertPhase phase;
  };
  constexpr std::array<Named, 3> kPhases{
      {{"pending", AlertPhase::pending}, {"firing", AlertPhase::firing}, {"resolved", AlertPhase::resolved}}};
  bool any = false;
  for (const auto& [key, phase] : kPhases) {
    const bool given = from.has(key);
    const auto after = from.duration(key, kNever);
    if (!given || after == kNever) continue;
    any = true;
    if (!alert.changes.empty() && after < alert.changes.back().after) {
      from.problems().add(from.at(key),
                          std::string("'") + key + "' is " + format_duration(after) +
                              ", before what happens to it earlier (" + format_duration(alert.changes.back().after) + ")",
                          "Times count from the start of the test and rise: pending, firing, resolved, then again.");
      continue;
    }
    alert.changes.push_back({.after = after, .phase = phase});
  }
  if (!any)
    from.problems().add(from.at(), "this alert never does anything", "Say when it is firing, for example 'firing: 1m'.");
}

std::optional<std::string> optional_text(config::Section& from, std::string_view key) {
  if (!from.has(key)) return std::nullopt;
  return from.text(key);
}

std::optional<std::vector<std::string>> optional_names(config::Section& from, std::string_view key) {
  if (!from.has(key)) return std::nullopt;
  auto names = from.texts(key);
  std::sort(names.begin(), names.end());
  return names;
}

ExpectedNotice read_expected(config::Section& from) {
  ExpectedNotice out;
  out.at = from.at();
  out.to = from.text("to");
  constexpr std::array<std::optional<NoticeKind>, 4> kKinds{std::nullopt, NoticeKind::fire, NoticeKind::escalate,
                                                            NoticeKind::resolve};
  out.kind = kKinds[from.choice("kind", {"page", "fire", "escalate", "resolve"}, 0)];
  out.root = optional_text(from, "root");
  out.owner = optional_text(from, "owner");
  if (from.has("class")) {
    constexpr std::array kClasses{AlertClass::informational, AlertClass::actionable, AlertClass::urgent,
                                  AlertClass::executive};
    out.cls = kClasses[from.choice("class", {"informational", "actionable", "urgent", "executive"}, 0)];
  }
  out.absorbs = optional_names(from, "absorbs");
  out.tenants = optional_names(from, "tenants");
  for (const auto& [name, value] : from.text_map("scope")) out.scope.set(name, value);
  from.close();
  return out;
}

std::optional<std::size_t> optional_count(config::Section& from, std::string_view key) {
  if (!from.has(key)) return std::nullopt;
  return from.whole(key, 0);
}

}  // namespace

TestAlert read_test_alert(config::Section& from) {
  TestAlert out;
  out.at = from.at();
  for (const auto& [name, value] : from.text_map("labels")) out.labels.set(name, value);
  for (const auto& [name, value] : from.text_map("annotations")) out.annotations.set(name, value);
  out.labels.set("alertname", from.text("alertname"));
  read_round(from, out);
  for (auto& round : from.children("again")) {
    read_round(round, out);
    round.close();
  }
  from.close();
  return out;
}

NotificationCase read_notification_case(config::Section& from) {
  NotificationCase out;
  out.at = from.at();
  if (!from.has("at"))
    from.problems().add(from.at(), "a notification_test needs the key 'at'",
                        "Add the time it looks at, for example at: 5m.");
  out.until = from.duration("at", milliseconds{0});
  out.total = optional_count(from, "total");
  out.resolves = optional_count(from, "resolves");
  out.open = optional_count(from, "open");
  for (auto& expected : from.children("exp")) out.expected.push_back(read_expected(expected));
  if (!out.total && !out.resolves && !out.open && out.expected.empty())
    from.problems().add(from.at(), "this notification_test expects nothing",
                        "Say how many pages there are (total), or which (exp); 'total: 0' means nobody is paged.");
  from.close();
  return out;
}

}  // namespace ward::collector
