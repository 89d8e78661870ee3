# Correlation scenarios: one cause, many symptoms. Symptoms come of themselves: of tests/lab/standin.py, clinic.py and the shipped probes,
# which depend on the PostgreSQL beneath. mend_ID, where there is one, heals the cause and leaves a symptom.
# shellcheck shell=bash

# The primary stops; Odoo, the workflow, the queue and the standby complain.
break_CO1() { break_DB1; }
heal_CO1() { heal_DB1; }

# An import that takes the lock of a whole table in each of its transactions: searches wait for seconds, and only after two
# minutes it is clear why.
hold_prices() {
  printf 'BEGIN;\nLOCK TABLE price_list IN ACCESS EXCLUSIVE MODE;\n\\sleep 6 s\nCOMMIT;\n\\sleep 200 ms\n' >"$STATE/hold-prices.sql"
  billing_bench price-import -c 1 -T 540 -f "$STATE/hold-prices.sql"
}
break_CO3() {
  correlate "${LAB_CORRELATION/reparent: 30s/reparent: 2m}"
  start_part pg-prices hold_prices
}
heal_CO3() {
  stop pg-prices 5
  correlate "$LAB_CORRELATION"
}

# The simulated volume takes 3 s a read, so each search does.
break_CO4() { volume_latency 3000; }
heal_CO4() { volume_latency 1; }

# One session holds an invoice; four users post to it, so both workers wait for the lock and everybody else for a worker. A
# wait for a lock counts after 30 s, busy workers after 10: the class actionable waits for its cause, as it does by default.
post_one_invoice() {
  local url
  url="http://127.0.0.1:$(port_of standin)/billing/post?invoice=1"
  for _ in 1 2 3 4; do
    (while :; do curl -s -m 120 -o /dev/null "$url" || sleep 1; done) &
  done
  wait
}
break_CO5() {
  correlate "reparent: 30s, settle_resolve: 0s, flap: {enter: 8, in: 10m, stable: 1m}"
  start_part pg-holder hold_lock
  wait_for 10 lock_is_held || die "the session that should hold a lock did not get it" "See $(relative "$STATE/log/pg-holder.log")."
  start_part posts post_one_invoice
}
heal_CO5() {
  stop pg-holder 3
  stop posts 3
  correlate "$LAB_CORRELATION"
}

# Redis comes and goes, each time long enough to be noticed.
flap_redis() {
  while :; do
    stop redis
    sleep 25
    redis_start
    sleep 35
  done
}
break_CO6() {
  correlate "reparent: 30s, flap: {enter: 4, in: 10m, stable: 1m}"
  start_part redis-flap flap_redis
}
linger_CO6() { sleep 70; }  # a whole turn after the note: no further pair of page and end
heal_CO6() {
  stop redis-flap 3
  running redis || redis_start
  correlate "$LAB_CORRELATION"
}

# The primary stops, and the queue's runner does not survive it: when the primary is back, the queue still stands.
break_CO7() {
  : >"$STATE/standin/brittle"
  break_DB1
}
mend_CO7() { heal_DB1; }
heal_CO7() {
  heal_DB1
  rm -f "$STATE/standin/brittle"
}

# Two faults that have nothing to do with each other.
break_CO8() {
  break_DB1
  break_RD1
}
heal_CO8() {
  heal_DB1
  heal_RD1
}
