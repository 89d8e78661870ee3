#pragma once
#include "common/base/result.hpp"
#include "common/sqlite/database.hpp"

namespace ward::collector {

/// Brings an empty or older journal to this release's schema (PRAGMA user_version), one transaction a step. Errc::denied
/// when the file is newer than this release.
Status migrate_journal_schema(sqlite::Database& db);

}  // namespace ward::collector
