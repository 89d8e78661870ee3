# Words to the user, steps with their time, free ports and processes with a pid file. Sourced by ./dev.
# shellcheck shell=bash

readonly STATE=${WARD_STATE:-$WARD_ROOT/.ward}  # a benchmark has its own
# shellcheck disable=SC2034  # used by the other parts
readonly BUILD=$WARD_ROOT/build

say() { printf '%s\n' "$*"; }
# die WHAT FIX: one line on what was seen, one on what to do.
die() {
  printf 'dev: %s\n' "$1" >&2
  [ $# -lt 2 ] || printf '     %s\n' "$2" >&2
  exit 1
}

now_ms() { local t=${EPOCHREALTIME/[.,]/}; printf '%s\n' "${t:0:-3}"; }
relative() { printf '%s\n' "${1#"$WARD_ROOT"/}"; }

# run_step LABEL LOG COMMAND...: run with the output in LOG, show the elapsed seconds. On failure: the end of the log, its
# name, and $STEP_FIX when the caller set one. The command may be a function; it runs in a subshell of its own.
run_step() {
  local label=$1 log=$2 start=$SECONDS code ticker=''
  shift 2
  mkdir -p "$(dirname "$log")"
  if [ -t 1 ]; then
    (while kill -0 $$ 2>/dev/null; do printf '\r  %-52s %4d s' "$label" $((SECONDS - start)); sleep 1; done) &
    ticker=$!
  fi
  set +e  # not `||`, which would switch errexit off inside the command too
  (set -e; "$@") >"$log" 2>&1
  code=$?
  set -e
  if [ -n "$ticker" ]; then
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    printf '\r'
  fi
  if [ "$code" -eq 0 ]; then
    printf '  %-52s %4d s\n' "$label" $((SECONDS - start))
    return 0
  fi
  printf '  %-52s %4d s  FAILED\n' "$label" $((SECONDS - start))
  tail -n 15 "$log" | sed 's/^/    | /' >&2
  die "'$label' failed with status $code; the log is $(relative "$log")" "${STEP_FIX:-Read the log, mend the cause, run the command again.}"
}

# wait_for SECONDS COMMAND...: poll until the command succeeds; 1 when it did not in time.
wait_for() {
  local limit=$1 start=$SECONDS
  shift
  until "$@"; do
    [ $((SECONDS - start)) -lt "$limit" ] || return 1
    sleep 0.2
  done
}

# free_port NAME: a port nobody listens on, remembered in .ward/ports/NAME so that every part reads the same one.
# Below the ephemeral range, so that no outgoing connection takes it between here and the start of its server.
free_port() {
  local port hex
  mkdir -p "$STATE/ports"
  for _ in $(seq 200); do
    port=$((21000 + RANDOM % 10000))
    hex=$(printf ':%04X' "$port")
    if ! grep -qi "$hex 0" /proc/net/tcp /proc/net/tcp6 2>/dev/null && ! grep -qsx "$port" "$STATE"/ports/*; then
      printf '%s\n' "$port" >"$STATE/ports/$1"
      return 0
    fi
  done
  die "no free port between 21000 and 31000 was found for $1" "End some listeners (ss -ltn shows them) and try again."
}
port_of() { cat "$STATE/ports/$1"; }
port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# secret NAME: a random password, made at the first use, kept in .ward/secrets with mode 0600.
secret() {
  local file=$STATE/secrets/$1
  if [ ! -s "$file" ]; then
    (umask 077 && mkdir -p "$STATE/secrets" && od -An -N18 -tx1 /dev/urandom | tr -d ' \n' >"$file")
  fi
  cat "$file"
}

# Only one command at a time changes the lab. The lock is an open descriptor of a file that is always there; daemons close it.
lock_lab() {
  exec 9<tools/dev/common.sh
  flock -n 9 || die "another ./dev command is changing the lab of this clone" "Wait until it is done, then run this again."
}
unlock_lab() { exec 9<&-; }

# A process is its pid and its start time: a pid alone may have been given to somebody else since.
start_time() { [ -r "/proc/$1/stat" ] && sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
remember() { # remember NAME PID
  mkdir -p "$STATE/run"
  printf '%s %s\n' "$2" "$(start_time "$2")" >"$STATE/run/$1.pid"
}
pid_of() { # pid_of NAME: prints the pid while our process lives, else fails
  local pid born
  [ -r "$STATE/run/$1.pid" ] || return 1
  read -r pid born <"$STATE/run/$1.pid" || return 1
  [ -n "$born" ] && [ "$(start_time "$pid")" = "$born" ] || return 1
  ! grep -q '^State:[[:space:]]*Z' "/proc/$pid/status" 2>/dev/null || return 1
  printf '%s\n' "$pid"
}
running() { pid_of "$1" >/dev/null; }

# start NAME COMMAND...: in the background, away from this terminal, log in .ward/log/NAME.log.
start() {
  local name=$1
  shift
  mkdir -p "$STATE/log"
  setsid "$@" </dev/null >>"$STATE/log/$name.log" 2>&1 9>&- &
  remember "$name" $!
  disown
}

# stop NAME [SECONDS]: SIGTERM, then SIGKILL when it does not go.
stop() {
  local pid
  if pid=$(pid_of "$1"); then
    kill -TERM -- "-$pid" 2>/dev/null || true  # its group: setsid made it the leader
    kill -CONT -- "-$pid" 2>/dev/null || true  # a stopped process cannot hear SIGTERM
    if ! wait_for "${2:-10}" not running "$1"; then
      say "  $1 (pid $pid) ignores SIGTERM, killing it"
      kill -KILL -- "-$pid" 2>/dev/null || true
      wait_for 5 not running "$1" || true
    fi
  fi
  rm -f "$STATE/run/$1.pid"
}
not() { ! "$@"; }

# started NAME LABEL SECONDS CHECK...: wait until CHECK holds or the process ends.
started() {
  local name=$1 label=$2 limit=$3 begin=$SECONDS
  shift 3
  until "$@"; do
    running "$name" || fail_start "$name" "$label ended right after its start"
    [ $((SECONDS - begin)) -lt "$limit" ] || fail_start "$name" "$label did not become ready in $limit s"
    sleep 0.2
  done
  printf '  %-52s %4d s\n' "$label" $((SECONDS - begin))
}
fail_start() {
  tail -n 15 "$STATE/log/$1.log" 2>/dev/null | sed 's/^/    | /' >&2
  die "$2; its log is $(relative "$STATE/log/$1.log")" "Mend what the log names, then run ./dev down and ./dev up again."
}
