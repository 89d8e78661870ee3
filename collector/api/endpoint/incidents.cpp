// GET /api/ward/v1/incidents: open incidents with their root and what it explains, who has heard of each, who has
// acknowledged it, and why nobody is told.
#include <nlohmann/json.hpp>

#include "collector/api/desk.hpp"
#include "collector/api/endpoint.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::api {
namespace {

void add_progress(nlohmann::ordered_json& incident, const std::optional<EscalationRecord>& record) {
  if (!record) return;
  if (record->ack)
    incident["acknowledged"] = {{"by", record->ack->by}, {"at", format_time(record->ack->at)}, {"note", record->ack->note}};
  if (record->mute != MuteKind::none) incident["muted"] = {{"as", to_string(record->mute)}, {"by", record->muted_by}};
}

async::Task<http::ServerResponse> answer_incidents(View& view, http::ServerRequest request) {
  const auto wanted = parameter(request, "id");
  auto list = nlohmann::ordered_json::array();
  for (const auto& incident : view.incidents()) {
    if (!wanted.empty() && incident.id != wanted) continue;
    auto alerts = nlohmann::ordered_json::array();
    for (const auto& alert : incident.alerts)
      alerts.push_back({{"alert", alert.labels.get("alertname")},
                        {"service", alert.labels.get("service")},
                        {"state", to_string(alert.phase)},
                        {"summary", alert.annotations.get("summary")}});
    list.push_back({{"id", incident.id},
                    {"class", to_string(incident.cls)},
                    {"owner", incident.owner},
                    {"root_service", incident.root_service},
                    {"root_alert", incident.root_alert},
                    {"opened_at", format_time(incident.opened_at)},
                    {"alerts", std::move(alerts)},
                    {"told", view.desk()->told(incident.id)}});
    add_progress(list.back(), view.desk()->escalation(incident.id));
  }
  http::ServerResponse response;
  response.body =
      nlohmann::ordered_json{{"incidents", std::move(list)}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
      "\n";
  co_return response;
}

}  // namespace

Endpoint incidents_endpoint() { return {"/api/ward/v1/incidents", "Open incidents", answer_incidents}; }

}  // namespace ward::collector::api
