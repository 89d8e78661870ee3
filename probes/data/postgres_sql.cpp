#include "probes/data/postgres_sql.hpp"

namespace ward::probes::data {
namespace {

constexpr int kTopTables = 20;

/// "SELECT jsonb_agg(x) FROM (<select>) x" as an expression.
std::string rows(const std::string& select) { return "(SELECT jsonb_agg(x) FROM (" + select + ") x)"; }
std::string row(const std::string& select) { return "(SELECT to_jsonb(x) FROM (" + select + ") x)"; }

std::string select_list(const View& view, const ServerFacts& facts, std::set<std::string>& missing) {
  std::string list;
  for (const auto* column : present_columns(view, facts, missing)) {
    if (!list.empty()) list += ", ";
    if (!column->expression.empty()) list += std::string(column->expression) + " AS ";
    list += column->column;
  }
  return list.empty() ? "NULL AS nothing" : list;
}

constexpr std::string_view kServer =
    "jsonb_build_object('rec', pg_is_in_recovery(), 'start', extract(epoch FROM pg_postmaster_start_time()),"
    " 'pending', (SELECT count(*) FROM pg_settings WHERE pending_restart))";

std::string settings_part() {
  std::string names;
  for (const auto& setting : settings()) names += (names.empty() ? "'" : ", '") + std::string(setting.name) + "'";
  return "(SELECT jsonb_object_agg(name, jsonb_build_array(setting, unit)) FROM pg_settings WHERE name IN (" + names + "))";
}

constexpr std::string_view kActivity =
    "SELECT datname, state, usename, application_name AS app, backend_type, wait_event_type, wait_event, count(*) AS n,"
    " coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0) AS tx FROM pg_stat_activity"
    " WHERE datname IS NOT NULL AND pid <> pg_backend_pid() GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY n DESC LIMIT 600";

constexpr std::string_view kLocks =
    "SELECT d.datname, lower(l.mode) AS mode, count(*) AS n FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
    " WHERE l.pid IS DISTINCT FROM pg_backend_pid() GROUP BY 1, 2";

/// pg_blocking_pids takes the lock manager's locks: only for waiting sessions, and only for the 100 that wait longest.
std::string blocked_part(const ServerFacts& facts) {
  const std::string since = facts.has("pg_locks", "waitstart")
                                ? "coalesce((SELECT min(l.waitstart) FROM pg_locks l WHERE l.pid = a.pid AND NOT l.granted),"
                                  " a.state_change, a.query_start)"
                                : "coalesce(a.state_change, a.query_start)";
  return "(WITH w AS MATERIALIZED (SELECT a.pid, a.datname, a.application_name AS app,"
         " extract(epoch FROM clock_timestamp() - " +
         since +
         ") AS s"
         " FROM pg_stat_activity a WHERE a.wait_event_type = 'Lock'),"
         " e AS MATERIALIZED (SELECT w.pid, pg_blocking_pids(w.pid) AS by FROM w ORDER BY w.s DESC NULLS LAST LIMIT 100)"
         " SELECT jsonb_build_object('waiting', (SELECT jsonb_agg(w) FROM w LIMIT 1000),"
         " 'edges', (SELECT jsonb_agg(e) FROM e), 'blockers', (SELECT jsonb_agg(x) FROM (SELECT b.pid, b.datname,"
         " b.application_name AS app, b.backend_type, b.state, extract(epoch FROM clock_timestamp() - b.xact_start) AS tx"
         " FROM pg_stat_activity b WHERE b.pid IN (SELECT unnest(e.by) FROM e)) x)))";
}

constexpr std::string_view kOldestXmin =
    "jsonb_build_object("
    "'backend', (SELECT max(greatest(age(backend_xmin), age(backend_xid))) FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND backend_type <> 'walsender'), "
    "'slot', (SELECT max(greatest(age(xmin), age(catalog_xmin))) FROM pg_replication_slots), "
    "'prepared', (SELECT max(age(transaction)) FROM pg_prepared_xacts), "
    "'standby', (SELECT max(age(backend_xmin)) FROM pg_stat_replication))";

constexpr std::string_view kPrepared =
    "SELECT count(*) AS n, coalesce(max(extract(epoch FROM clock_timestamp() - prepared)), 0) AS s FROM pg_prepared_xacts";

constexpr std::string_view kWraparound =
    "SELECT datname, age(datfrozenxid) AS xid, mxid_age(datminmxid) AS mxid FROM pg_database ORDER BY 2 DESC LIMIT 101";

constexpr std::string_view kReady = "(SELECT to_jsonb(count(*)) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready')";

/// pg_current_wal_lsn() fails on a standby; CASE leaves it alone there.
constexpr std::string_view kHere =
    "(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)";

std::string replication_part() {
  const std::string here{kHere};
  return rows(
      "SELECT r.application_name AS app, host(r.client_addr) AS client_addr, r.state, r.sync_state, s.slot_name,"
      " " +
      here + " - '0/0'::pg_lsn AS lsn, pg_wal_lsn_diff(" + here +
      ", r.replay_lsn) AS diff,"
      " extract(epoch FROM r.write_lag) AS write_lag, extract(epoch FROM r.flush_lag) AS flush_lag,"
      " extract(epoch FROM r.replay_lag) AS replay_lag FROM pg_stat_replication r"
      " LEFT JOIN pg_replication_slots s ON s.active_pid = r.pid LIMIT 100");
}

std::string slots_part(const ServerFacts& facts) {
  const std::string here{kHere};
  std::string extra;
  for (const std::string_view column : {"safe_wal_size", "wal_status"})
    if (facts.has("pg_replication_slots", column)) extra += ", " + std::string(column);
  return rows("SELECT slot_name, slot_type, database, active, pg_wal_lsn_diff(" + here +
              ", restart_lsn) AS diff,"
              " " +
              here + " - '0/0'::pg_lsn AS lsn, confirmed_flush_lsn - '0/0'::pg_lsn AS confirmed" + extra +
              " FROM pg_replication_slots LIMIT 100");
}

std::string receiver_part(const ServerFacts& facts, std::set<std::string>& missing) {
  const std::string host = facts.has("pg_stat_wal_receiver", "sender_host") ? ", sender_host" : "";
  return row("SELECT status, slot_name, substring(slot_name FROM 'repmgr_slot_([0-9]*)') AS upstream_node" + host + ", " +
             select_list(receiver_view(), facts, missing) + " FROM pg_stat_wal_receiver LIMIT 1");
}

constexpr std::string_view kLag =
    "jsonb_build_object('lag', CASE WHEN NOT pg_is_in_recovery() THEN 0"
    " WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0"
    " ELSE greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp())) END,"
    " 'replay', greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp())))";

/// The members are chosen on pg_class alone, so that the view computes only their rows.
std::string tables_part(const ServerFacts& facts, std::span<const std::uint32_t> sticky, std::set<std::string>& missing) {
  std::string members;
  for (const auto oid : sticky) members += (members.empty() ? "" : ", ") + std::to_string(oid);
  const std::string top =
      "SELECT t.oid FROM (SELECT c.oid FROM pg_class c WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'"
      " AND c.relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema',"
      " 'pg_toast')) ORDER BY pg_stat_get_dead_tuples(c.oid) DESC, c.oid LIMIT " +
      std::to_string(kTopTables) + ") t" + " UNION SELECT unnest(ARRAY[" + members + "]::oid[])";
  return rows("SELECT current_database() AS datname, relid::bigint AS oid, schemaname, relname, " +
              select_list(tables_view(), facts, missing) + " FROM pg_stat_user_tables WHERE relid = ANY (ARRAY(" + top +
              ")) ORDER BY n_dead_tup DESC");
}

}  // namespace

std::string identity_sql() {
  return "SELECT jsonb_build_object('num', current_setting('server_version_num')::int,"
         " 'short', current_setting('server_version'), 'full', version(),"
         " 'super', coalesce((SELECT rolsuper FROM pg_roles WHERE rolname = current_user), false),"
         " 'statements', (SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
         " WHERE e.extname = 'pg_stat_statements'),"
         " 'columns', (SELECT jsonb_object_agg(relname, names) FROM (SELECT c.relname, jsonb_agg(a.attname) AS names"
         " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
         " WHERE c.relname IN ('pg_locks', 'pg_stat_database', 'pg_stat_user_tables', 'pg_stat_archiver',"
         " 'pg_stat_bgwriter', 'pg_stat_checkpointer', 'pg_stat_wal_receiver', 'pg_replication_slots',"
         " 'pg_stat_statements', 'pg_stat_statements_info') AND c.relnamespace IN (SELECT oid FROM pg_namespace"
         " WHERE nspname = 'pg_catalog' UNION SELECT extnamespace FROM pg_extension"
         " WHERE extname = 'pg_stat_statements') GROUP BY 1) v))::text";
}

std::vector<Part> core_parts(const ServerFacts& facts, std::span<const std::uint32_t> sticky_tables,
                             std::set<std::string>& missing) {
  std::vector<Part> parts{
      {"server", std::string(kServer)},
      {"settings", settings_part()},
      {"activity", rows(std::string(kActivity))},
      {"databases", rows("SELECT datid::bigint AS datid, datname, " + select_list(database_view(), facts, missing) +
                         " FROM pg_stat_database WHERE datname IS NOT NULL ORDER BY numbackends DESC, datid LIMIT 1000")},
      {"locks", rows(std::string(kLocks))},
      {"blocked", blocked_part(facts)},
      {"oldest_xmin", std::string(kOldestXmin)},
      {"prepared", row(std::string(kPrepared))},
      {"wraparound", rows(std::string(kWraparound))},
      {"archiver", row("SELECT " + select_list(archiver_view(), facts, missing) + " FROM pg_stat_archiver")},
      {"ready", std::string(kReady)},
      {"bgwriter", row("SELECT " + select_list(bgwriter_view(), facts, missing) + " FROM pg_stat_bgwriter")},
      {"replication", replication_part()},
      {"slots", slots_part(facts)},
      {"receiver", receiver_part(facts, missing)},
      {"lag", std::string(kLag)},
      {"tables", tables_part(facts, sticky_tables, missing)},
  };
  if (facts.version >= 17)
    parts.push_back(
        {"checkpointer", row("SELECT " + select_list(checkpointer_view(), facts, missing) + " FROM pg_stat_checkpointer")});
  return parts;
}

std::string batch_sql(std::span<const Part> parts) {
  std::string list;
  for (const auto& part : parts) {
    if (!list.empty()) list += ", ";
    list += "'" + std::string(part.key) + "', " + part.sql;
  }
  return "SELECT jsonb_build_object(" + list + ")::text";
}

std::string wal_sql() {
  return "SELECT jsonb_build_object('segments', count(*), 'bytes', coalesce(sum(size), 0))::text FROM pg_ls_waldir()"
         " WHERE name ~ '^[0-9A-F]{24}$'";
}

std::string database_sizes_sql() {
  return "SELECT jsonb_build_object('sizes', (SELECT jsonb_object_agg(datname, size) FROM (SELECT datname,"
         " pg_database_size(oid) AS size FROM pg_database WHERE datallowconn ORDER BY oid LIMIT 101) d),"
         " 'invalid_indexes', (SELECT count(*) FROM pg_index WHERE NOT indisvalid))::text";
}

std::string statements_sql(const ServerFacts& facts) {
  const auto first_of = [&](std::initializer_list<std::string_view> names) {
    for (const auto name : names)
      if (facts.has("pg_stat_statements", name)) return "sum(s." + std::string(name) + ")";
    return std::string("0");
  };
  const auto& schema = facts.statements_schema;
  const std::string time = first_of({"total_exec_time", "total_time"});
  const std::string dealloc = facts.has("pg_stat_statements_info", "dealloc")
                                  ? "(SELECT dealloc FROM " + schema + ".pg_stat_statements_info)"
                                  : "NULL";
  return "SELECT jsonb_build_object('dealloc', " + dealloc +
         ", 'rows', (SELECT jsonb_agg(jsonb_build_array(datname, rolname, id, calls, ms, rows, read_ms, write_ms)) FROM"
         " (SELECT d.datname, r.rolname, s.queryid::text AS id, sum(s.calls) AS calls, " +
         time +
         " AS ms,"
         " sum(s.rows) AS rows, " +
         first_of({"shared_blk_read_time", "blk_read_time"}) + " AS read_ms, " +
         first_of({"shared_blk_write_time", "blk_write_time"}) + " AS write_ms FROM " + schema +
         ".pg_stat_statements(false) s JOIN pg_database d ON d.oid = s.dbid JOIN pg_roles r ON r.oid = s.userid"
         " WHERE s.queryid IS NOT NULL GROUP BY 1, 2, 3 ORDER BY calls DESC LIMIT 5000) x))::text";
}

std::string heartbeat_sql(std::string_view table) {
  return "SELECT (extract(epoch FROM clock_timestamp() - max(at)))::text FROM " + std::string(table);
}

std::string heartbeat_write_sql(std::string_view table) {
  return "INSERT INTO " + std::string(table) +
         " (id, at) VALUES (1, clock_timestamp()) ON CONFLICT (id) DO UPDATE SET at = excluded.at";
}

}  // namespace ward::probes::data
