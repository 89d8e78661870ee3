// GET /api/ward/v1/incidents: open incidents with their root and what it explains.
#include <nlohmann/json.hpp>

#include "collector/api/endpoint.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::api {
namespace {

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
                    {"alerts", std::move(alerts)}});
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
