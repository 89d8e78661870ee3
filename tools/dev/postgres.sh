# The lab's PostgreSQL 15: a primary and a streaming standby on free loopback ports.
# shellcheck shell=bash

readonly PG_BIN=/usr/lib/postgresql/15/bin

# PostgreSQL refuses to run as root, and its user may not be able to enter a clone below /root: then the data lie in a
# directory of its own, named in .ward/pg-home and deleted by `down`.
pg_home() { cat "$STATE/pg-home"; }
as_pg() {
  if [ "$(id -u)" -eq 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}
pg_dir() { printf '%s/%s\n' "$(pg_home)" "$1"; }  # pg_dir primary|standby
pg_pid() { head -n 1 "$(pg_dir "$1")/postmaster.pid" 2>/dev/null; }

# The administrator's door is the socket, in a directory only PostgreSQL's user can enter; over TCP everybody needs a password.
psql_admin() { # psql_admin primary|standby SQL
  as_pg env PGCONNECT_TIMEOUT=5 "$PG_BIN/psql" -X -q -At -v ON_ERROR_STOP=1 -h "$(pg_home)" -p "$(port_of "pg-$1")" -U postgres -d postgres -c "$2"
}

pg_start() { # pg_start primary|standby
  local dir
  dir=$(pg_dir "$1")
  as_pg "$PG_BIN/pg_ctl" -s -w -t 30 -D "$dir" -l "$(pg_home)/$1.log" start >/dev/null 2>&1 9>&- ||
    pg_fail "$1" "PostgreSQL $1 did not start"
  remember "pg-$1" "$(pg_pid "$1")"
}
pg_fail() {
  as_pg tail -n 15 "$(pg_home)/$1.log" 2>/dev/null | sed 's/^/    | /' >&2
  die "$2; its log is $(pg_home)/$1.log" "Mend what the log names, then run ./dev down and ./dev up again."
}
pg_stop() { # pg_stop primary|standby MODE
  ! running "pg-$1" || as_pg "$PG_BIN/pg_ctl" -s -w -t 30 -D "$(pg_dir "$1")" -m "$2" stop >/dev/null 2>&1 || true
}

pg_create() {
  local home
  home=$(mktemp -d "${WARD_LAB_DIR:-/var/tmp}/ward-pg.XXXXXX")
  printf '%s\n' "$home" >"$STATE/pg-home"
  [ "$(id -u)" -ne 0 ] || chown postgres "$home"
  chmod 700 "$home"
  free_port pg-primary
  free_port pg-standby
  as_pg "$PG_BIN/initdb" -D "$home/primary" -E UTF8 --locale=C.UTF-8 -U postgres --auth-local=trust --auth-host=scram-sha-256
  # Data are disposable and small: no fsync, little memory. max_connections is small so that DB4 needs few sessions.
  as_pg tee -a "$home/primary/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
port = $(port_of pg-primary)
unix_socket_directories = '$home'
wal_level = replica
hot_standby = on
max_wal_senders = 5
max_replication_slots = 5
max_slot_wal_keep_size = 512MB
max_connections = 50
shared_buffers = 32MB
shared_preload_libraries = 'pg_stat_statements'
fsync = off
autovacuum_naptime = 10s
log_line_prefix = '%m [%p] %a '
CONF
  pg_start primary
}

# The role is what facts ask of a monitored database: pg_monitor, limits, read only; nothing else. The heartbeat's writer is
# a second role with rights on one table; the agent writes with it, one row, each run.
pg_roles() {
  local sql
  sql="
    CREATE ROLE ward LOGIN CONNECTION LIMIT 3 PASSWORD '$(secret pg-ward)';
    GRANT pg_monitor TO ward;
    ALTER ROLE ward SET statement_timeout = '3s';
    ALTER ROLE ward SET lock_timeout = '100ms';
    ALTER ROLE ward SET idle_in_transaction_session_timeout = '5s';
    ALTER ROLE ward SET default_transaction_read_only = on;
    CREATE ROLE ward_replica LOGIN REPLICATION PASSWORD '$(secret pg-replica)';
    CREATE ROLE ward_heartbeat LOGIN CONNECTION LIMIT 1 PASSWORD '$(secret pg-heartbeat)';
    CREATE TABLE ward_heartbeat (id int PRIMARY KEY CHECK (id = 1), at timestamptz NOT NULL);
    GRANT SELECT ON ward_heartbeat TO ward;
    GRANT SELECT, INSERT, UPDATE ON ward_heartbeat TO ward_heartbeat;
    CREATE EXTENSION pg_stat_statements;
    CREATE ROLE billing LOGIN PASSWORD '$(secret pg-billing)';
    CREATE TABLE invoice (id int PRIMARY KEY, amount int NOT NULL);
    INSERT INTO invoice SELECT n, n FROM generate_series(1, 1000) n;
    GRANT ALL ON invoice TO billing;
    CREATE TABLE price_list (id int PRIMARY KEY, amount int NOT NULL);
    INSERT INTO price_list SELECT n, n FROM generate_series(1, 1000) n;
    GRANT ALL ON price_list TO billing;
    -- A read of the simulated data volume: it takes as many ms as the file says.
    CREATE FUNCTION read_volume() RETURNS void LANGUAGE sql SECURITY DEFINER
      AS \$\$ SELECT pg_sleep(coalesce(nullif(pg_read_file('$(pg_home)/volume-latency'), '')::float8, 0) / 1000) \$\$;
    SELECT pg_create_physical_replication_slot('standby1');"
  volume_latency 1
  psql_admin primary "$sql"
}
volume_latency() { printf '%s' "$1" | as_pg tee "$(pg_home)/volume-latency" >/dev/null; } # volume_latency MS

replica_conninfo() { # replica_conninfo PORT
  printf "host=127.0.0.1 port=%s user=ward_replica password=%s application_name=standby1" "$1" "$(secret pg-replica)"
}
pg_create_standby() {
  local home
  home=$(pg_home)
  as_pg env PGPASSWORD="$(secret pg-replica)" "$PG_BIN/pg_basebackup" -D "$home/standby" -X stream -c fast -R -S standby1 \
    -d "$(replica_conninfo "$(port_of pg-primary)")"
  as_pg tee -a "$home/standby/postgresql.conf" <<CONF
port = $(port_of pg-standby)
wal_retrieve_retry_interval = 1s
CONF
  pg_start standby
  wait_for 30 pg_streams
}
pg_streams() { [ "$(psql_admin primary "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'" 2>/dev/null)" = 1 ]; }

pg_up() {
  need run
  run_step "PostgreSQL primary on 127.0.0.1" "$STATE/log/pg-create.log" pg_create
  run_step "PostgreSQL roles and tables" "$STATE/log/pg-roles.log" pg_roles
  run_step "PostgreSQL standby streams" "$STATE/log/pg-standby.log" pg_create_standby
}
pg_down() {
  [ -f "$STATE/pg-home" ] || return 0
  pg_stop standby immediate
  pg_stop primary immediate
  rm -rf -- "$(pg_home)"
  rm -f "$STATE/run/pg-primary.pid" "$STATE/run/pg-standby.pid" "$STATE/pg-home"
}
