// GET /api/v2/alerts: firing alerts as Alertmanager shows them. An alert that another one of its incident explains is
// inhibited by it. POST: alerts that another Prometheus has evaluated.
// Source: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
#include <nlohmann/json.hpp>

#include "collector/api/alertmanager.hpp"
#include "collector/api/desk.hpp"
#include "collector/api/endpoint.hpp"

namespace ward::collector::api {
namespace {

async::Task<http::ServerResponse> answer_alerts(View& view, http::ServerRequest request) {
  if (request.method == "POST") {
    const auto actor = view.access()->admit(request, Scope::alerts);
    if (!actor) co_return actor.error();
    auto posted = alertmanager::posted_from(request.body);
    if (!posted) co_return alertmanager::refused(posted.error());
    const auto taken = view.desk()->post(std::move(*posted), view.access()->tenant_of(*actor));
    co_return taken ? http::ServerResponse{} : alertmanager::refused(taken.error());
  }
  const auto alerts = alertmanager::alerts(view, request);
  if (!alerts) co_return alertmanager::refused(alerts.error());
  auto list = nlohmann::ordered_json::array();
  for (const auto& alert : *alerts) list.push_back(alertmanager::json_of(alert, view.clock().wall()));
  co_return alertmanager::answer(list);
}

}  // namespace

Endpoint am_alerts_endpoint() {
  return {"/api/v2/alerts", "Firing alerts, and those of another Prometheus (Alertmanager)", answer_alerts,
          Methods::get_and_post, Scope::alerts};
}

}  // namespace ward::collector::api
