# One line of pages.jsonl as the fields a judge needs; the one place of the tools that knows a page's shape
# (Alertmanager's webhook body, the root alert first). With --arg show line: a line for people.
def page:
  (.body.alerts // [])[0] as $first
  | (($first.labels // {}) + (.body.commonLabels // {})) as $labels
  | (($first.annotations // {}) + (.body.commonAnnotations // {})) as $notes
  | {
      received_ms, receiver,
      status: .body.status,
      incident: (.body.groupKey // ""),
      class: ($labels.class // ""),
      owner: ($labels.owner // ""),
      alert: ($labels.alertname // ""),
      service: ($labels.service // ""),
      runbook: ($notes.runbook_url // ""),
      summary: (($notes.page // $notes.summary // "") | split("\n")[0])
    };
page | if $show == "line" then
    "\((.received_ms / 1000) | strflocaltime("%H:%M:%S"))  \(if .status == "resolved" then "RESOLVED" else (.class | ascii_upcase) end)  \(.receiver)  \(.alert) at \(.service)  \(.summary)"
  else . end
