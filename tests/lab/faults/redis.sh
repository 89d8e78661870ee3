# Faults of the data layer: Redis.
# shellcheck shell=bash

break_RD1() { stop redis; }
heal_RD1() { running redis || redis_start; }

# 94 values of 1 MB in a database of their own: 94 % of maxmemory.
break_RD2() {
  redis -n 9 EVAL "for i = 1, 94 do redis.call('SET', 'fill:' .. i, string.rep('x', 1000000)) end return 1" 0 >/dev/null
}
heal_RD2() { redis -n 9 FLUSHDB >/dev/null; }

# Idle mode: opens the connections and waits.
break_RD5() {
  running redis-flood || start redis-flood timeout 600 redis-benchmark -h 127.0.0.1 -p "$(port_of redis)" -c 93 -I
}
heal_RD5() { stop redis-flood 3; }
