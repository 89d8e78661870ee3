# ./dev up, status, down: Ward and what it watches on this machine, everything below .ward/ and on 127.0.0.1.
# shellcheck shell=bash

# shellcheck source=tools/dev/postgres.sh
. tools/dev/postgres.sh
# shellcheck source=tools/dev/redis.sh
. tools/dev/redis.sh
# shellcheck source=tools/dev/config.sh
. tools/dev/config.sh

http_ok() { curl -fsS -m 3 -o /dev/null "$1" 2>/dev/null; }
api() { curl -fsS -m 5 "http://127.0.0.1:$(port_of http)$1" 2>/dev/null; }

receiver_start() {
  start receiver python3 "$WARD_ROOT/tools/receiver" --port "$(port_of receiver)" --pages "$STATE/pages.jsonl"
  started receiver "receiver of pages" 15 http_ok "http://127.0.0.1:$(port_of receiver)/healthz"
}
# Debian's own python3 has the module of python3-psycopg2, another one on the PATH may not.
standin_start() {
  start standin /usr/bin/python3 "$WARD_ROOT/tests/lab/standin.py" --port "$(port_of standin)" --database-port "$(port_of pg-primary)" \
    --password-file "$STATE/secrets/pg-billing" --switches "$STATE/standin"
  started standin "stand-in for Odoo" 15 port_open "$(port_of standin)"
}
clinic_start() {
  start clinic python3 "$WARD_ROOT/tests/lab/clinic.py" --port "$(port_of clinic)" --odoo-port "$(port_of standin)" \
    --latency-file "$(pg_home)/volume-latency" --switches "$STATE/standin"
  started clinic "its users and their disk" 15 port_open "$(port_of clinic)"
}
collector_start() {
  start collector "$BUILD/release/collector/ward-collector" --config "$STATE/collector.yaml"
  started collector "ward-collector" 30 api /api/ward/v1/status >/dev/null
}
agent_start() { # agent_start NAME
  running "agent-$1" || start "agent-$1" "$BUILD/release/agent/ward-agent" --config "$STATE/agent-$1.yaml"
}
samples_flow() { [ "$(api /api/ward/v1/agents | jq '[.. | objects | select(.connected == true)] | length' 2>/dev/null)" -ge ${#AGENTS[@]} ]; }

is_up() { running collector && running receiver; }
need_up() { is_up || die "the lab is not up" "Run ./dev up --detach first."; }

cmd_up() {
  local detach='' odoo='' name begin=$SECONDS
  while [ $# -gt 0 ]; do
    case $1 in
      --detach | -d) detach=1 ;;
      --odoo) odoo=1 ;;
      *) die "./dev up does not know '$1'" "Usage: ./dev up [--detach] [--odoo]." ;;
    esac
    shift
  done
  if is_up; then
    say "the lab is already up"
  else
    lock_lab
    [ ! -d "$STATE" ] || clear_lab >/dev/null  # leftovers of a run that was cut off
    need build run
    build_preset release
    say "Starting the lab in .ward/"
    mkdir -p "$STATE/log"
    if [ -n "$odoo" ]; then
      need lab
      cmd_lab odoo up
      : >"$STATE/odoo"
    fi
    for name in stream http receiver standin clinic "${AGENTS[@]/#/agent-}"; do free_port "$name"; done
    pg_up
    redis_up
    standin_start
    clinic_start
    receiver_start
    run_step "certificates" "$STATE/log/pki.log" make_pki
    write_configs
    collector_start
    for name in "${AGENTS[@]}"; do agent_start "$name"; done
    begin=$SECONDS
    wait_for 30 samples_flow || fail_start agent-data "the agents did not reach the collector in 30 s"
    printf '  %-52s %4d s\n' "${#AGENTS[@]} agents stream" $((SECONDS - begin))
    unlock_lab
    say "Up. Collector: http://127.0.0.1:$(port_of http)   pages: .ward/pages.jsonl   logs: .ward/log/"
  fi
  if [ -n "$detach" ]; then
    say "Next: ./dev status, ./dev break DB1, ./dev faults, ./dev down."
    return 0
  fi
  say "Ctrl-C ends it."
  trap 'trap - INT TERM; printf "\n"; cmd_down; exit 0' INT TERM
  watch_status
}

cmd_down() {
  if [ ! -d "$STATE" ]; then
    say "nothing is up"
    return 0
  fi
  lock_lab
  clear_lab
  unlock_lab
  say "down; .ward/ is gone"
}
clear_lab() {
  local file
  for file in "$STATE"/run/agent-*.pid; do
    [ ! -e "$file" ] || stop "$(basename "$file" .pid)"
  done
  stop collector
  for file in "$STATE"/run/*.pid; do
    case $(basename "$file" .pid) in
      pg-primary | pg-standby | '*') ;;
      *) stop "$(basename "$file" .pid)" 5 ;;
    esac
  done
  pg_down
  if mountpoint -q "$STATE/small"; then as_root umount "$STATE/small"; fi  # of fault PL8
  [ ! -e "$STATE/odoo" ] || cmd_lab odoo down  # its files stay in .lab/odoo for the next time
  rm -rf -- "${STATE:?}"
}

# --- status ---------------------------------------------------------------------------------------------------------
process_line() { # process_line NAME
  local pid note=''
  if ! pid=$(pid_of "$1"); then
    printf '  %-14s DOWN\n' "$1"
    return
  fi
  if grep -q '^State:[[:space:]]*T' "/proc/$pid/status"; then note='  STOPPED'; fi
  printf '  %-14s pid %-8s %4d MiB%s\n' "$1" "$pid" "$(awk '/^VmRSS/ {print int($2 / 1024)}' "/proc/$pid/status")" "$note"
}
# What the agents have sent so far, all of them; an agent that is down adds nothing.
samples_total() {
  local name
  for name in "${AGENTS[@]}"; do
    curl -fsS -m 2 "http://127.0.0.1:$(port_of "agent-$name")/metrics" 2>/dev/null || true
  done | awk '/^ward_agent_uplink_sent_samples_total/ {sum += $NF} END {printf "%.0f\n", sum}'
}

print_status() { # print_status SAMPLES_PER_SECOND
  local name
  for name in collector "${AGENTS[@]/#/agent-}" receiver standin clinic pg-primary pg-standby redis; do process_line "$name"; done
  if ! api /api/ward/v1/status >"$STATE/status.json"; then
    say "  the collector does not answer; its log is .ward/log/collector.log"
  else
    say "  samples/s: $1   $(status_line)"
    say "  firing:"
    api /api/v1/alerts | jq -r '.data.alerts[] | select(.state == "firing")
      | "    \(.labels.class // "-")  \(.labels.owner // "-")  \(.labels.alertname) at \(.labels.service // "-")  since \(.activeAt)"' 2>/dev/null | sort -u | head -n 12
  fi
  say "  last pages:"
  [ ! -s "$STATE/pages.jsonl" ] || tail -n 5 "$STATE/pages.jsonl" | jq -r -f tools/dev/page.jq --arg show line | sed 's/^/    /'
}
status_line() { jq -r 'to_entries | map(select(.value | type != "object" and type != "array")) | map("\(.key) \(.value)") | join(", ")' "$STATE/status.json"; }

cmd_status() {
  local first second
  need_up
  first=$(samples_total)
  sleep 5  # a rate needs two readings, and the targets have an interval of 5 s
  second=$(samples_total)
  print_status $(((second - first) / 5))
}
watch_status() {
  local total last rate='...' at last_at text
  last=$(samples_total)
  last_at=$(now_ms)
  while true; do
    text=$(print_status "$rate")
    if [ -t 1 ]; then printf '\033[H\033[2J'; fi
    printf 'Ward lab, %(%H:%M:%S)T (Ctrl-C ends it)\n%s\n' -1 "$text"
    sleep 5
    total=$(samples_total)
    at=$(now_ms)
    # A restarted agent counts from 0 again.
    if [ "$total" -ge "$last" ]; then rate=$(((total - last) * 1000 / (at - last_at))); else rate='...'; fi
    last=$total
    last_at=$at
  done
}

cmd_lab() {
  [ "${1:-}" = odoo ] || die "there is no lab '${1:-}'" "Usage: ./dev lab odoo up|test|status|down."
  shift
  bash tests/lab/odoo19.sh "$WARD_ROOT/.lab/odoo" "$@"
}
