#!/usr/bin/env bash
# A disposable Odoo 19: a Debian trixie chroot (Python 3.13, PostgreSQL 17) with the package odoo-19 from sid. Odoo 19 does not
# run on sid's Python 3.14, so only that one package (it is pure Python) comes from sid. The host gets nothing installed.
#
# usage: odoo19.sh DIR COMMAND
#   up      build what is missing (3 GB, several minutes the first time), start PostgreSQL and Odoo with two workers
#   test    health, an API call with the key, the worker processes; exit 0 when all hold
#   status  what runs; exit 3 when something is down
#   kill    kill Odoo's master with SIGKILL, as the OOM killer does; PostgreSQL and the ports stay
#   start   start Odoo again after kill
#   down    stop both, unmount
#   remove  down, then delete DIR
# Ports are free loopback ports of each start, in DIR/.ward/ports. DIR/api-key (mode 0600) holds the key of the user `ward` and nothing
# else; DIR/url the base URL. Lab only: Odoo's own admin/admin stays as it is.
# Needs root (chroot, mount), debootstrap, a Debian mirror (DEBIAN_MIRROR, else the one of this machine's apt).
set -euo pipefail
umask 022
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
DIR=$(realpath -m "${1:?usage: odoo19.sh DIR up|test|status|kill|start|down|remove}")
readonly DIR ROOT=$DIR/root DATABASE=ward19 LAB=/opt/ward-lab
readonly MODULES=base,web,account,stock,purchase,sale,calendar,mail,ward_lab
# The state of this lab lies in DIR, not in .ward: it outlives ./dev down. common.sh takes its folders from WARD_ROOT.
export WARD_ROOT=$DIR
# shellcheck source=tools/dev/common.sh
. "$here/../../tools/dev/common.sh"
readonly LOGS=$DIR/log

# --- in the chroot --------------------------------------------------------------------------------------------------
clean() { env -i TERM=dumb LANG=C.UTF-8 LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
inside() { clean HOME=/root chroot "$ROOT" "$@"; }
inside_as() { clean HOME=$LAB chroot --userspec="$1:$1" "$ROOT" "${@:2}"; }
pg_bin() { find "$ROOT/usr/lib/postgresql" -mindepth 1 -maxdepth 1 -printf '/usr/lib/postgresql/%f/bin\n' | sort -V | tail -n 1; }
sql() { inside_as postgres psql -X -q -At -v ON_ERROR_STOP=1 -h $LAB/pg -p "$(port_of odoo-pg)" -d "$1" -c "$2"; }

# A pid from a file is ours only while its root is our chroot.
ours() { [ -n "${1:-}" ] && [ "$(readlink "/proc/$1/root" 2>/dev/null)" = "$ROOT" ]; }
pid_from() { # pid_from FILE_IN_CHROOT
  local pid
  pid=$(head -n 1 "$ROOT$1" 2>/dev/null | tr -dc 0-9)
  ours "$pid" && printf '%s\n' "$pid"
}
odoo_pid() { pid_from $LAB/odoo.pid; }
postgres_pid() { pid_from $LAB/pg/data/postmaster.pid; }
our_pids() {
  local entry
  for entry in /proc/[0-9]*; do
    if ours "${entry#/proc/}"; then printf '%s\n' "${entry#/proc/}"; fi
  done
}
nobody_left() { [ -z "$(our_pids)" ]; }
gone() { ! ours "$1"; }

mount_all() {
  mountpoint -q "$ROOT/proc" || mount -t proc proc "$ROOT/proc"
  mkdir -p "$ROOT/dev/shm"
  mountpoint -q "$ROOT/dev/shm" || mount -t tmpfs -o size=512m,nosuid,nodev tmpfs "$ROOT/dev/shm"
}
unmount_all() {
  local point
  for point in "$ROOT/dev/shm" "$ROOT/proc"; do
    if mountpoint -q "$point"; then umount "$point"; fi
  done
}

# --- build, each step once ----------------------------------------------------------------------------------------------
apt_value() { apt-config shell V "$1" 2>/dev/null | sed -n "s/^V='\(.*\)'\$/\1/p"; }
mirror() {
  local uri
  if [ -n "${DEBIAN_MIRROR:-}" ]; then
    printf '%s\n' "$DEBIAN_MIRROR"
    return
  fi
  # shellcheck disable=SC2016  # $(REPO_URI) is apt's own syntax
  for uri in $(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -v security | sort -u); do
    if /usr/lib/apt/apt-helper download-file "${uri%/}/dists/trixie/Release" "$LOGS/Release" >/dev/null 2>&1; then
      printf '%s\n' "${uri%/}"
      return
    fi
  done
  return 1
}
bootstrap() {
  local proxy
  unmount_all
  rm -rf --one-file-system -- "${ROOT:?}"
  proxy=$(apt_value Acquire::http::Proxy)
  [ -z "$proxy" ] || export http_proxy=$proxy
  debootstrap --variant=minbase --include=ca-certificates trixie "$ROOT" "$(cat "$DIR/mirror")"
}
install_odoo() {
  local option value from
  from=$(cat "$DIR/mirror")
  printf '#!/bin/sh\nexit 101\n' >"$ROOT/usr/sbin/policy-rc.d"
  chmod 755 "$ROOT/usr/sbin/policy-rc.d"
  for option in Acquire::http::Proxy Acquire::https::Proxy Acquire::Check-Valid-Until Acquire::Check-Date; do
    value=$(apt_value "$option")
    [ -z "$value" ] || printf '%s "%s";\n' "$option" "$value"
  done >"$ROOT/etc/apt/apt.conf.d/90host"
  rm -f "$ROOT"/etc/apt/sources.list.d/*
  printf 'deb %s trixie main\ndeb %s sid main\n' "$from" "$from" >"$ROOT/etc/apt/sources.list"
  printf '%s\n' 'Package: *' 'Pin: release n=sid' 'Pin-Priority: 50' '' 'Package: odoo-19' 'Pin: release n=sid' 'Pin-Priority: 900' \
    >"$ROOT/etc/apt/preferences.d/odoo"
  cp /etc/resolv.conf /etc/hosts "$ROOT/etc/"
  inside apt-get update -q
  # setproctitle is not a dependency, but without it the workers cannot be told apart by name; tzdata-legacy has the old zone names.
  inside apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
    postgresql odoo-19 python3-setproctitle tzdata-legacy procps
  inside apt-get clean
}
once() { # once NAME LABEL FUNCTION
  [ ! -e "$DIR/done-$1" ] || return 0
  run_step "$2" "$LOGS/$1.log" "$3"
  : >"$DIR/done-$1"
}

create_cluster() {
  rm -rf "${ROOT:?}$LAB/pg"
  mkdir -p "$ROOT$LAB/pg"
  inside chown -R postgres:postgres $LAB/pg
  inside_as postgres "$(pg_bin)/initdb" -D $LAB/pg/data -E UTF8 --locale=C.UTF-8 --auth-local=peer --auth-host=scram-sha-256
  # The data are disposable.
  printf "listen_addresses = '127.0.0.1'\nunix_socket_directories = '%s/pg'\nshared_preload_libraries = 'pg_stat_statements'\nfsync = off\n" $LAB \
    >>"$ROOT$LAB/pg/data/postgresql.conf"
}
write_odoo_conf() {
  mkdir -p "$ROOT$LAB"/{log,data,addons}
  rm -rf "${ROOT:?}$LAB/addons/ward_lab"
  cp -r "$here/odoo19/ward_lab" "$ROOT$LAB/addons/"
  (umask 077 && cat >"$ROOT$LAB/odoo.conf") <<CONF
[options]
db_host = 127.0.0.1
db_port = $(port_of odoo-pg)
db_user = odoo
db_password = $(secret odoo-db)
db_name = $DATABASE
dbfilter = ^$DATABASE\$
admin_passwd = $(secret odoo-master)
addons_path = /usr/lib/python3/dist-packages/odoo/addons,$LAB/addons
data_dir = $LAB/data
logfile = $LAB/log/odoo.log
pidfile = $LAB/odoo.pid
http_interface = 127.0.0.1
http_port = $(port_of odoo-http)
gevent_port = $(port_of odoo-gevent)
proxy_mode = True
workers = 2
max_cron_threads = 1
limit_time_cpu = 60
limit_time_real = 120
CONF
  inside chown -R odoo:odoo $LAB/log $LAB/data $LAB/addons
  inside chown odoo:odoo $LAB $LAB/odoo.conf
}
odoo_alone() { # odoo_alone SUBCOMMAND|'' ARG...: one process beside the server's pid file and port
  inside_as odoo /usr/bin/odoo ${1:+"$1"} -c $LAB/odoo.conf -d $DATABASE --workers=0 --max-cron-threads=0 --no-http \
    --logfile=$LAB/log/once.log --pidfile=$LAB/once.pid "${@:2}"
}
create_database() {
  sql postgres "DROP DATABASE IF EXISTS $DATABASE WITH (FORCE)"
  if [ -z "$(sql postgres "SELECT 1 FROM pg_roles WHERE rolname = 'odoo'")" ]; then sql postgres 'CREATE ROLE odoo LOGIN CREATEDB'; fi
  sql postgres "ALTER ROLE odoo PASSWORD '$(secret odoo-db)'"
  odoo_alone '' -i $MODULES --stop-after-init
  [ "$(sql $DATABASE "SELECT count(*) FROM ir_module_module WHERE name = 'ward_lab' AND state = 'installed'")" = 1 ]
  sql $DATABASE 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements'
}
create_key() {
  local answer
  answer=$(odoo_alone shell <"$here/odoo19/make_key.py" | grep '^WARD-KEY ')
  (umask 077 && printf '%s\n' "${answer##* }" >"$DIR/api-key")
}

# --- start, stop --------------------------------------------------------------------------------------------------------
healthy() { curl -fs -m 3 -o /dev/null "http://127.0.0.1:$(port_of "$1")/web/health"; }
start_postgres() {
  [ -z "$(postgres_pid)" ] || return 0
  rm -f "$ROOT$LAB/pg/data/postmaster.pid"
  inside_as postgres "$(pg_bin)/pg_ctl" -s -w -t 60 -D $LAB/pg/data -l $LAB/pg/server.log -o "-p $(port_of odoo-pg)" start
}
start_odoo() {
  rm -f "$ROOT$LAB/odoo.pid"
  inside_as odoo /usr/bin/setsid --fork /usr/bin/odoo -c $LAB/odoo.conf </dev/null >>"$LOGS/odoo-stdout.log" 2>&1
  # It listens seconds before its workers exist, and the gevent process loads the registry at its first request.
  wait_for 120 healthy odoo-http
  wait_for 60 healthy odoo-gevent
}

up() {
  local name
  command -v debootstrap >/dev/null || die "debootstrap is missing" "Run ./dev setup lab."
  if [ -n "$(odoo_pid)" ]; then
    say "Odoo already runs on $(cat "$DIR/url")"
    return 0
  fi
  mkdir -p "$LOGS"
  say "Odoo lab in $DIR$([ -e "$DIR/done-key" ] || printf ' (the first time: 3 GB, several minutes)')"
  [ -s "$DIR/mirror" ] || mirror >"$DIR/mirror" || die "no Debian mirror with trixie was found in this machine's apt sources" "Set DEBIAN_MIRROR to one."
  once bootstrap "Debian trixie" bootstrap
  mount_all
  once packages "odoo-19 and PostgreSQL" install_odoo
  for name in odoo-pg odoo-http odoo-gevent; do
    rm -f "$STATE/ports/$name"
    free_port "$name"
  done
  once cluster "PostgreSQL cluster" create_cluster
  write_odoo_conf
  run_step "PostgreSQL" "$LOGS/postgres.log" start_postgres
  once database "database $DATABASE with its modules" create_database
  once key "user ward and its API key" create_key
  run_step "Odoo" "$LOGS/start.log" start_odoo
  printf 'http://127.0.0.1:%s\n' "$(port_of odoo-http)" >"$DIR/url"
  say "Odoo runs on $(cat "$DIR/url"), master pid $(odoo_pid)"
}

down() {
  local pid
  if [ ! -d "$ROOT" ]; then
    say "no Odoo lab in $DIR"
    return 0
  fi
  if pid=$(odoo_pid); then
    kill -TERM "$pid"
    wait_for 30 gone "$pid" || kill -KILL "$pid" || true
  fi
  if pid=$(postgres_pid); then
    kill -INT "$pid"  # PostgreSQL's fast shutdown
    wait_for 30 gone "$pid" || die "PostgreSQL (pid $pid) of the Odoo lab does not stop" "See $ROOT$LAB/pg/server.log."
  fi
  wait_for 10 nobody_left || die "processes still run in the chroot: $(our_pids | tr '\n' ' ')" "End them, then run this again."
  unmount_all
  say "Odoo lab is down, nothing is mounted"
}

odoo_gone() { [ -z "$(odoo_pid)" ] && ! port_open "$(port_of odoo-http)"; }
kill_odoo() {
  local pid
  if pid=$(odoo_pid); then kill -KILL "$pid"; fi
  # The workers hold the port until they notice that their master is gone.
  wait_for 30 odoo_gone || die "Odoo still listens on port $(port_of odoo-http)" "Look at ./dev lab odoo status."
}
start_again() {
  if [ -z "$(odoo_pid)" ]; then run_step "Odoo" "$LOGS/start.log" start_odoo; fi
}

status() {
  local code=0 pid
  if pid=$(postgres_pid); then say "PostgreSQL  pid $pid, 127.0.0.1:$(port_of odoo-pg)"; else say "PostgreSQL  DOWN"; code=3; fi
  if pid=$(odoo_pid); then say "Odoo        pid $pid, $(cat "$DIR/url")"; else say "Odoo        DOWN"; code=3; fi
  return "$code"
}

test_lab() {
  local failed=0 answer pid
  check() { # check LABEL COMMAND...
    if "${@:2}"; then say "  ok      $1"; else say "  FAILED  $1"; failed=1; fi
  }
  status >/dev/null || die "the Odoo lab is not up" "Run ./dev lab odoo up."
  pid=$(odoo_pid)
  check "/web/health answers 200" healthy odoo-http
  check "the gevent port answers 200" healthy odoo-gevent
  answer=$(curl -sS -m 10 -H "Authorization: bearer $(cat "$DIR/api-key")" -H 'Content-Type: application/json' \
    -d '{"domain": []}' "$(cat "$DIR/url")/json/2/res.users/search_count" || true)
  check "json/2 counts users with the key (got: ${answer:0:40})" grep -qxE '[0-9]+' <<<"$answer"
  check "the master has two HTTP workers" test "$(pgrep -c -P "$pid" -f WorkerHTTP)" = 2
  check "a worker can be occupied by the database" curl -fsS -m 10 -o /dev/null "$(cat "$DIR/url")/ward_lab/database?seconds=1"
  return "$failed"
}

[ "$(id -u)" -eq 0 ] || die "the Odoo lab needs root (chroot, mount)" "Run it with sudo."
case ${2:-} in
  up) up ;;
  test) test_lab ;;
  status) status ;;
  kill) kill_odoo ;;
  start) start_again ;;
  down) down ;;
  remove)
    down
    rm -rf --one-file-system -- "${DIR:?}"
    ;;
  *) die "the Odoo lab does not know '${2:-}'" "Usage: odoo19.sh DIR up|test|status|kill|start|down|remove." ;;
esac
