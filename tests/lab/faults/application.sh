# Faults of the application: UX2 on the stand-in; AP1 and AP6 on the real Odoo of ./dev up --odoo, AP6 on the stand-in without it.
# shellcheck shell=bash

break_UX2() { : >"$STATE/standin/fail"; }
heal_UX2() { rm -f "$STATE/standin/fail"; }
break_AP6() { if [ -e "$STATE/odoo" ]; then odoo_lab kill; else stop standin; fi; }
heal_AP6() {
  if [ -e "$STATE/odoo" ]; then
    odoo_lab start
  else
    running standin || standin_start
  fi
}
odoo_lab() { bash tests/lab/odoo19.sh "$WARD_ROOT/.lab/odoo" "$@"; }

# Six clients for two workers, each request 10 s in the database: two are served, four wait in the listen queue.
occupy_workers() {
  local url
  url=$(cat "$WARD_ROOT/.lab/odoo/url")
  for _ in 1 2 3 4 5 6; do
    (while :; do curl -s -m 90 -o /dev/null "$url/ward_lab/database?seconds=10" || sleep 1; done) &
  done
  wait
}
break_AP1() { running odoo-busy || start odoo-busy timeout 540 bash -c "$(declare -f occupy_workers); occupy_workers"; }
heal_AP1() { stop odoo-busy 3; }
