#include "probes/data/postgres_metrics.hpp"

#include <array>
#include <set>
#include <vector>

#include "probes/data/postgres_views.hpp"

namespace ward::probes::data {
namespace {

constexpr auto kCounter = MetricType::counter;
constexpr auto kGauge = MetricType::gauge;
constexpr auto kInfo = MetricType::info;

constexpr std::array kComputed{
    MetricMeta{"pg_up", kGauge, "", "1 when the server answers, 0 when it does not; absent when it turned Ward away"},
    MetricMeta{"pg_exporter_last_scrape_error", kGauge, "", "1 when anything of the last run failed"},
    MetricMeta{"pg_scrape_collector_success", kGauge, "", "1 when this question was answered"},
    MetricMeta{"pg_scrape_collector_duration_seconds", kGauge, "seconds", "How long this question took"},
    MetricMeta{"pg_static", kInfo, "", "Version of the server"},
    MetricMeta{"pg_postmaster_start_time_seconds", kGauge, "unix seconds", "When the server started"},
    MetricMeta{"ward_pg_settings_pending_restart", kGauge, "", "Settings that wait for a restart"},
    MetricMeta{"pg_stat_activity_count", kGauge, "", "Sessions by what they do"},
    MetricMeta{"pg_stat_activity_max_tx_duration", kGauge, "seconds", "Age of the oldest transaction of such sessions"},
    MetricMeta{"pg_locks_count", kGauge, "", "Locks held or awaited, by mode in lower case"},
    MetricMeta{"ward_pg_blocked_sessions", kGauge, "", "Sessions that wait for a lock"},
    MetricMeta{"ward_pg_blocked_max_seconds", kGauge, "seconds", "Longest such wait"},
    MetricMeta{"ward_pg_root_blockers", kGauge, "", "Sessions that block others and wait for nobody, by program"},
    MetricMeta{"ward_pg_oldest_xmin_age_xids", kGauge, "transactions", "How far back a holder keeps vacuum from cleaning"},
    MetricMeta{"ward_pg_prepared_xacts", kGauge, "", "Prepared transactions"},
    MetricMeta{"ward_pg_prepared_xacts_oldest_seconds", kGauge, "seconds", "Age of the oldest prepared transaction"},
    MetricMeta{"pg_stat_database_checksum_failures", kCounter, "", "Alias of ward_pg_checksum_failures_total"},
    MetricMeta{"pg_database_wraparound_age_datfrozenxid_seconds", kGauge, "transactions",
               "Transactions, in spite of the name"},
    MetricMeta{"pg_database_wraparound_age_datminmxid_seconds", kGauge, "multixacts", "Multixacts, in spite of the name"},
    MetricMeta{"pg_database_size_bytes", kGauge, "bytes", "Size of a database, every ten minutes"},
    MetricMeta{"ward_pg_invalid_indexes", kGauge, "", "Indexes of the connected database that no query uses"},
    MetricMeta{"ward_pg_archive_ready_files", kGauge, "", "WAL segments that wait to be archived"},
    MetricMeta{"pg_wal_segments", kGauge, "", "Segments in pg_wal"},
    MetricMeta{"pg_wal_size_bytes", kGauge, "bytes", "Size of the segments in pg_wal"},
    MetricMeta{"pg_replication_is_replica", kGauge, "", "1 on a standby"},
    MetricMeta{"pg_replication_lag_seconds", kGauge, "seconds", "Replay lag; 0 also when the receiver is dead"},
    MetricMeta{"pg_replication_lag", kGauge, "seconds", "Alias of pg_replication_lag_seconds"},
    MetricMeta{"pg_replication_last_replay_seconds", kGauge, "seconds", "Age of the last replayed transaction"},
    MetricMeta{"pg_stat_replication_pg_current_wal_lsn_bytes", kGauge, "bytes", "WAL position of this server"},
    MetricMeta{"pg_stat_replication_pg_wal_lsn_diff", kGauge, "bytes", "WAL a standby has not replayed"},
    MetricMeta{"ward_pg_replication_write_lag_seconds", kGauge, "seconds", "Time until a standby wrote WAL"},
    MetricMeta{"ward_pg_replication_flush_lag_seconds", kGauge, "seconds", "Time until a standby flushed WAL"},
    MetricMeta{"ward_pg_replication_replay_lag_seconds", kGauge, "seconds", "Time until a standby replayed WAL"},
    MetricMeta{"ward_pg_replication_connected", kGauge, "", "1 when an expected standby streams"},
    MetricMeta{"pg_replication_slots_active", kGauge, "", "1 when somebody uses the slot"},
    MetricMeta{"pg_replication_slots_pg_wal_lsn_diff", kGauge, "bytes", "WAL the slot holds back"},
    MetricMeta{"pg_replication_slots_slot_is_active", kGauge, "", "1 when somebody uses the slot"},
    MetricMeta{"pg_replication_slots_safe_wal_size_bytes", kGauge, "bytes", "WAL until the slot is lost"},
    MetricMeta{"pg_replication_slots_wal_status", kGauge, "", "1 for the status the slot's WAL has"},
    MetricMeta{"pg_replication_slots_slot_current_wal_lsn", kGauge, "bytes", "WAL position of this server"},
    MetricMeta{"pg_replication_slots_slot_confirmed_flush_lsn", kGauge, "bytes", "What a logical slot's consumer confirmed"},
    MetricMeta{"ward_pg_wal_receiver_up", kGauge, "", "On a standby: 1 when its receiver streams"},
    MetricMeta{"pg_stat_wal_receiver_upstream_node", kGauge, "", "Node number in a repmgr slot's name"},
    MetricMeta{"ward_pg_heartbeat_lag_seconds", kGauge, "seconds", "Age of the row the primary's heartbeat wrote"},
    MetricMeta{"ward_pg_heartbeat_written", kGauge, "", "1 when Ward wrote the heartbeat row"},
    MetricMeta{"pg_stat_statements_calls_total", kCounter, "", "Statements run, summed over query ids"},
    MetricMeta{"pg_stat_statements_seconds_total", kCounter, "seconds", "Time spent in statements"},
    MetricMeta{"pg_stat_statements_rows_total", kCounter, "", "Rows returned or changed"},
    MetricMeta{"pg_stat_statements_block_read_seconds_total", kCounter, "seconds", "Time spent reading blocks"},
    MetricMeta{"pg_stat_statements_block_write_seconds_total", kCounter, "seconds", "Time spent writing blocks"},
    MetricMeta{"ward_pg_query_seconds", MetricType::histogram, "seconds", "Mean times per query id and minute, by calls"},
    MetricMeta{"ward_pg_statements_dealloc_total", kCounter, "", "Times pg_stat_statements evicted entries"},
    MetricMeta{"ward_probe_missing_column", kGauge, "", "A column this version of the server should have"},
    MetricMeta{"ward_probe_part_missing", kGauge, "", "A part left out, and why"},
    MetricMeta{"ward_probe_throttled", kGauge, "", "1 while Ward asks less often because answers cost too much"},
    MetricMeta{"ward_series_dropped_total", kCounter, "", "Series left out by a cap"},
    MetricMeta{"ward_label_values_redacted_total", kCounter, "", "Label values that could name a person or a secret"},
};

std::vector<MetricMeta> all() {
  std::vector<MetricMeta> metas(kComputed.begin(), kComputed.end());
  std::set<std::string_view> known;
  for (const auto* view :
       {&database_view(), &tables_view(), &archiver_view(), &bgwriter_view(), &checkpointer_view(), &receiver_view()})
    for (const auto& column : view->columns)
      if (known.insert(column.metric).second) metas.push_back({column.metric, column.type, column.unit, column.column});
  for (const auto& setting : settings()) metas.push_back({setting.metric, kGauge, setting.unit, setting.name});
  return metas;
}

}  // namespace

std::span<const MetricMeta> postgres_metrics() {
  static const std::vector<MetricMeta> metas = all();
  return metas;
}

}  // namespace ward::probes::data
