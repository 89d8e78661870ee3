#!/usr/bin/env bash
# What an agent costs, beside the peer, in the same run: Debian's node, PostgreSQL, Redis and blackbox exporters with
# `prometheus --enable-feature=agent` against one ward-agent. The same targets, each 10 s, two minutes after a warm-up.
# ./dev bench agent [--json FILE]; WARD_BENCH_SECONDS changes the length. Everything lives in a folder that is deleted at the end.
set -euo pipefail
WARD_ROOT=${WARD_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)}
cd "$WARD_ROOT"
PROGRAMS=${WARD_BUILD:-$WARD_ROOT/build/bench}
SECONDS_MEASURED=${WARD_BENCH_SECONDS:-120}
WARMUP=${WARD_BENCH_WARMUP:-30}
# shellcheck source=tests/support/bed.sh
. tests/support/bed.sh
# shellcheck source=tools/dev/postgres.sh
. tools/dev/postgres.sh
# shellcheck source=tools/dev/redis.sh
. tools/dev/redis.sh

clean_up() {
  local file
  for file in "$STATE"/run/*.pid; do
    case $file in */pg-*.pid) ;; *) stop "$(basename "$file" .pid)" ;; esac
  done
  pg_down
  rm -rf -- "${STATE:?}"
}

started_http() { started "$1" "$2" 20 http_ok "$(url "$1")$3"; } # started_http NAME LABEL PATH

start_targets() {
  run_step "PostgreSQL on 127.0.0.1" "$STATE/log/pg-create.log" pg_create
  run_step "PostgreSQL role" "$STATE/log/pg-roles.log" pg_roles
  redis_up
  start sink python3 tests/bench/sink.py "$(port_of sink)"
  started_http sink "sink" /received
}

start_ward() {
  "$PROGRAMS/cli/wardctl" pki init --dir "$STATE/pki" >/dev/null
  "$PROGRAMS/cli/wardctl" pki issue --dir "$STATE/pki" --collector bench --name localhost >/dev/null
  "$PROGRAMS/cli/wardctl" pki issue --dir "$STATE/pki" --agent bench --tenant bench >/dev/null
  cat >"$STATE/collector.yaml" <<YAML
listen: {stream: "127.0.0.1:$(port_of stream)", http: "127.0.0.1:$(port_of collector)"}
data_dir: $STATE/collector
rules: ["$WARD_ROOT/rules/*.yaml"]
tls: {ca: $STATE/pki/ca.crt, certificate: $STATE/pki/collector-bench.crt, key: $STATE/pki/collector-bench.key}
receivers: [{name: sink, webhook: {url: "$(url sink)"}}]
owners: {platform: {receiver: sink}}
YAML
  cat >"$STATE/agent.yaml" <<YAML
agent: bench
tenant: bench
data_dir: $STATE/agent
listen: {http: "127.0.0.1:$(port_of agent)"}
collectors: [{address: "127.0.0.1:$(port_of stream)", server_name: localhost}]
tls: {ca: $STATE/pki/ca.crt, certificate: $STATE/pki/agent-bench.crt, key: $STATE/pki/agent-bench.key}
targets:
  - {probe: node, name: node, interval: 10s}
  - {probe: postgres, name: pg-main, interval: 10s, host: 127.0.0.1, port: $(port_of pg-primary), user: ward,
     password: {file: $STATE/secrets/pg-ward}}
  - {probe: redis, name: redis, interval: 10s, host: 127.0.0.1, port: $(port_of redis)}
  - {probe: http, name: page, interval: 10s, url: "$(url sink)/"}
  - {probe: tcp, name: redis, interval: 10s, address: "127.0.0.1:$(port_of redis)"}
YAML
  start collector "$PROGRAMS/collector/ward-collector" --config "$STATE/collector.yaml"
  started_http collector "collector" /api/v1/query?query=1
  start agent "$PROGRAMS/agent/ward-agent" --config "$STATE/agent.yaml"
  started_http agent "ward-agent" /healthz
}

scrape_jobs() {
  local name module target
  for name in node postgres redis; do
    printf '  - {job_name: %s, static_configs: [{targets: ["127.0.0.1:%s"]}]}\n' "$name" "$(port_of "$name-exporter")"
  done
  while read -r name module target; do
    printf '  - {job_name: %s, metrics_path: /probe, params: {module: [%s], target: ["%s"]}, static_configs: [{targets: ["127.0.0.1:%s"]}]}\n' \
      "$name" "$module" "$target" "$(port_of blackbox-exporter)"
  done <<LIST
http http_2xx $(url sink)/
tcp tcp_connect 127.0.0.1:$(port_of redis)
LIST
}

start_peer() {
  start node-exporter prometheus-node-exporter --web.listen-address="127.0.0.1:$(port_of node-exporter)"
  DATA_SOURCE_NAME="postgresql://ward:$(secret pg-ward)@127.0.0.1:$(port_of pg-primary)/postgres?sslmode=disable" \
    start postgres-exporter prometheus-postgres-exporter --web.listen-address="127.0.0.1:$(port_of postgres-exporter)"
  start redis-exporter prometheus-redis-exporter -redis.addr "redis://127.0.0.1:$(port_of redis)" \
    -web.listen-address "127.0.0.1:$(port_of redis-exporter)"
  printf 'modules: {http_2xx: {prober: http, http: {preferred_ip_protocol: ip4}}, tcp_connect: {prober: tcp}}\n' >"$STATE/blackbox.yaml"
  start blackbox-exporter prometheus-blackbox-exporter --config.file="$STATE/blackbox.yaml" \
    --web.listen-address="127.0.0.1:$(port_of blackbox-exporter)"
  {
    printf 'global: {scrape_interval: 10s}\nremote_write: [{url: "%s/write"}]\nscrape_configs:\n' "$(url sink)"
    scrape_jobs
  } >"$STATE/prometheus.yaml"
  start prometheus prometheus --enable-feature=agent --config.file="$STATE/prometheus.yaml" \
    --storage.agent.path="$STATE/prometheus" --web.listen-address="127.0.0.1:$(port_of prometheus)"
  local name
  for name in node postgres redis blackbox; do started_http "$name-exporter" "prometheus-$name-exporter" /metrics; done
  started_http prometheus "prometheus agent" /metrics
}

main() {
  local json='' name peers=()
  while [ $# -gt 0 ]; do
    case $1 in
      --json) json=$(realpath -m "${2:?--json needs a file}"); shift 2 ;;
      *) die "agent.sh does not know '$1'" "Usage: ./dev bench agent [--json FILE]" ;;
    esac
  done
  for name in prometheus prometheus-{node,postgres,redis,blackbox}-exporter redis-server; do
    command -v "$name" >/dev/null || die "$name is missing" "Run ./dev setup bench."
  done
  for name in sink stream collector agent {node,postgres,redis,blackbox}-exporter prometheus; do free_port "$name"; done
  start_targets
  start_peer
  start_ward
  say "  warm-up $WARMUP s, then $SECONDS_MEASURED s"
  sleep "$WARMUP"
  for name in {node,postgres,redis,blackbox}-exporter prometheus; do peers+=(--peer "$name=$(pid_of "$name")"); done
  python3 tests/bench/agent_report.py --seconds "$SECONDS_MEASURED" --ward "ward-agent=$(pid_of agent)" "${peers[@]}" \
    --ward-metrics "$(url agent)/metrics" --collector "$(url collector)" --peer-metrics "$(url prometheus)/metrics" \
    --sink "$(url sink)" ${json:+--json "$json"}
}
main "$@"
