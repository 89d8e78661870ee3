// GET /api/v2/alerts/groups: firing alerts by incident and receiver, as Alertmanager shows its groups.
// Source: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
#include <map>
#include <nlohmann/json.hpp>

#include "collector/api/alertmanager.hpp"
#include "collector/api/endpoint.hpp"

namespace ward::collector::api {
namespace {

async::Task<http::ServerResponse> answer_groups(View& view, http::ServerRequest request) {
  using Json = nlohmann::ordered_json;
  const auto alerts = alertmanager::alerts(view, request);
  if (!alerts) co_return alertmanager::refused(alerts.error());
  std::map<std::pair<std::string, std::string>, Json> groups;  // incident and receiver
  for (const auto& alert : *alerts)
    for (const auto& receiver : alert.receivers) {
      auto& group = groups[{alert.incident, receiver}];
      if (group.is_null())
        group = Json{
            {"labels", {{"ward_incident", alert.incident}}}, {"receiver", {{"name", receiver}}}, {"alerts", Json::array()}};
      group["alerts"].push_back(alertmanager::json_of(alert, view.clock().wall()));
    }
  auto list = Json::array();
  for (auto& [key, group] : groups) list.push_back(std::move(group));
  co_return alertmanager::answer(list);
}

}  // namespace

Endpoint am_alert_groups_endpoint() {
  return {"/api/v2/alerts/groups", "Firing alerts by incident (Alertmanager)", answer_groups};
}

}  // namespace ward::collector::api
