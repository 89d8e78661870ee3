#include "collector/store/sqlite/ledger_schema.hpp"

#include <array>
#include <string_view>

#include "common/sqlite/schema.hpp"

namespace ward::collector {
namespace {

// One entry per schema version, never edited once released.
constexpr std::array<std::string_view, 1> kSteps{R"sql(
  CREATE TABLE ledger (
    id INTEGER PRIMARY KEY, identity TEXT NOT NULL,
    labels TEXT NOT NULL,                    -- of the group, a JSON object
    UNIQUE (identity, labels));
  CREATE TABLE ledger_block (
    ledger INTEGER NOT NULL, number INTEGER NOT NULL,   -- minutes since the epoch / 180
    data BLOB NOT NULL,                      -- collector/slo/block_code.hpp
    PRIMARY KEY (ledger, number)) WITHOUT ROWID;
  CREATE TABLE seeded (identity TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE alert (position INTEGER PRIMARY KEY, slo TEXT NOT NULL, data TEXT NOT NULL);
  CREATE TABLE progress (id INTEGER PRIMARY KEY CHECK (id = 1), counted_through INTEGER NOT NULL);  -- ms since the epoch
)sql"};

}  // namespace

Status migrate_ledger_schema(sqlite::Database& db) {
  return sqlite::migrate(db, {.steps = kSteps,
                              .what = "the SLO file",
                              .when_newer = "delete it: what it counted is counted anew from the stored samples"});
}

}  // namespace ward::collector
