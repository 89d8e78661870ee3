#include "collector/store/sqlite/journal_schema.hpp"

#include <array>
#include <string_view>

#include "common/sqlite/schema.hpp"

namespace ward::collector {
namespace {

// One entry per schema version, never edited once released. The first is also for files from before versions.
constexpr std::array<std::string_view, 5> kSteps{R"(
CREATE TABLE IF NOT EXISTS stream(
  id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, agent TEXT NOT NULL, incarnation BLOB NOT NULL, boot INTEGER NOT NULL,
  durable INTEGER NOT NULL, stored INTEGER NOT NULL, refused INTEGER NOT NULL, lost INTEGER NOT NULL,
  UNIQUE(tenant, agent, incarnation));
CREATE TABLE IF NOT EXISTS series(id INTEGER PRIMARY KEY, labels BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS journal(
  position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL, class INTEGER NOT NULL,
  t_min INTEGER NOT NULL, t_max INTEGER NOT NULL, digest INTEGER NOT NULL, payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS gap(
  stream INTEGER NOT NULL, from_seq INTEGER NOT NULL, to_seq INTEGER NOT NULL, samples INTEGER NOT NULL,
  reason INTEGER NOT NULL, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS event(
  id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL, t INTEGER NOT NULL, kind TEXT NOT NULL,
  attributes BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS event_by_time ON event(t);
CREATE TABLE IF NOT EXISTS chunk(
  id INTEGER PRIMARY KEY, series INTEGER NOT NULL, t_min INTEGER NOT NULL, t_max INTEGER NOT NULL, count INTEGER NOT NULL,
  data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS chunk_by_time ON chunk(t_max);
)",
                                                 R"(
ALTER TABLE series ADD COLUMN crc INTEGER NOT NULL DEFAULT -1;
ALTER TABLE journal ADD COLUMN crc INTEGER NOT NULL DEFAULT -1;
ALTER TABLE chunk ADD COLUMN crc INTEGER NOT NULL DEFAULT -1;
)",
                                                 R"(
CREATE TABLE chunk_batch(number INTEGER NOT NULL);
INSERT INTO chunk_batch VALUES(0);
)",
                                                 R"(
ALTER TABLE stream ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE stream ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;
)",
                                                 R"(
DROP TABLE chunk;
ALTER TABLE series ADD COLUMN day INTEGER;
CREATE TABLE identity(number INTEGER NOT NULL);
INSERT INTO identity VALUES((random() & 9223372036854775807) | 1);
CREATE TABLE highest(series INTEGER NOT NULL, crc INTEGER NOT NULL);
INSERT INTO highest SELECT coalesce(max(id), -1), -1 FROM series;
)"};

}  // namespace

Status migrate_journal_schema(sqlite::Database& db) {
  return sqlite::migrate(db, {.steps = kSteps,
                              .what = "the journal",
                              .when_newer = "move the journal aside: agents then send what they still hold"});
}

}  // namespace ward::collector
