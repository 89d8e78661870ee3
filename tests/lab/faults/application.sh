# Faults of the application, on the stand-in for Odoo.
# shellcheck shell=bash

break_UX2() { : >"$STATE/standin/fail"; }
heal_UX2() { rm -f "$STATE/standin/fail"; }
break_AP6() { stop standin; }
heal_AP6() { running standin || standin_start; }
