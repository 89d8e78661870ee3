# The lab's Redis: small limits, so that the faults RD2 and RD5 need little.
# shellcheck shell=bash

redis() { redis-cli -h 127.0.0.1 -p "$(port_of redis)" "$@"; }
redis_answers() { [ "$(redis ping 2>/dev/null)" = PONG ]; }

redis_start() {
  start redis redis-server "$STATE/redis.conf"
  started redis "Redis on 127.0.0.1:$(port_of redis)" 15 redis_answers
}
redis_up() {
  free_port redis
  mkdir -p "$STATE/redis"
  cat >"$STATE/redis.conf" <<CONF
bind 127.0.0.1
port $(port_of redis)
dir $STATE/redis
save 3600 1
maxmemory 100mb
maxmemory-policy noeviction
maxclients 100
CONF
  redis_start
}
