#!/usr/bin/env bash
# How long a collector with 100,000 series and two hours of samples in its journal is away after kill -9: until it is ready, and
# until it listens for agents again. The journal is the worst case: nothing of the two hours has been filed by day yet.
# ./dev bench restart [--json FILE]; WARD_BENCH_SERIES and WARD_BENCH_ROUNDS change it. Needs 1 GB below TMPDIR.
set -euo pipefail
WARD_ROOT=${WARD_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)}
cd "$WARD_ROOT"
PROGRAMS=${WARD_BUILD:-$WARD_ROOT/build/bench}
SERIES=${WARD_BENCH_SERIES:-100000}
ROUNDS=${WARD_BENCH_ROUNDS:-3}
TARGET_MS=5000
# shellcheck source=tests/support/bed.sh
. tests/support/bed.sh

ready() { curl -fsS -m 2 -o /dev/null "$(url collector)/readyz" 2>/dev/null; }
takes() { port_open "$(port_of stream)"; }

# until_ms STEP START CHECK: waits in steps of seconds, prints the ms since START. To ask takes the processor too: seldom, where
# it takes long.
until_ms() {
  local step=$1 start=$2
  shift 2
  while ! "$@"; do
    [ $(($(now_ms) - start)) -lt 120000 ] || die "the collector does not come back" "See $STATE/log/collector.log."
    sleep "$step"
  done
  echo $(($(now_ms) - start))
}

start_collector() {
  start collector "$PROGRAMS/collector/ward-collector" --config "$STATE/collector.yaml"
}

main() {
  local json='' round begun took_in took_ready worst=0 rows=()
  while [ $# -gt 0 ]; do
    case $1 in
      --json) json=$(realpath -m "${2:?--json needs a file}"); shift 2 ;;
      *) die "restart.sh does not know '$1'" "Usage: ./dev bench restart [--json FILE]" ;;
    esac
  done
  run_step "build the measuring program" "$STATE/log/build.log" ninja -C "$PROGRAMS" ward_measure_storage
  for name in stream collector nobody; do free_port "$name"; done
  mkdir "$STATE/collector"
  chmod 700 "$STATE/collector"
  cat >"$STATE/collector.yaml" <<YAML
listen: {stream: "127.0.0.1:$(port_of stream)", http: "127.0.0.1:$(port_of collector)"}
data_dir: $STATE/collector
insecure: true
rules: []
receivers: [{name: nobody, webhook: {url: "$(url nobody)"}}]
owners: {platform: {receiver: nobody}}
ingest: {max_series_per_agent: 1000000, max_series_per_tenant: 1000000}
YAML
  run_step "two hours of $SERIES series" "$STATE/log/journal.log" "$PROGRAMS/tests/bench/ward_measure_storage" --journal "$STATE/collector" "$SERIES"
  say "  the journal has $(du -sm "$STATE/collector" | cut -f1) MiB"
  start_collector
  until_ms 0.2 "$(now_ms)" ready >/dev/null
  for round in $(seq "$ROUNDS"); do
    kill -9 "$(pid_of collector)"
    while running collector || takes; do sleep 0.02; done  # all of its threads
    begun=$(now_ms)
    start_collector
    took_in=$(until_ms 0.02 "$begun" takes)
    took_ready=$(until_ms 0.2 "$begun" ready)
    say "  kill $round: listens after $took_in ms, ready after $took_ready ms"
    rows+=("{\"takes_ms\":$took_in,\"ready_ms\":$took_ready}")
    [ "$took_ready" -le "$worst" ] || worst=$took_ready
  done
  [ -z "$json" ] || printf '%s\n' "${rows[@]}" | jq -s --argjson series "$SERIES" '{series: $series, kills: .}' >"$json"
  say "ready at the latest after $worst ms, target $TARGET_MS: $([ "$worst" -le "$TARGET_MS" ] && echo ok || echo MISSED)"
  [ "$worst" -le "$TARGET_MS" ]
}
main "$@"
