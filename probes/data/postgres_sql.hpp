#pragma once
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probes/data/postgres_views.hpp"

namespace ward::probes::data {

/// One key of the core batch and the scalar jsonb expression behind it. No expression ever names pg_stat_activity.query,
/// a user's table or a size function that waits for table locks.
struct Part {
  std::string_view key;
  std::string sql;
};

/// What one connection must know first: version, role, columns, extension.
std::string identity_sql();
/// Everything cheap, chosen by what the server has. `sticky_tables` are relation oids that stay in the table part.
std::vector<Part> core_parts(const ServerFacts& facts, std::span<const std::uint32_t> sticky_tables,
                             std::set<std::string>& missing);
/// One statement with one text value: the jsonb object of all parts.
std::string batch_sql(std::span<const Part> parts);

std::string wal_sql();
std::string database_sizes_sql();
/// Numbers per query id through pg_stat_statements(false), which never fetches a text.
std::string statements_sql(const ServerFacts& facts);
/// Age of the newest row. `table` is "schema.name", checked by the configuration.
std::string heartbeat_sql(std::string_view table);
std::string heartbeat_write_sql(std::string_view table);

}  // namespace ward::probes::data
