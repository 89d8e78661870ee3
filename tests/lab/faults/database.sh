# Faults of the data layer: PostgreSQL. break_ID causes, heal_ID ends; both may be called twice.
# shellcheck shell=bash

billing_psql() { # billing_psql APPLICATION PORT_NAME ARG...: a session of the application's own role
  env PGPASSWORD="$(secret pg-billing)" PGAPPNAME="$1" PGCONNECT_TIMEOUT=5 "$PG_BIN/psql" -X -q -h 127.0.0.1 \
    -p "$(port_of "$2")" -U billing -d postgres "${@:3}"
}
billing_bench() { # billing_bench APPLICATION ARG...
  env PGPASSWORD="$(secret pg-billing)" PGAPPNAME="$1" PGCONNECT_TIMEOUT=5 "$PG_BIN/pgbench" -n -h 127.0.0.1 \
    -p "$(port_of pg-primary)" -U billing "${@:2}" postgres
}
# A function of this file as a background process with a name; every one ends by itself after a few minutes.
start_part() { # start_part NAME FUNCTION ARG...
  running "$1" || start "$1" timeout 600 bash -c \
    '. tools/dev/common.sh; . tools/dev/postgres.sh; . tools/dev/redis.sh
     . tests/lab/faults/database.sh; . tests/lab/faults/correlation.sh; "$@"' fault "${@:2}"
}

# About 2 MB of WAL a second: enough to see lag, little enough for any disk.
write_load() {
  printf 'UPDATE invoice SET amount = amount + 1;\n' >"$STATE/write-load.sql"
  billing_bench load -c 2 -T 540 -R 10 -f "$STATE/write-load.sql"
}

break_DB1() { pg_stop primary immediate; }
heal_DB1() { running pg-primary || pg_start primary; }

break_DB2() {
  psql_admin standby 'SELECT pg_wal_replay_pause()' >/dev/null
  start_part pg-load write_load
}
heal_DB2() {
  stop pg-load 5
  wait_for 20 replay_runs || die "the standby does not replay again" "See $(pg_home)/standby.log."
}
# The statement that resumes can be the first that the resumed replay cancels: what counts is the state afterwards.
replay_runs() {
  psql_admin standby 'SELECT pg_wal_replay_resume()' >/dev/null 2>&1 || true
  [ "$(psql_admin standby 'SELECT pg_get_wal_replay_pause_state()' 2>/dev/null)" = 'not paused' ]
}

# The receiver is gone, so the standby replays all it has: its own lag reads 0 while the primary runs away.
break_DB3() {
  point_standby_at 1
  start_part pg-load write_load
}
heal_DB3() {
  stop pg-load 5
  point_standby_at "$(port_of pg-primary)"
}
point_standby_at() {
  psql_admin standby "ALTER SYSTEM SET primary_conninfo = '$(replica_conninfo "$1")'" >/dev/null
  psql_admin standby 'SELECT pg_reload_conf()' >/dev/null
}

# 36 idle sessions beside the lab's own three or four: 85 % of the 47 that max_connections = 50 leaves to applications.
idle_sessions() {
  printf '\\sleep 600 s\n' >"$STATE/idle.sql"
  billing_bench odoo -c 36 -T 540 -f "$STATE/idle.sql"
}
break_DB4() { start_part pg-idle idle_sessions; }
heal_DB4() { stop pg-idle 5; }

# One session holds a row's lock inside an open transaction; three others wait for it.
hold_lock() {
  { printf 'BEGIN;\nUPDATE invoice SET amount = 0 WHERE id = 1;\n'; sleep 540; } | billing_psql billing-import pg-primary
}
wait_for_lock() {
  printf 'UPDATE invoice SET amount = 1 WHERE id = 1;\n' >"$STATE/blocked.sql"
  billing_bench odoo -c 3 -T 540 -f "$STATE/blocked.sql"
}
lock_is_held() {
  [ "$(psql_admin primary "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'billing-import' AND state = 'idle in transaction'")" = 1 ]
}
break_DB5() {
  start_part pg-holder hold_lock
  wait_for 10 lock_is_held || die "the session that should hold a lock did not get it" "See $(relative "$STATE/log/pg-holder.log")."
  start_part pg-waiters wait_for_lock
}
heal_DB5() {
  stop pg-holder 3
  stop pg-waiters 3
}
