#!/usr/bin/env bash
# The same random samples and random queries for Ward's engine and for Debian's Prometheus: ./dev diff [--seed N] [--queries N].
# The seed is printed; the same one gives the same samples and queries again.
set -euo pipefail
WARD_ROOT=${WARD_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)}
cd "$WARD_ROOT"
PROGRAM=${WARD_BUILD:-$WARD_ROOT/build/dev}/tests/differential/ward_answer_queries
# shellcheck source=tests/support/bed.sh
. tests/support/bed.sh

write_samples() {
  PYTHONPATH=tests/differential python3 -c 'import data, random, sys; data.write(random.Random(int(sys.argv[1])), sys.argv[2])' \
    "$1" "$STATE/samples.om"
  promtool tsdb create-blocks-from openmetrics "$STATE/samples.om" "$STATE/prometheus"
}

main() {
  local seed=$RANDOM count=2000 url
  while [ $# -gt 0 ]; do
    case $1 in
      --seed) seed=${2:?--seed needs a number}; shift 2 ;;
      --queries) count=${2:?--queries needs a number}; shift 2 ;;
      *) die "run.sh does not know '$1'" "Usage: ./dev diff [--seed N] [--queries N]" ;;
    esac
  done
  mkdir -p "$STATE/log"
  run_step "samples of seed $seed" "$STATE/log/samples.log" write_samples "$seed"
  free_port prometheus
  url="http://127.0.0.1:$(port_of prometheus)"
  printf '{}\n' >"$STATE/prometheus.yaml"
  start prometheus prometheus --config.file="$STATE/prometheus.yaml" --storage.tsdb.path="$STATE/prometheus" \
    --storage.tsdb.retention.time=100y --web.listen-address="127.0.0.1:$(port_of prometheus)"
  started prometheus "Prometheus" 30 http_ok "$url/-/ready"
  python3 tests/differential/compare.py --program "$PROGRAM" --samples "$STATE/samples.om" --peer "$url" \
    --seed "$seed" --queries "$count"
}
main "$@"
