#include "probes/data/postgres_views.hpp"

#include <array>

namespace ward::probes::data {
namespace {

constexpr auto kCounter = MetricType::counter;
constexpr auto kGauge = MetricType::gauge;

constexpr std::array kDatabase{
    ViewColumn{"numbackends", "pg_stat_database_numbackends", kGauge, "", ""},
    ViewColumn{"xact_commit", "pg_stat_database_xact_commit", kCounter, "", ""},
    ViewColumn{"xact_rollback", "pg_stat_database_xact_rollback", kCounter, "", ""},
    ViewColumn{"blks_read", "pg_stat_database_blks_read", kCounter, "", ""},
    ViewColumn{"blks_hit", "pg_stat_database_blks_hit", kCounter, "", ""},
    ViewColumn{"tup_returned", "pg_stat_database_tup_returned", kCounter, "", ""},
    ViewColumn{"tup_fetched", "pg_stat_database_tup_fetched", kCounter, "", ""},
    ViewColumn{"tup_inserted", "pg_stat_database_tup_inserted", kCounter, "", ""},
    ViewColumn{"tup_updated", "pg_stat_database_tup_updated", kCounter, "", ""},
    ViewColumn{"tup_deleted", "pg_stat_database_tup_deleted", kCounter, "", ""},
    ViewColumn{"conflicts", "pg_stat_database_conflicts", kCounter, "", ""},
    ViewColumn{"temp_files", "pg_stat_database_temp_files", kCounter, "", ""},
    ViewColumn{"temp_bytes", "pg_stat_database_temp_bytes", kCounter, "bytes", ""},
    ViewColumn{"deadlocks", "pg_stat_database_deadlocks", kCounter, "", ""},
    ViewColumn{"checksum_failures", "ward_pg_checksum_failures_total", kCounter, "", "", 12},
};

constexpr std::array kTables{
    ViewColumn{"seq_scan", "pg_stat_user_tables_seq_scan", kCounter, "", ""},
    ViewColumn{"idx_scan", "pg_stat_user_tables_idx_scan", kCounter, "", ""},
    ViewColumn{"n_tup_ins", "pg_stat_user_tables_n_tup_ins", kCounter, "", ""},
    ViewColumn{"n_tup_upd", "pg_stat_user_tables_n_tup_upd", kCounter, "", ""},
    ViewColumn{"n_tup_del", "pg_stat_user_tables_n_tup_del", kCounter, "", ""},
    ViewColumn{"n_tup_hot_upd", "pg_stat_user_tables_n_tup_hot_upd", kCounter, "", ""},
    ViewColumn{"n_live_tup", "pg_stat_user_tables_n_live_tup", kGauge, "", ""},
    ViewColumn{"n_dead_tup", "pg_stat_user_tables_n_dead_tup", kGauge, "", ""},
    ViewColumn{"n_mod_since_analyze", "pg_stat_user_tables_n_mod_since_analyze", kGauge, "", ""},
    ViewColumn{"last_autovacuum", "pg_stat_user_tables_last_autovacuum", kGauge, "unix seconds",
               "coalesce(extract(epoch FROM last_autovacuum), 0)"},
    ViewColumn{"last_autoanalyze", "pg_stat_user_tables_last_autoanalyze", kGauge, "unix seconds",
               "coalesce(extract(epoch FROM last_autoanalyze), 0)"},
};

constexpr std::array kArchiver{
    ViewColumn{"archived_count", "pg_stat_archiver_archived_count", kCounter, "", ""},
    ViewColumn{"failed_count", "pg_stat_archiver_failed_count", kCounter, "", ""},
    ViewColumn{"last_archived_time", "pg_stat_archiver_last_archive_age", kGauge, "seconds",
               "extract(epoch FROM now() - last_archived_time)"},
};

constexpr std::array kBgwriter{
    ViewColumn{"checkpoints_timed", "pg_stat_bgwriter_checkpoints_timed_total", kCounter, "", "", 0, 16},
    ViewColumn{"checkpoints_req", "pg_stat_bgwriter_checkpoints_req_total", kCounter, "", "", 0, 16},
    ViewColumn{"checkpoint_write_time", "pg_stat_bgwriter_checkpoint_write_time_total", kCounter, "ms", "", 0, 16},
    ViewColumn{"checkpoint_sync_time", "pg_stat_bgwriter_checkpoint_sync_time_total", kCounter, "ms", "", 0, 16},
    ViewColumn{"buffers_checkpoint", "pg_stat_bgwriter_buffers_checkpoint_total", kCounter, "", "", 0, 16},
    ViewColumn{"buffers_clean", "pg_stat_bgwriter_buffers_clean_total", kCounter, "", ""},
    ViewColumn{"maxwritten_clean", "pg_stat_bgwriter_maxwritten_clean_total", kCounter, "", ""},
    ViewColumn{"buffers_backend", "pg_stat_bgwriter_buffers_backend_total", kCounter, "", "", 0, 16},
    ViewColumn{"buffers_backend_fsync", "pg_stat_bgwriter_buffers_backend_fsync_total", kCounter, "", "", 0, 16},
    ViewColumn{"buffers_alloc", "pg_stat_bgwriter_buffers_alloc_total", kCounter, "", ""},
};

constexpr std::array kCheckpointer{
    ViewColumn{"num_timed", "pg_stat_checkpointer_num_timed_total", kCounter, "", "", 17},
    ViewColumn{"num_requested", "pg_stat_checkpointer_num_requested_total", kCounter, "", "", 17},
    ViewColumn{"restartpoints_timed", "pg_stat_checkpointer_restartpoints_timed_total", kCounter, "", "", 17},
    ViewColumn{"restartpoints_req", "pg_stat_checkpointer_restartpoints_req_total", kCounter, "", "", 17},
    ViewColumn{"restartpoints_done", "pg_stat_checkpointer_restartpoints_done_total", kCounter, "", "", 17},
    ViewColumn{"write_time", "pg_stat_checkpointer_write_time_total", kCounter, "ms", "", 17},
    ViewColumn{"sync_time", "pg_stat_checkpointer_sync_time_total", kCounter, "ms", "", 17},
    ViewColumn{"buffers_written", "pg_stat_checkpointer_buffers_written_total", kCounter, "", "", 17},
};

constexpr std::array kReceiver{
    ViewColumn{"receive_start_lsn", "pg_stat_wal_receiver_receive_start_lsn", kCounter, "bytes",
               "receive_start_lsn - '0/0'::pg_lsn"},
    ViewColumn{"receive_start_tli", "pg_stat_wal_receiver_receive_start_tli", kGauge, "", ""},
    ViewColumn{"flushed_lsn", "pg_stat_wal_receiver_flushed_lsn", kCounter, "bytes", "flushed_lsn - '0/0'::pg_lsn", 13},
    ViewColumn{"received_lsn", "pg_stat_wal_receiver_flushed_lsn", kCounter, "bytes", "received_lsn - '0/0'::pg_lsn", 0, 12},
    ViewColumn{"received_tli", "pg_stat_wal_receiver_received_tli", kGauge, "", ""},
    ViewColumn{"last_msg_send_time", "pg_stat_wal_receiver_last_msg_send_time", kGauge, "unix seconds",
               "extract(epoch FROM last_msg_send_time)"},
    ViewColumn{"last_msg_receipt_time", "pg_stat_wal_receiver_last_msg_receipt_time", kGauge, "unix seconds",
               "extract(epoch FROM last_msg_receipt_time)"},
    ViewColumn{"latest_end_lsn", "pg_stat_wal_receiver_latest_end_lsn", kCounter, "bytes", "latest_end_lsn - '0/0'::pg_lsn"},
    ViewColumn{"latest_end_time", "pg_stat_wal_receiver_latest_end_time", kGauge, "unix seconds",
               "extract(epoch FROM latest_end_time)"},
};

constexpr std::array kSettings{
    Setting{"max_connections", "pg_settings_max_connections", ""},
    Setting{"superuser_reserved_connections", "pg_settings_superuser_reserved_connections", ""},
    Setting{"max_locks_per_transaction", "pg_settings_max_locks_per_transaction", ""},
    Setting{"max_prepared_transactions", "pg_settings_max_prepared_transactions", ""},
    Setting{"max_worker_processes", "pg_settings_max_worker_processes", ""},
    Setting{"max_wal_senders", "pg_settings_max_wal_senders", ""},
    Setting{"max_replication_slots", "pg_settings_max_replication_slots", ""},
    Setting{"max_slot_wal_keep_size", "pg_settings_max_slot_wal_keep_size_bytes", "bytes"},
    Setting{"wal_keep_size", "pg_settings_wal_keep_size_bytes", "bytes"},
    Setting{"max_wal_size", "pg_settings_max_wal_size_bytes", "bytes"},
    Setting{"min_wal_size", "pg_settings_min_wal_size_bytes", "bytes"},
    Setting{"wal_buffers", "pg_settings_wal_buffers_bytes", "bytes"},
    Setting{"shared_buffers", "pg_settings_shared_buffers_bytes", "bytes"},
    Setting{"effective_cache_size", "pg_settings_effective_cache_size_bytes", "bytes"},
    Setting{"work_mem", "pg_settings_work_mem_bytes", "bytes"},
    Setting{"maintenance_work_mem", "pg_settings_maintenance_work_mem_bytes", "bytes"},
    Setting{"checkpoint_timeout", "pg_settings_checkpoint_timeout_seconds", "seconds"},
    Setting{"checkpoint_completion_target", "pg_settings_checkpoint_completion_target", ""},
    Setting{"archive_timeout", "pg_settings_archive_timeout_seconds", "seconds"},
    Setting{"max_standby_streaming_delay", "pg_settings_max_standby_streaming_delay_seconds", "seconds"},
    Setting{"autovacuum", "pg_settings_autovacuum", ""},
    Setting{"autovacuum_max_workers", "pg_settings_autovacuum_max_workers", ""},
    Setting{"autovacuum_freeze_max_age", "pg_settings_autovacuum_freeze_max_age", ""},
    Setting{"autovacuum_multixact_freeze_max_age", "pg_settings_autovacuum_multixact_freeze_max_age", ""},
    Setting{"autovacuum_vacuum_scale_factor", "pg_settings_autovacuum_vacuum_scale_factor", ""},
    Setting{"hot_standby_feedback", "pg_settings_hot_standby_feedback", ""},
    Setting{"fsync", "pg_settings_fsync", ""},
    Setting{"full_page_writes", "pg_settings_full_page_writes", ""},
    Setting{"data_checksums", "pg_settings_data_checksums", ""},
    Setting{"track_io_timing", "pg_settings_track_io_timing", ""},
};

constexpr View kDatabaseView{"pg_stat_database", kDatabase};
constexpr View kTablesView{"pg_stat_user_tables", kTables};
constexpr View kArchiverView{"pg_stat_archiver", kArchiver};
constexpr View kBgwriterView{"pg_stat_bgwriter", kBgwriter};
constexpr View kCheckpointerView{"pg_stat_checkpointer", kCheckpointer};
constexpr View kReceiverView{"pg_stat_wal_receiver", kReceiver};

}  // namespace

const View& database_view() { return kDatabaseView; }
const View& tables_view() { return kTablesView; }
const View& archiver_view() { return kArchiverView; }
const View& bgwriter_view() { return kBgwriterView; }
const View& checkpointer_view() { return kCheckpointerView; }
const View& receiver_view() { return kReceiverView; }
std::span<const Setting> settings() { return kSettings; }

bool ServerFacts::has(std::string_view view, std::string_view column) const {
  const auto found = columns.find(view);
  return found != columns.end() && found->second.contains(std::string(column));
}

std::vector<const ViewColumn*> present_columns(const View& view, const ServerFacts& facts, std::set<std::string>& missing) {
  std::vector<const ViewColumn*> present;
  for (const auto& column : view.columns) {
    if (facts.version < column.since || facts.version > column.until) continue;
    if (facts.has(view.name, column.column))
      present.push_back(&column);
    else
      missing.insert(std::string(view.name) + "." + std::string(column.column));
  }
  return present;
}

}  // namespace ward::probes::data
