#pragma once
#include <optional>
#include <string>
#include <vector>

#include "common/config/node.hpp"
#include "probes/data/postgres_failure.hpp"

namespace ward::probes::data {

inline constexpr milliseconds kPostgresInterval{10'000};

/// The keys of a postgres target in agent.yaml.
struct PostgresOptions {
  PostgresTarget target;
  milliseconds interval = kPostgresInterval;  ///< the schedule's; for the cost brake only
  bool allow_superuser = false;
  std::vector<std::string> expected_standbys;
  std::string heartbeat_table;  ///< "schema.name"; empty without a heartbeat
  std::string heartbeat_user;   ///< empty: the heartbeat is only read
  Secret heartbeat_password;
  bool statements = true;
  bool wal_size = true;
  bool database_sizes = true;
  milliseconds lock_event_after{1000};
};

/// Adds problems for wrong values; nullopt when the target cannot work with what was given.
std::optional<PostgresOptions> read_postgres_options(config::Section& target);
/// "name" becomes "public.name"; nullopt for anything but plain lower-case SQL names, since it becomes part of a statement.
std::optional<std::string> qualified_table(std::string_view name);

}  // namespace ward::probes::data
