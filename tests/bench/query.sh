#!/usr/bin/env bash
# What queries cost, beside the peer, in the same run: Debian's Prometheus on a block of the same samples (made by promtool)
# against Ward's engine on its head. ./dev bench query [--json FILE]; WARD_BENCH_ROUNDS changes how often each query runs.
# Needs 2 GB below TMPDIR for the samples as text; everything lives in a folder that is deleted at the end.
set -euo pipefail
WARD_ROOT=${WARD_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)}
cd "$WARD_ROOT"
PROGRAMS=${WARD_BUILD:-$WARD_ROOT/build/bench}
ROUNDS=${WARD_BENCH_ROUNDS:-30}
# shellcheck source=tests/support/bed.sh
. tests/support/bed.sh

make_block() {
  "$PROGRAMS/tests/bench/ward_measure_query" --openmetrics >"$STATE/samples.om"
  promtool tsdb create-blocks-from openmetrics "$STATE/samples.om" "$STATE/prometheus"
  rm "$STATE/samples.om"
}

main() {
  local json='' url
  while [ $# -gt 0 ]; do
    case $1 in
      --json) json=$(realpath -m "${2:?--json needs a file}"); shift 2 ;;
      *) die "query.sh does not know '$1'" "Usage: ./dev bench query [--json FILE]" ;;
    esac
  done
  for name in prometheus promtool; do
    command -v "$name" >/dev/null || die "$name is missing" "Run ./dev setup bench."
  done
  run_step "build the measuring program" "$STATE/log/build.log" ninja -C "$PROGRAMS" ward_measure_query
  run_step "the same samples for Prometheus" "$STATE/log/block.log" make_block
  free_port prometheus
  url="http://127.0.0.1:$(port_of prometheus)"
  printf '{}\n' >"$STATE/prometheus.yaml"
  start prometheus prometheus --config.file="$STATE/prometheus.yaml" --storage.tsdb.path="$STATE/prometheus" \
    --storage.tsdb.retention.time=100y --web.listen-address="127.0.0.1:$(port_of prometheus)"
  started prometheus "Prometheus" 30 http_ok "$url/-/ready"
  python3 tests/bench/query_report.py --program "$PROGRAMS/tests/bench/ward_measure_query" --peer "$url" \
    --rounds "$ROUNDS" ${json:+--json "$json"}
}
main "$@"
