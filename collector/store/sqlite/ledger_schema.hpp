#pragma once
#include "common/sqlite/database.hpp"

namespace ward::collector {

/// The tables of slo.db; docs/format/store.md.
Status migrate_ledger_schema(sqlite::Database& db);

}  // namespace ward::collector
