#include "collector/store/sqlite/state_schema.hpp"

#include <array>
#include <string_view>

#include "common/sqlite/schema.hpp"

namespace ward::collector {
namespace {

// One entry per schema version, never edited once released. Times are ms since the epoch, UTC.
constexpr std::array<std::string_view, 2> kSteps{R"sql(
  CREATE TABLE alert_state (
    rule_group TEXT NOT NULL, rule TEXT NOT NULL, instance TEXT NOT NULL,
    data BLOB NOT NULL,                      -- opaque, alerting's own
    PRIMARY KEY (rule_group, rule, instance)) WITHOUT ROWID;
  CREATE TABLE incident (
    id TEXT PRIMARY KEY, is_open INTEGER NOT NULL, opened_at INTEGER NOT NULL, resolved_at INTEGER NOT NULL,
    data TEXT NOT NULL) WITHOUT ROWID;       -- collector/event/json.hpp
  CREATE INDEX incident_by_time ON incident (is_open, resolved_at);
  CREATE INDEX incident_by_opening ON incident (opened_at);
  CREATE TABLE watched (position INTEGER PRIMARY KEY, data TEXT NOT NULL);
  CREATE TABLE notified (
    incident TEXT NOT NULL, receiver TEXT NOT NULL, PRIMARY KEY (incident, receiver)) WITHOUT ROWID;
  CREATE TABLE decision (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, incident TEXT NOT NULL, alert TEXT NOT NULL,
    what TEXT NOT NULL, why TEXT NOT NULL);
  CREATE INDEX decision_by_time ON decision (at);
  CREATE INDEX decision_by_incident ON decision (incident);
  CREATE INDEX decision_by_alert ON decision (alert);
  CREATE TABLE delivery (
    seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, incident TEXT NOT NULL, kind TEXT NOT NULL, receiver TEXT NOT NULL,
    body TEXT NOT NULL, created_at INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, error TEXT NOT NULL,
    instead_of TEXT NOT NULL, updated_at INTEGER NOT NULL);
  CREATE INDEX delivery_by_incident ON delivery (incident);
  CREATE INDEX delivery_pending ON delivery (seq) WHERE state = 'pending';
)sql",
                                                 R"sql(
  ALTER TABLE delivery ADD COLUMN remembered TEXT NOT NULL DEFAULT '';
  CREATE TABLE escalation (incident TEXT PRIMARY KEY, data TEXT NOT NULL) WITHOUT ROWID;  -- collector/event/routing_json.hpp
  CREATE TABLE silence (id TEXT PRIMARY KEY, data TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE audit (                       -- never changed: each hash covers the one before (collector/event/audit.hpp)
    number INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
    detail TEXT NOT NULL, hash TEXT NOT NULL);
)sql"};

}  // namespace

std::int64_t newest_state_schema() { return static_cast<std::int64_t>(kSteps.size()); }

Status migrate_state_schema(sqlite::Database& db) {
  return sqlite::migrate(
      db, {.steps = kSteps, .what = "the state file", .when_newer = "restore the state file from before the upgrade"});
}

}  // namespace ward::collector
