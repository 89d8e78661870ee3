#pragma once
#include <string_view>

#include "common/sqlite/database.hpp"

namespace ward::collector {

/// Runs one prepared statement once per item.
template <class Items, class Bind>
Status for_each(sqlite::Database& db, std::string_view sql, const Items& items, Bind bind) {
  if (items.empty()) return {};
  auto statement = db.prepare(sql);
  if (!statement) return fail(statement.error());
  for (const auto& item : items) {
    bind(*statement, item);
    if (auto done = statement->run(); !done) return done;
  }
  return {};
}

/// Calls `take` per row; it may fail.
template <class Take>
Status each_row(sqlite::Statement& statement, Take take) {
  for (;;) {
    const auto more = statement.step();
    if (!more) return fail(more.error());
    if (!*more) return {};
    if (Status taken = take(statement); !taken) return taken;
  }
}

}  // namespace ward::collector
