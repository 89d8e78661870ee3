#!/usr/bin/env bash
# What SLOs cost a cycle, beside the peer in the same run: 200 and 1,000 SLOs x 8 windows (5 m to 30 d) in Ward's engine with
# 30 days in its ledgers, and 50 SLOs as recording rules in Debian's Prometheus on a block of the same samples.
# ./dev bench slo [--json FILE]; WARD_BENCH_CYCLES changes how often the peer evaluates. Needs 1 GB below TMPDIR; everything
# lives in a folder that is deleted at the end. Five minutes.
set -euo pipefail
WARD_ROOT=${WARD_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)}
cd "$WARD_ROOT"
PROGRAMS=${WARD_BUILD:-$WARD_ROOT/build/bench}
CYCLES=${WARD_BENCH_CYCLES:-6}
PEER_SLOS=50
# shellcheck source=tests/support/bed.sh
. tests/support/bed.sh
MEASURE=$PROGRAMS/tests/bench/ward_measure_slo

make_block() {
  "$MEASURE" --openmetrics "$PEER_SLOS" >"$STATE/samples.om"
  # Blocks as a server with 30 days of retention has compacted them; promtool reads the whole file anew for each block.
  promtool tsdb create-blocks-from --max-block-duration=64h openmetrics "$STATE/samples.om" "$STATE/prometheus"
  rm "$STATE/samples.om"
  "$MEASURE" --rules "$PEER_SLOS" >"$STATE/rules.yaml"
}
measure_ward() { # measure_ward SLOS
  "$MEASURE" "$1" "$STATE/ward-$1" >"$STATE/ward-$1.json"
  rm -rf -- "${STATE:?}/ward-$1"
}

main() {
  local json='' url
  while [ $# -gt 0 ]; do
    case $1 in
      --json) json=$(realpath -m "${2:?--json needs a file}"); shift 2 ;;
      *) die "slo.sh does not know '$1'" "Usage: ./dev bench slo [--json FILE]" ;;
    esac
  done
  for name in prometheus promtool; do
    command -v "$name" >/dev/null || die "$name is missing" "Run ./dev setup bench."
  done
  run_step "build the measuring program" "$STATE/log/build.log" ninja -C "$PROGRAMS" ward_measure_slo
  run_step "200 SLOs" "$STATE/log/ward.log" measure_ward 200
  run_step "1,000 SLOs" "$STATE/log/ward.log" measure_ward 1000
  run_step "30 days of $PEER_SLOS SLOs for Prometheus" "$STATE/log/block.log" make_block
  free_port prometheus
  url="http://127.0.0.1:$(port_of prometheus)"
  printf 'global: {evaluation_interval: 15s}\nrule_files: [%s]\n' "$STATE/rules.yaml" >"$STATE/prometheus.yaml"
  start prometheus prometheus --config.file="$STATE/prometheus.yaml" --storage.tsdb.path="$STATE/prometheus" \
    --storage.tsdb.retention.time=100y --storage.tsdb.min-block-duration=2h --storage.tsdb.max-block-duration=2h \
    --web.listen-address="127.0.0.1:$(port_of prometheus)"
  started prometheus "Prometheus" 60 http_ok "$url/-/ready"
  python3 tests/bench/slo_report.py "$STATE" --peer "$url" --pid "$(pid_of prometheus)" --peer-slos "$PEER_SLOS" \
    --cycles "$CYCLES" ${json:+--json "$json"}
}
main "$@"
