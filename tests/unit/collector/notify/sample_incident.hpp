#pragma once
#include <string>

#include "collector/event/incident.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::test {

inline Time clock_at(const std::string& hms) { return parse_time("2026-11-22T" + hms + ".000Z").value(); }

inline AlertEvent sample_alert(std::string name, std::string service, const std::string& since, Labels extra = {}) {
  AlertEvent a;
  a.labels = std::move(extra);
  a.labels.set("alertname", name);
  a.labels.set("service", service);
  if (!a.labels.has("tenant")) a.labels.set("tenant", "clinic-a");
  a.phase = AlertPhase::firing;
  a.active_at = a.fired_at = clock_at(since);
  a.generator = "pack.yaml: group \"pg\", rule \"" + name + "\"";
  return a;
}

/// The primary is down, and what stands on it complains.
inline Notice sample_notice(NoticeKind kind = NoticeKind::fire) {
  Incident i;
  i.id = "01M9Z4QGK2M4NB";
  i.cls = AlertClass::urgent;
  i.owner = "database";
  i.root_service = "pg-main";
  i.root_alert = "PgPrimaryDown";
  i.scope = Labels{{"tenant", "clinic-a"}};
  i.opened_at = clock_at("10:42:45");
  auto root = sample_alert("PgPrimaryDown", "pg-main", "10:42:07", {{"node", "node-3"}, {"instance", "pg-main-0"}});
  root.annotations = Labels{{"summary", "PostgreSQL primary pg-main is down"},
                            {"description", "The server refuses connections."},
                            {"impact", "Fast burn 31x, budget left 62%"},
                            {"runbook_url", "runbooks/pg.md#failover"},
                            {"decision_tree", "pg-down"}};
  i.alerts.push_back(root);
  i.alerts.push_back(sample_alert("OdooWorkersBusy", "odoo", "10:42:20", {{"instance", "odoo-0"}}));
  i.alerts.push_back(sample_alert("OdooWorkersBusy", "odoo", "10:42:21", {{"instance", "odoo-1"}}));
  i.alerts.push_back(sample_alert("BillingBroken", "web", "10:42:30", {{"workflow", "billing"}, {"tenant", "clinic-b"}}));
  return {.kind = kind, .incident = i};
}

}  // namespace ward::collector::test
