# The verdict on one fault of ./dev faults, from all that was told between its causing and the quiet after it: an array of
# page.jq's objects. The arguments are the columns of tests/lab/faults.tsv and the times in ms.
def among($wanted): . as $v | $wanted == "-" or ($wanted | split("|") | index($v) != null);

# "KIND:RECEIVER:CLASS:SERVICE:ALERT"; each part may be `a|b`.
def fits($pattern): [.kind, .receiver, .class, .service, .alert] as $is | ($pattern | split(":")) as $want
  | all(range(5); . as $i | $is[$i] | among($want[$i]));
# What is left of the patterns when each message has taken one, and the messages that found none.
def match_up($patterns):
  reduce .[] as $m ({left: $patterns, strange: []};
    (.left | map(. as $p | $m | fits($p)) | index(true)) as $at
    | if $at == null then .strange += [$m] else .left |= (.[:$at] + .[$at + 1:]) end);
def shown: "\(.kind) to \(.receiver): \(.alert)";

map(select(.status == "firing")) as $told
| map(select(.status == "resolved")) as $resolves
| ($told | map(select(.kind == "fire"))) as $fires
| ($told | map(select(.kind == "escalate"))) as $rises
| ($fires | map(select(.alert | among($alert))) | .[0]) as $named
| ($named // $fires[0]) as $page
| ($resolves | last) as $healthy
| ([$told[] | select(.kind != "update") | {incident, receiver}] | unique) as $paged
| (if $messages == "-" then null else ($messages | split(" ")) end) as $patterns
| ([.[] | select(.incident == $page.incident) | .members[]] | unique) as $members
| {
    id: $id,
    seconds_to_page: (if $page then (($page.received_ms - $broken) / 100 | round / 10) else null end),
    pages: ($fires | length), escalations: ($rises | length), updates: ($told | map(select(.kind == "update")) | length),
    incidents: ([$told[].incident] | unique | length), absorbed: ($members - [$page.alert] | length),
    receiver: ($page.receiver // null), owner: ($page.owner // null), class: ($page.class // null),
    root: ($page.service // null), alert: ($page.alert // null), runbook: (($page.runbook // "") != ""),
    seconds_to_resolve: (if $healthy then (($healthy.received_ms - $healed) / 100 | round / 10) else null end),
    told: [$told[] | {after_s: ((.received_ms - $broken) / 100 | round / 10), kind, receiver, class, service, alert}],
    problems: [
      (if $before != "quiet" then "it was not quiet before" else empty end),
      (if ($fires | length) == 0 then "no page" else empty end),
      (if any($fires[]; .incident as $i | ($known - ["ward-deadman"]) | index($i)) then "an incident of before, opened again" else empty end),
      (if $patterns == null then
        (if ($fires | length) > 1 then "\($fires | length) pages: \($fires | map(shown) | join(", "))" else empty end),
        ($rises[] | select(.class | among($class) | not) | "escalated to \(.class)")
      else
        ($told | match_up($patterns)
          | (.strange[] | "not expected: \(shown)"), (.left[] | "not told: \(.)")),
        (if ([$told[].incident] | unique | length) != ($patterns | map(select(startswith("fire:"))) | length)
          then "\([$told[].incident] | unique | length) incidents" else empty end)
      end),
      (if $page and ($page.receiver | among($owner) | not) then "paged \($page.receiver), not \($owner)" else empty end),
      (if $page and ($page.class | among($class) | not) then "class \($page.class), not \($class)" else empty end),
      (if $page and ($page.service | among($service) | not) then "root \($page.service), not \($service)" else empty end),
      (if $page and ($page.alert | among($alert) | not) then "alert \($page.alert), not \($alert)" else empty end),
      (if $page and $page.runbook == "" then "no runbook" else empty end),
      (if $page and $absorbs != "-" then (($absorbs | split(",")) - $members)[] | "\(.) is not in the incident" else empty end),
      (if $page and $says != "-" and ([$told[] | select(.receiver | among($owner)) | .text | test($says; "s")] | any | not)
        then "the page does not say /\($says)/" else empty end),
      (if [.[].text | test("\\bselect\\b.*\\bfrom\\b|\\bupdate \\S+ set\\b|\\binsert into\\b|\\bdelete from\\b|\\block table\\b"; "i")] | any
        then "SQL text in a page" else empty end),
      (if $page and ($healthy | not) then "no resolve" else empty end),
      (if $healthy and ([$resolves[] | {incident, receiver}] | sort) != ($paged | sort)
        then "\($resolves | length) resolves for \($paged | length) pages" else empty end),
      (if $healthy and $healthy.received_ms < $healed then "resolved before it was healed" else empty end),
      (if $after != "quiet" then "it was not quiet after" else empty end)
    ]
  } | .counts = (.problems | length == 0)
