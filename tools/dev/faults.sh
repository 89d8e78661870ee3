# ./dev break, heal, faults: the fault catalogue on the lab of ./dev up. What each fault must bring is in
# tests/lab/faults.tsv, how it is caused in tests/lab/faults/*.sh (break_ID, heal_ID).
# shellcheck shell=bash

for file in tests/lab/faults/*.sh; do
  # shellcheck source=/dev/null
  . "$file"
done

readonly FAULTS=tests/lab/faults.tsv
QUIET=${WARD_QUIET_SECONDS:-30}    # so long nothing may fire before and after a fault
SETTLE=${WARD_SETTLE_SECONDS:-20}  # so long a broken fault may bring one page more

# What the lab of now can cause: faults of the real Odoo only while `./dev up --odoo` runs.
fault_ids() { awk -F'\t' -v odoo="$([ -e "$STATE/odoo" ] && echo 1)" '!/^#/ && ($9 == "-" || odoo) {print $1}' "$FAULTS"; }
fault_field() { awk -F'\t' -v id="$1" -v n="$2" '$1 == id {print $n}' "$FAULTS"; }
need_fault() {
  if declare -F "break_$1" >/dev/null && [ -n "$(fault_field "$1" 1)" ]; then
    [ "$(fault_field "$1" 9)" != odoo ] || [ -e "$STATE/odoo" ] || die "fault '$1' needs the real Odoo" "Run ./dev down, then ./dev up --odoo --detach."
    return 0
  fi
  die "the lab cannot cause fault '$1'" "It can cause: $(fault_ids | tr '\n' ' '). The whole catalogue is larger; see CHANGELOG.md."
}

cmd_break() {
  local id=${1:-} expected
  [ -n "$id" ] || die "which fault?" "Usage: ./dev break ID, one of: $(fault_ids | tr '\n' ' ')."
  need_up
  need_fault "$id"
  mkdir -p "$STATE/broken"
  : >"$STATE/broken/$id"
  "break_$id"
  expected="one page to $(fault_field "$id" 2), class $(fault_field "$id" 3)"
  [ "$(fault_field "$id" 10)" = - ] || expected=$(fault_field "$id" 10)
  say "$id: $(fault_field "$id" 8). Expected: $expected. End it: ./dev heal $id"
}
cmd_heal() {
  local id
  need_up
  if [ $# -gt 0 ]; then
    for id in "$@"; do need_fault "$id"; done
  else
    mapfile -t broken < <(find "$STATE/broken" -type f -printf '%f\n' 2>/dev/null)
    set -- "${broken[@]}"
  fi
  [ $# -gt 0 ] || { say "nothing is broken"; return 0; }
  for id in "$@"; do
    "heal_$id"
    rm -f "$STATE/broken/$id"
    say "$id: healed"
  done
}

# --- judging ----------------------------------------------------------------------------------------------------------
page_count() { wc -l <"$STATE/pages.jsonl" 2>/dev/null || echo 0; }
# pages_since LINE: the pages after that line of the file, as an array of page.jq's objects.
pages_since() { tail -n "+$(($1 + 1))" "$STATE/pages.jsonl" 2>/dev/null | jq -c --arg show fields -f tools/dev/page.jq | jq -sc .; }
fired_since() { [ "$(pages_since "$1" | jq 'map(select(.status == "firing")) | length')" -gt 0 ]; }
all_resolved_since() {
  pages_since "$1" | jq -e 'map(select(.status == "firing") | .incident) as $open
    | map(select(.status == "resolved") | .incident) as $done
    | ($open | length) > 0 and ($open - $done | length) == 0' >/dev/null
}
nothing_fires() {
  [ "$(api /api/v1/alerts | jq '[.data.alerts[] | select(.state == "firing")] | length' 2>/dev/null)" = 0 ]
}
# quiet SECONDS LIMIT: nothing fires and no page comes for SECONDS in a row, within LIMIT.
quiet() {
  local want=$1 limit=$2 begin=$SECONDS since=$SECONDS count
  count=$(page_count)
  while [ $((SECONDS - since)) -lt "$want" ]; do
    [ $((SECONDS - begin)) -lt "$limit" ] || return 1
    if ! nothing_fires || [ "$(page_count)" -ne "$count" ]; then
      count=$(page_count)
      since=$SECONDS
    fi
    sleep 1
  done
}

# What a scenario must bring beside its first page: faults.tsv's messages, absorbs.
told_all() { # told_all ID BEFORE: as many messages as expected have come, ends aside
  local messages
  read -ra messages <<<"$(fault_field "$1" 10)"
  [ "$(pages_since "$2" | jq 'map(select(.status == "firing")) | length')" -ge ${#messages[@]} ]
}
absorbed() { # absorbed ID BEFORE: the first page's incident has all alerts it must have
  local incident
  incident=$(pages_since "$2" | jq -r 'map(select(.status == "firing"))[0].incident')
  api "/api/ward/v1/incidents?id=$incident" | jq -e --arg absorbs "$(fault_field "$1" 11)" \
    '[.incidents[].alerts[].alert] as $there | ($absorbs | split(",")) - $there | length == 0' >/dev/null
}

# judge ID BEFORE BROKEN_MS HEALED_MS QUIET_BEFORE QUIET_AFTER: one JSON object with the verdict.
judge() {
  pages_since "$2" | jq -c --arg id "$1" --argjson broken "$3" --argjson healed "$4" --arg before "$5" --arg after "$6" \
    --arg owner "$(fault_field "$1" 2)" --arg class "$(fault_field "$1" 3)" --arg service "$(fault_field "$1" 4)" \
    --arg alert "$(fault_field "$1" 5)" --arg messages "$(fault_field "$1" 10)" --arg absorbs "$(fault_field "$1" 11)" \
    --arg says "$(fault_field "$1" 12)" --argjson known "$(head -n "$2" "$STATE/pages.jsonl" 2>/dev/null | jq -sc 'map(.body.groupKey) | unique')" -f tools/dev/judge.jq
}

run_fault() { # run_fault ID: leaves the verdict in .ward/verdicts/ID.json
  local id=$1 before broken healed quiet_before=quiet quiet_after=quiet
  printf '%s  quiet before ' "$id" >&2
  quiet "$QUIET" 240 || quiet_before=loud
  before=$(page_count)
  broken=$(now_ms)
  printf ' break' >&2
  cmd_break "$id" >/dev/null
  if wait_for "$(fault_field "$id" 6)" fired_since "$before"; then
    printf ' paged after %s s' $((($(now_ms) - broken) / 1000)) >&2
    unfold "$id" "$before"
    sleep "$SETTLE"
    if declare -F "linger_$id" >/dev/null; then "linger_$id"; fi
  else
    printf ' NO PAGE in %s s' "$(fault_field "$id" 6)" >&2
  fi
  healed=$(now_ms)
  printf ' heal' >&2
  cmd_heal "$id" >/dev/null
  if fired_since "$before"; then wait_for "$(fault_field "$id" 7)" all_resolved_since "$before" || printf ' NO RESOLVE' >&2; fi
  printf ' quiet after' >&2
  quiet "$QUIET" 120 || quiet_after=loud
  judge "$id" "$before" "$broken" "$healed" "$quiet_before" "$quiet_after" >"$STATE/verdicts/$id.json"
  printf '  %s\n' "$(jq -r 'if .counts then "counts" else "does NOT count: " + (.problems | join("; ")) end' "$STATE/verdicts/$id.json")" >&2
}
# A scenario goes on after its first page: symptoms join, the cause is mended and a symptom stays, further people are told.
unfold() { # unfold ID BEFORE
  if [ "$(fault_field "$1" 11)" != - ]; then
    wait_for 180 absorbed "$1" "$2" || printf ' NOT ALL JOINED' >&2
  fi
  if declare -F "mend_$1" >/dev/null; then
    printf ' mend' >&2
    "mend_$1"
  fi
  if [ "$(fault_field "$1" 10)" != - ]; then
    wait_for 300 told_all "$1" "$2" || printf ' NOT ALL TOLD' >&2
  fi
}

# told: first pages + pages to further people or of a graver class + notes.
print_verdicts() { # print_verdicts FILE
  printf '%-5s %8s %6s %9s  %-12s %-13s %-16s %-26s %-8s %9s  %s\n' id 'page s' told absorbed owner class root alert runbook 'resolve s' verdict
  jq -r '.[] | [.id, .seconds_to_page // "-", ([.pages, .escalations, .updates] | join("+")), .absorbed, .receiver // "-", .class // "-", .root // "-", .alert // "-",
    (if .runbook then "yes" else "no" end), .seconds_to_resolve // "-",
    (if .counts then "counts" else "NO: " + (.problems | join("; ")) end)] | @tsv' "$1" |
    while IFS=$'\t' read -r id page pages absorbed owner class root alert runbook resolve verdict; do
      printf '%-5s %8s %6s %9s  %-12s %-13s %-16s %-26s %-8s %9s  %s\n' "$id" "$page" "$pages" "$absorbed" "$owner" "$class" "$root" "$alert" "$runbook" "$resolve" "$verdict"
    done
}

cmd_faults() {
  local ids=() json='' id
  while [ $# -gt 0 ]; do
    case $1 in
      --json) json=${2:?--json needs a file}; shift 2 ;;
      --quiet) QUIET=${2:?--quiet needs seconds}; shift 2 ;;
      -*) die "./dev faults does not know '$1'" "Usage: ./dev faults [ID...] [--json FILE] [--quiet SECONDS]." ;;
      *) ids+=("$1"); shift ;;
    esac
  done
  [ ${#ids[@]} -gt 0 ] || mapfile -t ids < <(fault_ids)
  for id in "${ids[@]}"; do need_fault "$id"; done
  is_up || cmd_up --detach
  trap 'cmd_heal >/dev/null 2>&1 || true' EXIT
  rm -rf "$STATE/verdicts"
  mkdir -p "$STATE/verdicts"
  for id in "${ids[@]}"; do run_fault "$id"; done
  (cd "$STATE/verdicts" && jq -s . "${ids[@]/%/.json}") >"$STATE/faults.json"
  [ -z "$json" ] || cp "$STATE/faults.json" "$json"
  print_verdicts "$STATE/faults.json"
  say "$(jq 'map(select(.counts)) | length' "$STATE/faults.json") of ${#ids[@]} faults count"
  jq -e 'all(.counts)' "$STATE/faults.json" >/dev/null
}
