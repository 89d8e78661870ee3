#pragma once
#include <gmock/gmock.h>
#include <string>
#include <vector>

#include "collector/review/story.hpp"

namespace ward::collector::review {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

inline constexpr Time kNow = from_ms(1'795'344'120'000);  // 2026-11-22T10:42:00Z

inline AlertEvent alert(const std::string& name, const std::string& service, Time since,
                        AlertPhase phase = AlertPhase::firing) {
  AlertEvent a;
  a.labels = Labels{{"alertname", name}, {"service", service}, {"class", "urgent"}, {"tenant", "clinic-a"}};
  a.annotations = Labels{{"summary", name + " says so"}};
  a.phase = phase;
  a.active_at = since;
  if (phase != AlertPhase::pending) a.fired_at = since;
  return a;
}

/// Open since ten minutes, with the primary as its cause and the application as a symptom.
inline IncidentEvidence open_incident() {
  IncidentEvidence out;
  auto& i = out.file.incident;
  i.id = "1V8AB2Q9XKZ4T7";
  i.cls = AlertClass::urgent;
  i.owner = "database";
  i.root_service = "pg-main";
  i.root_alert = "PostgresDown";
  i.scope = Labels{{"tenant", "clinic-a"}};
  i.opened_at = kNow - minutes(10);
  i.alerts = {alert("PostgresDown", "pg-main", kNow - minutes(10)), alert("OdooErrors", "odoo", kNow - minutes(9))};
  out.file.decisions = {{i.opened_at, i.id, alert_id(i.alerts[0]), "opened", "nothing it depends on is failing or about to"},
                        {i.opened_at + minutes(1), i.id, alert_id(i.alerts[1]), "attached", "odoo depends on pg-main"}};
  return out;
}

inline DeliveryRow delivery(NoticeKind kind, const std::string& receiver, DeliveryState state, Time at) {
  DeliveryRow row;
  row.delivery = {
      .key = receiver, .incident = "1V8AB2Q9XKZ4T7", .kind = kind, .receiver = receiver, .body = "", .created_at = at};
  row.state = state;
  row.attempts = 1;
  row.updated_at = at + seconds(1);
  return row;
}

/// Titles and lines, for looking into.
inline std::string text_of(const Story& story) {
  auto out = story.headline + "\n";
  for (const auto& section : story.sections) {
    out += "# " + section.title + "\n";
    for (const auto& line : section.lines) out += line.text + "\n";
  }
  return out;
}

}  // namespace ward::collector::review
