#!/usr/bin/env bash
# What samples take: bytes of the stored days beside blocks that promtool makes of the same samples, and memory of the store with
# 100,000 and with 1,000,000 series of two hours. ./dev bench storage [--json FILE]; WARD_BENCH_SERIES and WARD_BENCH_HOURS (of
# the comparison on disk), WARD_BENCH_MANY (series in memory; 0 leaves that out) change it. Needs 3 GB below TMPDIR and, for
# a million series, 4 GB of memory; it takes about six minutes. Everything lives in a folder that is deleted at the end.
set -euo pipefail
WARD_ROOT=${WARD_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)}
cd "$WARD_ROOT"
PROGRAMS=${WARD_BUILD:-$WARD_ROOT/build/bench}
SERIES=${WARD_BENCH_SERIES:-2000}
HOURS=${WARD_BENCH_HOURS:-24}
MANY=${WARD_BENCH_MANY:-1000000}
# shellcheck source=tests/support/bed.sh
. tests/support/bed.sh
MEASURE=$PROGRAMS/tests/bench/ward_measure_storage

on_disk() { # on_disk STEP
  mkdir "$STATE/ward-$1"
  "$MEASURE" --disk "$STATE/ward-$1" "$SERIES" "$HOURS" "$1" >"$STATE/disk-$1.json"
}
peer_on_disk() { # peer_on_disk STEP
  "$MEASURE" --openmetrics "$SERIES" "$HOURS" "$1" >"$STATE/samples.om"
  promtool tsdb create-blocks-from openmetrics "$STATE/samples.om" "$STATE/prometheus-$1"
  rm "$STATE/samples.om"
  du -sb "$STATE/prometheus-$1" | cut -f1 >"$STATE/peer-$1"
}
in_memory() { # in_memory memory|memory-strangers SERIES
  mkdir "$STATE/$1-$2"
  "$MEASURE" "--$1" "$STATE/$1-$2" "$2" >"$STATE/$1-$2.json"
  rm -rf -- "${STATE:?}/$1-$2"
}

main() {
  local json='' step
  while [ $# -gt 0 ]; do
    case $1 in
      --json) json=$(realpath -m "${2:?--json needs a file}"); shift 2 ;;
      *) die "storage.sh does not know '$1'" "Usage: ./dev bench storage [--json FILE]" ;;
    esac
  done
  command -v promtool >/dev/null || die "promtool is missing" "Run ./dev setup bench."
  run_step "build the measuring program" "$STATE/log/build.log" ninja -C "$PROGRAMS" ward_measure_storage
  for step in 15 60; do
    run_step "$SERIES series, $HOURS h each $step s: Ward" "$STATE/log/disk.log" on_disk "$step"
    run_step "the same: Prometheus" "$STATE/log/peer.log" peer_on_disk "$step"
  done
  run_step "100,000 series with two hours in memory" "$STATE/log/memory.log" in_memory memory 100000
  run_step "the same, each of a pod of its own" "$STATE/log/strangers.log" in_memory memory-strangers 100000
  [ "$MANY" = 0 ] || run_step "$MANY series with two hours in memory" "$STATE/log/many.log" in_memory memory "$MANY"
  python3 tests/bench/storage_report.py "$STATE" --many "$MANY" ${json:+--json "$json"}
}
main "$@"
