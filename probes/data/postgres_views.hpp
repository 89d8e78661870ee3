#pragma once
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/sample.hpp"

namespace ward::probes::data {

inline constexpr int kAnyVersion = std::numeric_limits<int>::max();

/// One number column of a statistics view and the metric it becomes. Versions are server_version_num / 10000.
struct ViewColumn {
  std::string_view column;
  std::string_view metric;
  MetricType type = MetricType::counter;
  std::string_view unit;
  std::string_view expression;  ///< SQL when the column is not a plain number
  int since = 0;
  int until = kAnyVersion;
};

/// A view read column by column, so that a column that went away never loses the others.
struct View {
  std::string_view name;
  std::span<const ViewColumn> columns;
};

const View& database_view();      ///< pg_stat_database, per datname
const View& tables_view();        ///< pg_stat_user_tables, top members
const View& archiver_view();      ///< pg_stat_archiver
const View& bgwriter_view();      ///< pg_stat_bgwriter
const View& checkpointer_view();  ///< pg_stat_checkpointer (17+)
const View& receiver_view();      ///< pg_stat_wal_receiver

/// A setting of the allow list: `unit` is "bytes" or "seconds" when the server gives it in multiples of those.
struct Setting {
  std::string_view name;
  std::string_view metric;
  std::string_view unit;
};
std::span<const Setting> settings();

/// What one connection learned about its server.
struct ServerFacts {
  int version = 0;  ///< server_version_num / 10000
  std::string short_version;
  std::string full_version;
  bool superuser = false;
  std::map<std::string, std::set<std::string>, std::less<>> columns;  ///< per view
  std::string statements_schema;                                      ///< quoted; empty without pg_stat_statements
  [[nodiscard]] bool has(std::string_view view, std::string_view column) const;
};

/// The columns of `view` this server has. What its version should have and does not goes to `missing` as "view.column".
std::vector<const ViewColumn*> present_columns(const View& view, const ServerFacts& facts, std::set<std::string>& missing);

}  // namespace ward::probes::data
