#!/usr/bin/env bash
# From a dead primary to the page at its owner, beside the peer, in the same outages: Debian's PostgreSQL exporter, Prometheus and
# Alertmanager with the same cadence (a look each 5 s, evaluation each 5 s, no `for`, no group_wait). The outages are spread evenly over
# the 5 s between two looks, in random order, each at a random moment of its part; how far Prometheus' evaluation lies behind its
# scrape depends on names, so its group gets a new name each time. Ward runs with its shipped rules, map and correlation; a tenant
# override takes away the `for` of PgPrimaryDown, which is 5 s as shipped.
# ./dev bench page [--json FILE]; WARD_BENCH_ROUNDS changes the number of outages. Everything lives in a folder that is
# deleted at the end. 15 minutes.
set -euo pipefail
WARD_ROOT=${WARD_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)}
cd "$WARD_ROOT"
PROGRAMS=${WARD_BUILD:-$WARD_ROOT/build/bench}
ROUNDS=${WARD_BENCH_ROUNDS:-20}
INTERVAL=5  # s, of probes, scrapes and evaluations
# shellcheck source=tests/support/bed.sh
. tests/support/bed.sh
# shellcheck source=tools/dev/postgres.sh
. tools/dev/postgres.sh

clean_up() {
  local name
  for name in agent collector exporter prometheus alertmanager receiver; do stop "$name"; done
  pg_down
  rm -rf -- "${STATE:?}"
}

started_http() { started "$1" "$2" 20 http_ok "$(url "$1")$3"; } # started_http NAME LABEL PATH

start_receiver() {
  start receiver python3 tools/receiver --port "$(port_of receiver)" --pages "$STATE/pages.jsonl"
  started_http receiver "receiver of pages" /healthz
}

start_ward() {
  cat >"$STATE/override.yaml" <<'YAML'
groups: []
---
kind: Operations
apiVersion: ward/v1
spec:
  tenantOverrides: [{tenant: bench, alert: {PgPrimaryDown: {for: 0s}}}]
YAML
  cat >"$STATE/collector.yaml" <<YAML
listen: {stream: "127.0.0.1:$(port_of stream)", http: "127.0.0.1:$(port_of collector)"}
data_dir: $STATE/collector
insecure: true
rules: ["$WARD_ROOT/rules/*.yaml", "$STATE/override.yaml"]
receivers: [{name: ward, webhook: {url: "$(url receiver)/pages/ward"}}]
owners: {database: {receiver: ward}, platform: {receiver: ward}}
# Each outage is a fault of its own, not a flap of the one before. What holds pages back is as by default.
correlation: {reparent: 1s, settle_resolve: 0s, flap: {enter: 100, in: 10m, stable: 1m}}
YAML
  cat >"$STATE/agent.yaml" <<YAML
agent: bench
tenant: bench
data_dir: $STATE/agent
listen: {http: "127.0.0.1:$(port_of agent)"}
insecure: true
collectors: [{address: "127.0.0.1:$(port_of stream)"}]
targets:
  - {probe: postgres, name: pg-main, interval: ${INTERVAL}s, host: 127.0.0.1, port: $(port_of pg-primary), user: ward,
     password: {file: $STATE/secrets/pg-ward}, labels: {service: pg-main, role: primary}}
YAML
  start collector "$PROGRAMS/collector/ward-collector" --config "$STATE/collector.yaml"
  started_http collector "collector" "/api/v1/query?query=1"
  start agent "$PROGRAMS/agent/ward-agent" --config "$STATE/agent.yaml"
  started_http agent "ward-agent" /healthz
}

# While the server is away the exporter can need longer than a scrape may take: then the scrape itself fails.
peer_rules() { # peer_rules NAME
  printf 'groups: [{name: pg-%s, interval: %ss, rules: [{alert: Down, expr: up == 0 or pg_up == 0, keep_firing_for: 15s}]}]\n' \
    "$1" "$INTERVAL" >"$STATE/peer-rules.yaml"
}
start_peer() {
  DATA_SOURCE_NAME="postgresql://ward:$(secret pg-ward)@127.0.0.1:$(port_of pg-primary)/postgres?sslmode=disable" \
    start exporter prometheus-postgres-exporter --web.listen-address="127.0.0.1:$(port_of exporter)"
  cat >"$STATE/alertmanager.yaml" <<YAML
route: {receiver: peer, group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: peer, webhook_configs: [{url: "$(url receiver)/pages/peer"}]}]
YAML
  peer_rules 0
  cat >"$STATE/prometheus.yaml" <<YAML
global: {scrape_interval: ${INTERVAL}s, evaluation_interval: ${INTERVAL}s}
rule_files: [$STATE/peer-rules.yaml]
alerting: {alertmanagers: [{static_configs: [{targets: ["127.0.0.1:$(port_of alertmanager)"]}]}]}
scrape_configs: [{job_name: postgres, static_configs: [{targets: ["127.0.0.1:$(port_of exporter)"]}]}]
YAML
  start alertmanager prometheus-alertmanager --config.file="$STATE/alertmanager.yaml" --storage.path="$STATE/alertmanager" \
    --web.listen-address="127.0.0.1:$(port_of alertmanager)" --cluster.listen-address=
  start prometheus prometheus --config.file="$STATE/prometheus.yaml" --storage.tsdb.path="$STATE/prometheus" \
    --web.listen-address="127.0.0.1:$(port_of prometheus)"
  started_http exporter "prometheus-postgres-exporter" /metrics
  started_http alertmanager "prometheus-alertmanager" /-/ready
  started_http prometheus "prometheus" /-/ready
}

# pages_of SIDE STATUS: the arrival times, in ms, one a line.
pages_of() {
  jq -r --arg side "$1" --arg status "$2" 'select(.receiver == $side and .body.status == $status
    and (.body.alerts[0].labels.alertname | IN("PgPrimaryDown", "Down"))) | .received_ms' \
    "$STATE/pages.jsonl" 2>/dev/null || true
}
have() { [ "$(pages_of ward "$1" | wc -l)" -ge "$2" ] && [ "$(pages_of peer "$1" | wc -l)" -ge "$2" ]; } # have STATUS COUNT

# wait_for_phase PART: until a random moment of that part of the interval, by the wall clock.
wait_for_phase() {
  local whole=$((INTERVAL * 1000)) wanted now
  wanted=$((($1 * whole + RANDOM * whole / 32768) / ROUNDS))
  now=$(($(now_ms) % whole))
  sleep "$(printf '%d.%03d' $(((wanted + whole - now) % whole / 1000)) $(((wanted + whole - now) % whole % 1000)))"
}
outage() { # outage NUMBER PART: one line "ward-ms peer-ms" from the stop to the page
  local begin
  peer_rules "$1"
  kill -HUP "$(pid_of prometheus)"
  sleep "$((2 * INTERVAL))"  # a new group evaluates within an interval
  wait_for_phase "$2"
  kill -QUIT "$(pg_pid primary)"  # an immediate stop, without the time pg_ctl takes to begin
  begin=$(now_ms)
  wait_for 60 have firing "$1" || die "a side did not page in 60 s" "Look at what they logged: $STATE/log"
  printf '%s %s\n' $(($(pages_of ward firing | tail -n 1) - begin)) $(($(pages_of peer firing | tail -n 1) - begin)) >>"$STATE/rounds"
  pg_stop primary immediate
  pg_start primary
  wait_for 120 have resolved "$1" || die "a side did not resolve in 120 s" "Look at what they logged: $STATE/log"
}

main() {
  local json='' name round parts
  while [ $# -gt 0 ]; do
    case $1 in
      --json) json=$(realpath -m "${2:?--json needs a file}"); shift 2 ;;
      *) die "page.sh does not know '$1'" "Usage: ./dev bench page [--json FILE]" ;;
    esac
  done
  for name in prometheus prometheus-postgres-exporter prometheus-alertmanager; do
    command -v "$name" >/dev/null || die "$name is missing" "Run ./dev setup bench."
  done
  for name in receiver stream collector agent exporter alertmanager prometheus; do free_port "$name"; done
  run_step "PostgreSQL on 127.0.0.1" "$STATE/log/pg-create.log" pg_create
  run_step "PostgreSQL role" "$STATE/log/pg-roles.log" pg_roles
  start_receiver
  start_peer
  start_ward
  sleep 5
  mapfile -t parts < <(seq 0 $((ROUNDS - 1)) | shuf)
  for round in $(seq "$ROUNDS"); do
    outage "$round" "${parts[round - 1]}"
    say "  outage $round of $ROUNDS: Ward, peer paged after $(tail -n 1 "$STATE/rounds") ms"
  done
  python3 tests/bench/page_report.py "$STATE/rounds" --interval "$INTERVAL" ${json:+--json "$json"}
}
main "$@"
