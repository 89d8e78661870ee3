# The lab's identities and configuration files, written to .ward/ from the ports and secrets of this run.
# shellcheck shell=bash

# The agents of the lab. `data` watches the databases and the machine; the small ones are other nodes: one of four may die
# without blinding the platform.
readonly AGENTS=(data edge-1 edge-2 edge-3)
readonly LAB_TENANT=lab

wardctl() { "$BUILD/release/cli/wardctl" "$@"; }

make_pki() {
  local agent
  wardctl pki init --dir "$STATE/pki"
  wardctl pki issue --dir "$STATE/pki" --collector lab --name localhost --name 127.0.0.1
  for agent in "${AGENTS[@]}"; do
    wardctl pki issue --dir "$STATE/pki" --agent "$agent" --tenant "$LAB_TENANT"
  done
}

receivers_yaml() {
  local owner
  for owner in application database platform security backup; do
    printf '  - {name: %s, webhook: {url: "http://127.0.0.1:%s/pages/%s"}}\n' "$owner" "$(port_of receiver)" "$owner"
  done
}

# Faults are caused one after another on purpose: what comes a minute later is a fault of its own, not a flap, and a class
# actionable need not wait a minute for its cause.
readonly LAB_CORRELATION='reparent: 30s, settle_resolve: 0s, settle: {actionable: 10s, urgent: 2s, executive: 0s}, flap: {enter: 8, in: 10m, stable: 1m}'
write_operations_yaml() { # write_operations_yaml CORRELATION
  cat >"$STATE/operations.yaml" <<YAML
# Written by ./dev up, and by the faults that need other times.
groups: []
---
kind: Operations
apiVersion: ward/v1
spec:
  # Nobody acknowledges here: without this a fault of more than five minutes would page its owner's fallback too, rightly.
  acknowledge_within: 0s
  correlation: {$1}
  # These tell of the machine itself, which may be building software beside the lab and really be out of breath then.
  tenantOverrides:
    - tenant: $LAB_TENANT
      alert: {NodeCpuPressure: {enabled: false}, NodeMemoryStalls: {enabled: false}, NodeIoStalls: {enabled: false}}
YAML
}
# correlate CORRELATION: other times from now on; returns when they are in force.
correlate() {
  local before
  before=$(reloads)
  write_operations_yaml "$1"
  kill -HUP "$(pid_of collector)"
  wait_for 20 reloaded_since "$before" || die "the collector did not take new correlation times" "See .ward/log/collector.log."
}
reloads() { grep -c 'New rules and certificates are in force' "$STATE/log/collector.log" || true; }
reloaded_since() { [ "$(reloads)" -gt "$1" ]; }

write_collector_yaml() {
  cat >"$STATE/collector.yaml" <<YAML
# Written by ./dev up; config/collector.yaml explains every key.
listen: {stream: "127.0.0.1:$(port_of stream)", http: "127.0.0.1:$(port_of http)"}
data_dir: $STATE/collector
external_url: "http://127.0.0.1:$(port_of http)"
log: {level: info, format: text}
retention: {samples: 2d}
ingest: {max_sample_age: 0s}
rules: ["$WARD_ROOT/rules/*.yaml", "$WARD_ROOT/tests/lab/rules/*.yaml", "$STATE/operations.yaml"]
evaluation: {interval: 5s}
tls:
  ca: $STATE/pki/ca.crt
  certificate: $STATE/pki/collector-lab.crt
  key: $STATE/pki/collector-lab.key
heartbeat: {url: "http://127.0.0.1:$(port_of receiver)/deadman", interval: 5s}
receivers:
$(receivers_yaml)
owners:
  application: {receiver: application, fallback: platform}
  database: {receiver: database, fallback: platform}
  platform: {receiver: platform, fallback: database}
  security: {receiver: security, fallback: platform}
  backup: {receiver: backup, fallback: platform}
services:
  odoo: {owner: application, dependsOn: [{to: pg-main, mode: hard}, {to: redis, mode: soft}, {to: node, mode: hard}]}
  pg-main: {owner: database, dependsOn: [{to: volume, mode: hard}, {to: node, mode: hard}]}
  redis: {owner: platform, dependsOn: [{to: node, mode: hard}]}
  node: {owner: platform}
  # Those of the lab alone: tests/lab/rules/lab.yaml.
  billing: {owner: application, dependsOn: [{to: odoo, mode: hard}]}
  queue: {owner: application, dependsOn: [{to: odoo, mode: hard}]}
  pg-standby: {owner: database, dependsOn: [{to: pg-main, mode: hard}, {to: node, mode: hard}]}
  volume: {owner: platform, dependsOn: [{to: node, mode: hard}]}
  ward: {owner: platform}
  traefik: {owner: platform}
  dependency: {owner: platform}
  ward-collector: {owner: platform}
# No patient depends on the lab, so its tenant may have alerts switched off.
tenants: {$LAB_TENANT: {workflows: [billing]}}
YAML
}

agent_head() { # agent_head NAME
  cat <<YAML
# Written by ./dev up; config/agent.yaml explains every key.
agent: $1
tenant: $LAB_TENANT
data_dir: $STATE/agent-$1
listen: {http: "127.0.0.1:$(port_of "agent-$1")"}
log: {level: info, format: text}
collectors:
  - {address: "127.0.0.1:$(port_of stream)", server_name: localhost}
tls:
  ca: $STATE/pki/ca.crt
  certificate: $STATE/pki/agent-$1.crt
  key: $STATE/pki/agent-$1.key
spool: {max_size: 64MiB}
targets:
YAML
}
# The real Odoo 19 of `up --odoo`.
odoo_targets() {
  local lab=$WARD_ROOT/.lab/odoo
  cat <<YAML
  - {probe: odoo_workers, name: odoo-19, interval: 5s, port: $(cat "$lab/.ward/ports/odoo-http"), gevent_port: $(cat "$lab/.ward/ports/odoo-gevent"), labels: {service: odoo}}
  - {probe: odoo_http, name: odoo-19, interval: 5s, url: "$(cat "$lab/url")", labels: {service: odoo}}
  - {probe: odoo_txn, name: odoo-19, interval: 10s, url: "$(cat "$lab/url")", key: {file: $lab/api-key}, labels: {service: odoo}}
YAML
}
write_agent_data_yaml() {
  {
    agent_head data
    cat <<YAML
  - {probe: node, name: node, interval: 5s, labels: {service: node, node: lab}}
  - probe: postgres
    name: pg-main
    interval: 5s
    host: 127.0.0.1
    port: $(port_of pg-primary)
    database: postgres
    user: ward
    password: {file: $STATE/secrets/pg-ward}
    expected_standbys: [standby1]
    heartbeat: {table: ward_heartbeat, write_user: ward_heartbeat, write_password: {file: $STATE/secrets/pg-heartbeat}}
    labels: {service: pg-main, role: primary}
  - probe: postgres
    name: pg-main-1
    interval: 5s
    host: 127.0.0.1
    port: $(port_of pg-standby)
    database: postgres
    user: ward
    password: {file: $STATE/secrets/pg-ward}
    heartbeat: {table: ward_heartbeat}
    labels: {service: pg-main, role: standby}
  - {probe: redis, name: redis, interval: 5s, host: 127.0.0.1, port: $(port_of redis), labels: {service: redis}}
  - {probe: odoo_workers, name: odoo, interval: 5s, port: $(port_of standin), command: standin.py, labels: {service: odoo}}
  - {probe: odoo_http, name: odoo, interval: 5s, url: "http://127.0.0.1:$(port_of standin)", labels: {service: odoo}}
  - {probe: scrape, name: clinic, interval: 5s, url: "http://127.0.0.1:$(port_of clinic)/metrics", labels: {service: billing}}
  - {probe: scrape, name: volume, interval: 5s, url: "http://127.0.0.1:$(port_of clinic)/volume", labels: {service: volume}}
YAML
    [ ! -e "$STATE/odoo" ] || odoo_targets
  } >"$STATE/agent-data.yaml"
}
write_agent_edge_yaml() { # write_agent_edge_yaml NAME
  {
    agent_head "$1"
    cat <<YAML
  - {probe: tcp, name: receiver, interval: 5s, address: "127.0.0.1:$(port_of receiver)", labels: {service: ward-receiver}}
YAML
  } >"$STATE/agent-$1.yaml"
}

write_configs() {
  local agent
  write_collector_yaml
  write_operations_yaml "$LAB_CORRELATION"
  write_agent_data_yaml
  for agent in "${AGENTS[@]:1}"; do write_agent_edge_yaml "$agent"; done
}
