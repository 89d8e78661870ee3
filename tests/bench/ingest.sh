#!/usr/bin/env bash
# What taking samples costs: remote write into the collector and, in the same run, into Debian's Prometheus (the same bodies,
# one server at a time), and the agents' own stream into the collector. ./dev bench ingest [--json FILE]; WARD_BENCH_SAMPLES,
# WARD_BENCH_SECONDS (each at most, of one turn), WARD_BENCH_ROUNDS (turns), WARD_BENCH_PER_REQUEST (samples of a request)
# change it. Needs 2 GB of memory for the bodies, which are all made beforehand; what it writes is deleted at the end.
set -euo pipefail
WARD_ROOT=${WARD_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)}
cd "$WARD_ROOT"
PROGRAMS=${WARD_BUILD:-$WARD_ROOT/build/bench}
SAMPLES=${WARD_BENCH_SAMPLES:-8000000}
SECONDS_MEASURED=${WARD_BENCH_SECONDS:-25}
ROUNDS=${WARD_BENCH_ROUNDS:-2}
PER_REQUEST=${WARD_BENCH_PER_REQUEST:-2000}  # what Prometheus sends by default; 2.42 did 500
# shellcheck source=tests/support/bed.sh
. tests/support/bed.sh

start_collector() {
  rm -rf -- "$STATE/collector"
  cat >"$STATE/collector.yaml" <<YAML
listen: {stream: "127.0.0.1:$(port_of stream)", http: "127.0.0.1:$(port_of collector)"}
data_dir: $STATE/collector
insecure: true
rules: []
receivers: [{name: nobody, webhook: {url: "$(url nobody)"}}]
owners: {platform: {receiver: nobody}}
ingest: {max_series_per_agent: 1000000, max_series_per_tenant: 1000000}
remote_write_receiver: {receive: true, tenant: bench}
YAML
  start collector "$PROGRAMS/collector/ward-collector" --config "$STATE/collector.yaml"
  started collector "collector" 20 http_ok "$(url collector)/healthz"
}

start_prometheus() {
  rm -rf -- "$STATE/prometheus"
  printf '{}\n' >"$STATE/prometheus.yaml"
  start prometheus prometheus --config.file="$STATE/prometheus.yaml" --storage.tsdb.path="$STATE/prometheus" \
    --web.enable-remote-write-receiver --web.listen-address="127.0.0.1:$(port_of prometheus)"
  started prometheus "Prometheus" 30 http_ok "$(url prometheus)/-/ready"
}

# turn SIDE SERVER OPTION...: loads a fresh server and stops it; one line of figures in $STATE/figures.
turn() {
  local side=$1 server=$2
  shift 2
  "start_$server"
  "$PROGRAMS/tests/bench/ward_load_ingest" "$@" --pid "$(pid_of "$server")" --samples "$SAMPLES" \
    --seconds "$SECONDS_MEASURED" --per-request "$PER_REQUEST" >"$STATE/line"
  stop "$server"
  jq -c --arg side "$side" '{side: $side} + .' "$STATE/line" >>"$STATE/figures"
  say "  $side: $(jq -r '"\(.samples_per_cpu_s) samples a CPU second, \(.samples_per_s) a second"' "$STATE/line")"
}

main() {
  local json='' name
  while [ $# -gt 0 ]; do
    case $1 in
      --json) json=$(realpath -m "${2:?--json needs a file}"); shift 2 ;;
      *) die "ingest.sh does not know '$1'" "Usage: ./dev bench ingest [--json FILE]" ;;
    esac
  done
  command -v prometheus >/dev/null || die "prometheus is missing" "Run ./dev setup bench."
  run_step "build the load" "$STATE/log/build.log" ninja -C "$PROGRAMS" ward_load_ingest
  for name in stream collector prometheus nobody; do free_port "$name"; done
  for _ in $(seq "$ROUNDS"); do
    turn peer prometheus --remote-write --port "$(port_of prometheus)"
    turn ward collector --remote-write --port "$(port_of collector)"
    turn stream collector --stream --port "$(port_of stream)"
  done
  python3 tests/bench/ingest_report.py "$STATE/figures" --per-request "$PER_REQUEST" ${json:+--json "$json"}
}
main "$@"
