# One line of pages.jsonl as the fields a judge needs; the one place of the tools that knows a page's shape
# (Alertmanager's webhook body, the root alert first). With --arg show line: a line for people.
def page:
  (.body.alerts // [])[0] as $first
  | (($first.labels // {}) + (.body.commonLabels // {})) as $labels
  | (($first.annotations // {}) + (.body.commonAnnotations // {})) as $notes
  | {
      received_ms, receiver,
      status: .body.status,
      kind: ($labels.ward_kind // (if .body.status == "resolved" then "resolve" else "fire" end)),
      incident: (.body.groupKey // ""),
      class: ($labels.ward_class // $labels.class // ""),
      owner: ($labels.ward_owner // $labels.owner // ""),
      alert: ($first.labels.alertname // ""),
      service: ($labels.ward_service // $labels.service // ""),
      runbook: ($notes.runbook_url // ""),
      summary: (($notes.summary // "") | split("\n")[0]),
      members: [(.body.alerts // [])[].labels.alertname],
      text: "\($notes.ward_page // "")\n\($notes.summary // "")\n\($notes.description // "")"
    };
page | if $show == "line" then
    "\((.received_ms / 1000) | strflocaltime("%H:%M:%S"))  \(if .status == "resolved" then "RESOLVED" else (.class | ascii_upcase) end)  \(.receiver)  \(.alert) at \(.service)  \(.summary)"
  else . end
