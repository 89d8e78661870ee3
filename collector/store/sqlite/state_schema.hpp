#pragma once
#include <cstdint>

#include "common/base/result.hpp"
#include "common/sqlite/database.hpp"

namespace ward::collector {

/// Brings an empty or older state file to this release's schema (PRAGMA user_version), one transaction a step.
/// Errc::denied when the file is newer than this release.
Status migrate_state_schema(sqlite::Database& db);
std::int64_t newest_state_schema();

}  // namespace ward::collector
