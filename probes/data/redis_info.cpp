#include "probes/data/redis_info.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "common/base/parse.hpp"

namespace ward::probes::data {
namespace {

constexpr auto kCounter = MetricType::counter;
constexpr auto kGauge = MetricType::gauge;

/// A number field of INFO and the name redis_exporter gives it.
struct InfoField {
  std::string_view field;
  MetricMeta meta;
};

constexpr std::array kNumbers{
    InfoField{"uptime_in_seconds", {"redis_uptime_in_seconds", kGauge, "seconds", "Time since the start"}},
    InfoField{"connected_clients", {"redis_connected_clients", kGauge, "", "Clients, replicas not counted"}},
    InfoField{"maxclients", {"redis_config_maxclients", kGauge, "", "Most clients allowed"}},
    InfoField{"blocked_clients", {"redis_blocked_clients", kGauge, "", "Clients in a blocking call"}},
    InfoField{"used_memory", {"redis_memory_used_bytes", kGauge, "bytes", "Memory of the data set and its overhead"}},
    InfoField{"used_memory_rss", {"redis_memory_used_rss_bytes", kGauge, "bytes", "Resident memory"}},
    InfoField{"used_memory_peak", {"redis_memory_used_peak_bytes", kGauge, "bytes", "Highest memory since the start"}},
    InfoField{"maxmemory", {"redis_memory_max_bytes", kGauge, "bytes", "Limit; 0 means none"}},
    InfoField{"maxmemory", {"redis_config_maxmemory", kGauge, "bytes", "Limit; 0 means none"}},
    InfoField{"total_system_memory", {"redis_total_system_memory_bytes", kGauge, "bytes", "Memory of the machine"}},
    InfoField{"mem_fragmentation_ratio", {"redis_mem_fragmentation_ratio", kGauge, "", "Resident to used memory"}},
    InfoField{"mem_fragmentation_bytes", {"redis_mem_fragmentation_bytes", kGauge, "bytes", "Resident minus used memory"}},
    InfoField{"evicted_keys", {"redis_evicted_keys_total", kCounter, "", "Keys thrown out by maxmemory"}},
    InfoField{"expired_keys", {"redis_expired_keys_total", kCounter, "", "Keys that reached their end"}},
    InfoField{"keyspace_hits", {"redis_keyspace_hits_total", kCounter, "", "Lookups that found a key"}},
    InfoField{"keyspace_misses", {"redis_keyspace_misses_total", kCounter, "", "Lookups that found none"}},
    InfoField{"rejected_connections", {"redis_rejected_connections_total", kCounter, "", "Refused by maxclients"}},
    InfoField{"total_connections_received", {"redis_connections_received_total", kCounter, "", "Connections accepted"}},
    InfoField{"total_commands_processed", {"redis_commands_processed_total", kCounter, "", "Commands carried out"}},
    InfoField{"total_net_input_bytes", {"redis_net_input_bytes_total", kCounter, "bytes", "Received"}},
    InfoField{"total_net_output_bytes", {"redis_net_output_bytes_total", kCounter, "bytes", "Sent"}},
    InfoField{"sync_full", {"redis_replica_resyncs_full", kGauge, "", "Full resynchronisations; grows like a counter"}},
    InfoField{"sync_partial_ok", {"redis_replica_partial_resync_accepted", kGauge, "", "Partial resynchronisations"}},
    InfoField{"sync_partial_err", {"redis_replica_partial_resync_denied", kGauge, "", "Refused: the backlog is too small"}},
    InfoField{"loading", {"redis_loading_dump_file", kGauge, "", "1 while the data set is being loaded"}},
    InfoField{"rdb_last_save_time",
              {"redis_rdb_last_save_timestamp_seconds", kGauge, "unix seconds", "Last snapshot; the start when none"}},
    InfoField{"rdb_changes_since_last_save", {"redis_rdb_changes_since_last_save", kGauge, "", "Changes no snapshot has"}},
    InfoField{"rdb_bgsave_in_progress", {"redis_rdb_bgsave_in_progress", kGauge, "", "1 while a snapshot is written"}},
    InfoField{"aof_enabled", {"redis_aof_enabled", kGauge, "", "1 with an append-only file"}},
    InfoField{"aof_delayed_fsync", {"redis_aof_delayed_fsync", kGauge, "", "Times a write waited for fsync"}},
    InfoField{"connected_slaves", {"redis_connected_slaves", kGauge, "", "Replicas connected"}},
    InfoField{"master_repl_offset", {"redis_master_repl_offset", kGauge, "bytes", "Replication position"}},
    InfoField{"slave_repl_offset", {"redis_slave_repl_offset", kGauge, "bytes", "A replica's position"}},
    InfoField{"used_cpu_sys", {"redis_cpu_sys_seconds_total", kCounter, "seconds", "System time"}},
    InfoField{"used_cpu_user", {"redis_cpu_user_seconds_total", kCounter, "seconds", "User time"}},
};

constexpr std::array kStates{
    InfoField{"rdb_last_bgsave_status", {"redis_rdb_last_bgsave_status", kGauge, "", "1 when the last snapshot worked"}},
    InfoField{"aof_last_write_status", {"redis_aof_last_write_status", kGauge, "", "1 when the last write worked"}},
    InfoField{"aof_last_bgrewrite_status",
              {"redis_aof_last_bgrewrite_status", kGauge, "", "1 when the last rewrite worked"}},
};

constexpr std::array kOthers{
    MetricMeta{"redis_up", kGauge, "", "1 when the server answers, 0 when not; absent when it turned Ward away"},
    MetricMeta{"redis_exporter_last_scrape_error", kGauge, "", "1 when the last run failed; err is a fixed reason"},
    MetricMeta{"redis_instance_info", MetricType::info, "", "Version and role"},
    MetricMeta{"ward_redis_persistence_enabled", kGauge, "", "1 when data survives a restart, 0 when proven not to"},
    MetricMeta{"redis_connected_slave_offset_bytes", kGauge, "bytes", "What a replica has acknowledged"},
    MetricMeta{"redis_connected_slave_lag_seconds", kGauge, "seconds", "Time since a replica's last word"},
    MetricMeta{"redis_master_link_up", kGauge, "", "On a replica: 1 when connected to its primary"},
    MetricMeta{"redis_master_last_io_seconds_ago", kGauge, "seconds", "Time since the primary's last word"},
    MetricMeta{"redis_master_sync_in_progress", kGauge, "", "1 while a full copy is received"},
    MetricMeta{"redis_commands_total", kCounter, "", "Calls by command"},
    MetricMeta{"redis_commands_duration_seconds_total", kCounter, "seconds", "Time by command"},
    MetricMeta{"redis_commands_failed_calls_total", kCounter, "", "Calls that failed while they ran"},
    MetricMeta{"redis_commands_rejected_calls_total", kCounter, "", "Calls refused before they ran"},
    MetricMeta{"redis_latency_percentiles_usec", MetricType::summary, "microseconds", "Time by command and percentile"},
    MetricMeta{"redis_db_keys", kGauge, "", "Keys of a database that has any"},
    MetricMeta{"redis_db_keys_expiring", kGauge, "", "Keys with an end"},
    MetricMeta{"redis_slowlog_length", kGauge, "", "Entries in the slow log; they are never read"},
    MetricMeta{"redis_latency_spike_duration_seconds", kGauge, "seconds", "Length of the latest spike"},
    MetricMeta{"redis_latency_spike_last", kGauge, "unix seconds", "When it was, not how long"},
    MetricMeta{"ward_probe_part_missing", kGauge, "", "A part left out, and why"},
    MetricMeta{"ward_series_dropped_total", kCounter, "", "Series left out by a cap"},
    MetricMeta{"ward_label_values_redacted_total", kCounter, "", "Label values that could name a person or a secret"},
};

/// "keys=1,expires=0": the value of one name.
std::string_view inside(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    const auto item = text.substr(0, comma);
    const auto equals = item.find('=');
    if (equals != std::string_view::npos && item.substr(0, equals) == name) return item.substr(equals + 1);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return {};
}

void add_number(ReadingSet& out, std::string_view metric, const Labels& labels, std::string_view text, double factor = 1) {
  if (const auto value = to_double(text)) out.add(metric, labels, *value * factor);
}

std::string command_of(std::string_view field, std::string_view prefix) { return std::string(field.substr(prefix.size())); }

void read_commands(const RedisInfo& info, ReadingSet& out) {
  constexpr std::string_view kPrefix = "cmdstat_";
  for (const auto& [field, value] : info.starting(kPrefix)) {
    const Labels labels{{"cmd", command_of(field, kPrefix)}};
    add_number(out, "redis_commands_total", labels, inside(value, "calls"));
    add_number(out, "redis_commands_duration_seconds_total", labels, inside(value, "usec"), 1e-6);
    add_number(out, "redis_commands_failed_calls_total", labels, inside(value, "failed_calls"));
    add_number(out, "redis_commands_rejected_calls_total", labels, inside(value, "rejected_calls"));
  }
  constexpr std::string_view kLatency = "latency_percentiles_usec_";
  for (const auto& [field, value] : info.starting(kLatency)) {
    const auto command = command_of(field, kLatency);
    for (const std::string_view percentile : {"p50", "p99", "p99.9"})
      add_number(out, "redis_latency_percentiles_usec", {{"cmd", command}, {"quantile", std::string(percentile.substr(1))}},
                 inside(value, percentile));
    const auto stats = info.get("cmdstat_" + command);
    add_number(out, "redis_latency_percentiles_usec_sum", {{"cmd", command}}, inside(stats, "usec"));
    add_number(out, "redis_latency_percentiles_usec_count", {{"cmd", command}}, inside(stats, "calls"));
  }
}

void read_replicas(const RedisInfo& info, ReadingSet& out) {
  for (const auto& [field, value] : info.starting("slave")) {
    if (value.find("ip=") != 0) continue;  // slave0, slave1...; not slave_repl_offset
    const Labels labels{{"slave_ip", std::string(inside(value, "ip"))},
                        {"slave_port", std::string(inside(value, "port"))},
                        {"slave_state", std::string(inside(value, "state"))}};
    add_number(out, "redis_connected_slave_offset_bytes", labels, inside(value, "offset"));
    add_number(out, "redis_connected_slave_lag_seconds", labels, inside(value, "lag"));
  }
  if (info.get("role") != "slave") return;
  const Labels primary{{"master_host", std::string(info.get("master_host"))},
                       {"master_port", std::string(info.get("master_port"))}};
  out.add("redis_master_link_up", primary, info.get("master_link_status") == "up" ? 1 : 0);
  add_number(out, "redis_master_last_io_seconds_ago", primary, info.get("master_last_io_seconds_ago"));
  add_number(out, "redis_master_sync_in_progress", primary, info.get("master_sync_in_progress"));
}

void read_databases_of(const RedisInfo& info, ReadingSet& out) {
  for (const auto& [field, value] : info.starting("db")) {
    const auto keys = inside(value, "keys");
    if (keys.empty()) continue;
    const Labels labels{{"db", std::string(field)}};
    add_number(out, "redis_db_keys", labels, keys);
    add_number(out, "redis_db_keys_expiring", labels, inside(value, "expires"));
  }
}

}  // namespace

RedisInfo::RedisInfo(std::string_view text) {
  std::string_view line;
  while (next_line(text, line)) {
    line = trim(line);
    const auto colon = line.find(':');
    if (line.empty() || line.front() == '#' || colon == std::string_view::npos || colon == 0) continue;
    fields_.emplace_back(line.substr(0, colon), line.substr(colon + 1));
  }
}

std::string_view RedisInfo::get(std::string_view field) const {
  const auto found = std::ranges::find(fields_, field, &Field::first);
  return found == fields_.end() ? std::string_view{} : found->second;
}

std::optional<double> RedisInfo::number(std::string_view field) const {
  const auto value = to_double(get(field));
  return value ? std::optional<double>(*value) : std::nullopt;
}

std::vector<RedisInfo::Field> RedisInfo::starting(std::string_view prefix) const {
  std::vector<Field> found;
  std::ranges::copy_if(fields_, std::back_inserter(found), [&](const Field& f) { return f.first.starts_with(prefix); });
  return found;
}

void read_redis_info(const RedisInfo& info, ReadingSet& out) {
  out.add("redis_instance_info",
          {{"role", std::string(info.get("role"))},
           {"redis_version", std::string(info.get("redis_version"))},
           {"redis_mode", std::string(info.get("redis_mode"))},
           {"maxmemory_policy", std::string(info.get("maxmemory_policy"))},
           {"os", std::string(info.get("os"))},
           {"run_id", std::string(info.get("run_id"))},
           {"tcp_port", std::string(info.get("tcp_port"))}},
          1);
  for (const auto& [field, meta] : kNumbers) add_number(out, meta.name, {}, info.get(field));
  for (const auto& [field, meta] : kStates)
    if (const auto state = info.get(field); !state.empty()) out.add(meta.name, {}, state == "ok" ? 1 : 0);
  read_replicas(info, out);
  read_commands(info, out);
  read_databases_of(info, out);
}

void read_redis_latency(const RedisReply& latest, ReadingSet& out) {
  for (const auto& event : latest.items) {
    if (event.items.size() < 3 || event.items[0].kind != RedisReply::Kind::text) continue;
    const Labels labels{{"event_name", event.items[0].text}};
    out.add("redis_latency_spike_last", labels, static_cast<double>(event.items[1].integer));
    out.add("redis_latency_spike_duration_seconds", labels, static_cast<double>(event.items[2].integer) / 1000);
  }
}

std::optional<bool> persistence_proven(const RedisInfo& info, Time now, milliseconds max_age) {
  if (info.number("aof_enabled").value_or(0) > 0 || info.number("rdb_bgsave_in_progress").value_or(0) > 0) return true;
  const auto changes = info.number("rdb_changes_since_last_save");
  const auto saved = info.number("rdb_last_save_time");
  if (!changes || !saved) return std::nullopt;
  const double age = to_seconds(now) - *saved;
  if (*changes > 0 && age > std::chrono::duration<double>(max_age).count()) return false;
  const bool saved_since_start =
      info.number("rdb_saves").value_or(0) > 0 || info.number("rdb_last_bgsave_time_sec").value_or(-1) >= 0;
  return saved_since_start ? std::optional<bool>(true) : std::nullopt;
}

std::span<const MetricMeta> redis_metrics() {
  static const std::vector<MetricMeta> metas = [] {
    std::vector<MetricMeta> all(kOthers.begin(), kOthers.end());
    for (const auto& number : kNumbers) all.push_back(number.meta);
    for (const auto& state : kStates) all.push_back(state.meta);
    return all;
  }();
  return metas;
}

}  // namespace ward::probes::data
