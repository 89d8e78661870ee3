#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "common/base/parse.hpp"
#include "probes/data/label_guard.hpp"
#include "probes/data/postgres_json.hpp"
#include "probes/data/postgres_readers.hpp"

namespace ward::probes::data {
namespace {

using Twice = ReadingSet::Twice;

constexpr std::size_t kMostDatabases = 100;
constexpr std::size_t kMostTables = 40;
constexpr std::size_t kTopTables = 20;
constexpr std::chrono::hours kSticky{1};

void read_columns(const Json& row, const View& view, const Labels& labels, ReadingSet& out, Twice twice = Twice::drop) {
  for (const auto& column : view.columns)
    if (const auto value = number_at(row, column.column)) out.add(column.metric, labels, *value, twice);
}

/// pg_settings.unit: "8kB", "kB", "MB", "ms", "s", "min"; 1 when there is none.
double unit_factor(std::string_view unit) {
  struct Unit {
    std::string_view name;
    double factor;
  };
  constexpr std::array<Unit, 10> kUnits{{{"ms", 0.001},
                                         {"us", 0.000001},
                                         {"s", 1},
                                         {"min", 60},
                                         {"h", 3600},
                                         {"d", 86400},
                                         {"B", 1},
                                         {"kB", 1024},
                                         {"MB", 1048576},
                                         {"GB", 1073741824}}};
  double times = 1;
  const auto digits = unit.find_first_not_of("0123456789");
  if (digits != 0 && digits != std::string_view::npos) {
    times = to_double(unit.substr(0, digits)).value_or(1);
    unit.remove_prefix(digits);
  }
  for (const auto& [name, factor] : kUnits)
    if (name == unit) return times * factor;
  return 1;
}

std::optional<double> setting_value(std::string_view text, std::string_view unit) {
  if (text == "on") return 1;
  if (text == "off") return 0;
  const auto value = to_double(text);
  if (!value) return std::nullopt;
  // -1 means "off" or "automatic" whatever the unit.
  return *value > 0 ? *value * unit_factor(unit) : *value;
}

std::string text_or_empty(const Json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }

}  // namespace

void read_server(const Json& batch, const ServerFacts& facts, ReadingSet& out) {
  const auto& server = member(batch, "server");
  out.add("pg_static", {{"version", facts.full_version}, {"short_version", facts.short_version}}, 1);
  if (const auto start = number_at(server, "start")) out.add("pg_postmaster_start_time_seconds", {}, *start);
  if (const auto pending = number_at(server, "pending")) out.add("ward_pg_settings_pending_restart", {}, *pending);
  if (const auto& prepared = member(batch, "prepared"); prepared.is_object()) {
    out.add("ward_pg_prepared_xacts", {}, number_at(prepared, "n").value_or(0));
    out.add("ward_pg_prepared_xacts_oldest_seconds", {}, number_at(prepared, "s").value_or(0));
  }
}

void read_settings(const Json& answer, ReadingSet& out) {
  for (const auto& setting : settings()) {
    const auto& pair = member(answer, setting.name);
    if (!pair.is_array() || pair.size() != 2) continue;
    if (const auto value = setting_value(text_or_empty(pair[0]), text_or_empty(pair[1])))
      out.add(setting.metric, {}, *value);
  }
}

std::vector<std::string> database_names(const Json& databases) {
  std::vector<std::string> names;
  for (const auto& row : databases) {
    if (names.size() == kMostDatabases) break;
    names.push_back(text_at(row, "datname"));
  }
  return names;
}

void read_databases(const Json& databases, ReadingSet& out) {
  std::size_t count = 0;
  for (const auto& row : databases) {
    const bool beyond = ++count > kMostDatabases;
    if (beyond) out.count_drop("row_cap");
    const auto datname = beyond ? std::string(kOther) : text_at(row, "datname");
    const auto datid = beyond ? 0 : static_cast<std::int64_t>(number_at(row, "datid").value_or(0));
    const Labels labels{{"datname", datname}, {"datid", beyond ? std::string(kOther) : std::to_string(datid)}};
    for (const auto& column : database_view().columns) {
      const auto value = number_at(row, column.column);
      if (!value) continue;
      if (column.column == "checksum_failures") {
        out.add(column.metric, {{"datname", datname}}, *value, Twice::sum);
        out.add("pg_stat_database_checksum_failures", labels, *value, Twice::sum);
      } else {
        out.add(column.metric, labels, *value, beyond ? Twice::sum : Twice::drop);
      }
    }
  }
}

void read_wraparound(const Json& wraparound, ReadingSet& out) {
  std::size_t count = 0;
  for (const auto& row : wraparound) {
    // The oldest come first; the rest shares one name and keeps its worst age.
    const Labels labels{{"datname", ++count > kMostDatabases ? std::string(kOther) : text_at(row, "datname")}};
    if (const auto age = number_at(row, "xid"))
      out.add("pg_database_wraparound_age_datfrozenxid_seconds", labels, *age, Twice::max);
    if (const auto age = number_at(row, "mxid"))
      out.add("pg_database_wraparound_age_datminmxid_seconds", labels, *age, Twice::max);
  }
}

void read_xmin(const Json& oldest_xmin, ReadingSet& out) {
  if (!oldest_xmin.is_object()) return;
  for (const std::string_view holder : {"backend", "slot", "prepared", "standby"})
    out.add("ward_pg_oldest_xmin_age_xids", {{"holder", std::string(holder)}}, number_at(oldest_xmin, holder).value_or(0));
}

void read_archiver(const Json& batch, ReadingSet& out) {
  read_columns(member(batch, "archiver"), archiver_view(), {}, out);
  if (const auto ready = number_at(batch, "ready")) out.add("ward_pg_archive_ready_files", {}, *ready);
}

void read_checkpoints(const Json& batch, ReadingSet& out) {
  read_columns(member(batch, "bgwriter"), bgwriter_view(), {}, out);
  const auto& checkpointer = member(batch, "checkpointer");
  read_columns(checkpointer, checkpointer_view(), {}, out);
  struct Old {
    std::string_view column;
    std::string_view metric;
  };
  constexpr std::array<Old, 5> kOldNames{{{"num_timed", "pg_stat_bgwriter_checkpoints_timed_total"},
                                          {"num_requested", "pg_stat_bgwriter_checkpoints_req_total"},
                                          {"write_time", "pg_stat_bgwriter_checkpoint_write_time_total"},
                                          {"sync_time", "pg_stat_bgwriter_checkpoint_sync_time_total"},
                                          {"buffers_written", "pg_stat_bgwriter_buffers_checkpoint_total"}}};
  for (const auto& [column, metric] : kOldNames)
    if (const auto value = number_at(checkpointer, column)) out.add(metric, {}, *value);
}

void read_wal(const Json& wal, ReadingSet& out) {
  if (const auto segments = number_at(wal, "segments")) out.add("pg_wal_segments", {}, *segments);
  if (const auto bytes = number_at(wal, "bytes")) out.add("pg_wal_size_bytes", {}, *bytes);
}

void read_database_sizes(const Json& answer, ReadingSet& out) {
  std::size_t count = 0;
  for (const auto& [datname, size] : member(answer, "sizes").items()) {
    if (!size.is_number()) continue;
    const auto label = ++count > kMostDatabases ? std::string(kOther) : datname;
    out.add("pg_database_size_bytes", {{"datname", label}}, size.get<double>(), Twice::sum);
  }
  if (const auto invalid = number_at(answer, "invalid_indexes")) out.add("ward_pg_invalid_indexes", {}, *invalid);
}

void TopTables::read(const Json& tables, MonoTime now, ReadingSet& out) {
  std::size_t rank = 0;
  std::map<std::uint32_t, MonoTime> members;
  for (const auto& row : tables) {  // most dead rows first
    const auto oid = static_cast<std::uint32_t>(number_at(row, "oid").value_or(0));
    const auto known = members_.find(oid);
    const bool top = ++rank <= kTopTables;
    if (!top && (known == members_.end() || now - known->second > kSticky)) continue;
    if (members.size() >= kMostTables) {
      out.count_drop("row_cap");
      continue;
    }
    members[oid] = top ? now : known->second;
    const Labels labels{{"datname", text_at(row, "datname")},
                        {"schemaname", text_at(row, "schemaname")},
                        {"relname", text_at(row, "relname")}};
    read_columns(row, tables_view(), labels, out);
  }
  members_ = std::move(members);
}

std::vector<std::uint32_t> TopTables::members() const {
  std::vector<std::uint32_t> oids;
  for (const auto& [oid, seen] : members_) oids.push_back(oid);
  return oids;
}

}  // namespace ward::probes::data
