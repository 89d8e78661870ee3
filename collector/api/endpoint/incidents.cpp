// GET /api/ward/v1/incidents?id=&since=&without_verdict=: open incidents with their root and what it explains, who has heard
// of each, who has acknowledged it, and why nobody is told. With `since` (a time, or a length of time before now) those that
// are over too, newest first; with without_verdict=true only those that are over and that nobody has judged.
#include <nlohmann/json.hpp>

#include "collector/api/archive.hpp"
#include "collector/api/desk.hpp"
#include "collector/api/endpoint.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::api {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMost = 1'000;
constexpr std::chrono::minutes kAhead{10};  // of a clock that was set back since
constexpr std::chrono::hours kUnjudged{24 * 30};

void add_progress(ordered_json& incident, const std::optional<EscalationRecord>& record) {
  if (!record) return;
  if (record->ack)
    incident["acknowledged"] = {{"by", record->ack->by}, {"at", format_time(record->ack->at)}, {"note", record->ack->note}};
  if (record->mute != MuteKind::none) incident["muted"] = {{"as", to_string(record->mute)}, {"by", record->muted_by}};
}

ordered_json view_of(const Incident& incident) {
  auto alerts = ordered_json::array();
  for (const auto& alert : incident.alerts)
    alerts.push_back({{"alert", alert.labels.get("alertname")},
                      {"service", alert.labels.get("service")},
                      {"state", to_string(alert.phase)},
                      {"summary", alert.annotations.get("summary")}});
  ordered_json out{{"id", incident.id},
                   {"class", to_string(incident.cls)},
                   {"owner", incident.owner},
                   {"root_service", incident.root_service},
                   {"root_alert", incident.root_alert},
                   {"opened_at", format_time(incident.opened_at)},
                   {"alerts", std::move(alerts)}};
  if (incident.phase == IncidentPhase::resolved) out["resolved_at"] = format_time(incident.resolved_at);
  if (!incident.merged_into.empty()) out["merged_into"] = incident.merged_into;
  if (const auto& verdict = incident.verdict)
    out["verdict"] = {{"verdict", to_string(verdict->kind)},
                      {"by", verdict->by},
                      {"at", format_time(verdict->at)},
                      {"note", verdict->note}};
  return out;
}

bool awaits_verdict(const Incident& incident) {
  return incident.phase == IncidentPhase::resolved && incident.merged_into.empty() && !incident.verdict;
}

Result<Time> since_of(const std::string& text, Time now) {
  if (text.empty()) return now - kUnjudged;
  if (const auto ago = parse_duration(text)) return now - *ago;
  if (const auto time = parse_time(text)) return *time;
  return fail(Errc::invalid, "'since' is '" + text + "', which is neither a length of time nor a time",
              "Write 7d, or 2026-11-23T10:00:00Z.");
}

http::ServerResponse answer_of(ordered_json list) {
  http::ServerResponse response;
  response.body =
      ordered_json{{"incidents", std::move(list)}}.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  return response;
}

async::Task<http::ServerResponse> answer_past(View& view, http::ServerRequest request) {
  const auto since = since_of(parameter(request, "since"), view.clock().wall());
  if (!since) co_return problem(400, "Bad request", describe(since.error()));
  const auto unjudged = parameter(request, "without_verdict");
  if (!unjudged.empty() && unjudged != "true" && unjudged != "false")
    co_return problem(400, "Bad request", "'without_verdict' must be true or false.");
  auto reading = view.archive()->incidents(*since, view.clock().wall() + kAhead, kMost);
  const auto past = co_await std::move(reading);
  if (!past) co_return problem(503, "The past cannot be read", describe(past.error()));
  auto list = ordered_json::array();
  for (const auto& incident : *past)
    if (unjudged != "true" || awaits_verdict(incident)) list.push_back(view_of(incident));
  co_return answer_of(std::move(list));
}

async::Task<http::ServerResponse> answer_incidents(View& view, http::ServerRequest request) {
  if (!parameter(request, "since").empty() || !parameter(request, "without_verdict").empty())
    co_return co_await answer_past(view, std::move(request));
  const auto wanted = parameter(request, "id");
  auto list = ordered_json::array();
  for (const auto& incident : view.incidents()) {
    if (!wanted.empty() && incident.id != wanted) continue;
    list.push_back(view_of(incident));
    list.back()["told"] = view.desk()->told(incident.id);
    add_progress(list.back(), view.desk()->escalation(incident.id));
  }
  co_return answer_of(std::move(list));
}

}  // namespace

Endpoint incidents_endpoint() {
  return {"/api/ward/v1/incidents", "Incidents: the open ones, or since a time", answer_incidents};
}

}  // namespace ward::collector::api
