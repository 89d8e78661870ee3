// GET /api/v1/alerts: pending and firing alerts in Prometheus' shape.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/#alerts
#include <cstdio>
#include <nlohmann/json.hpp>

#include "collector/api/endpoint.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::api {
namespace {

nlohmann::json as_object(const Labels& labels) {
  auto out = nlohmann::json::object();
  for (const auto& [name, value] : labels) out[name] = value;
  return out;
}

async::Task<http::ServerResponse> answer_alerts(View& view, http::ServerRequest) {
  auto list = nlohmann::json::array();
  for (const auto& alert : view.alerts()) {
    char value[40];
    std::snprintf(value, sizeof value, "%e", alert.value);
    list.push_back({{"labels", as_object(alert.labels)},
                    {"annotations", as_object(alert.annotations)},
                    {"state", to_string(alert.phase)},
                    {"activeAt", format_time(alert.active_at)},
                    {"value", value}});
  }
  http::ServerResponse response;
  response.body = nlohmann::json{{"status", "success"}, {"data", {{"alerts", std::move(list)}}}}.dump() + "\n";
  co_return response;
}

}  // namespace

Endpoint alerts_endpoint() { return {"/api/v1/alerts", "Pending and firing alerts", answer_alerts}; }

}  // namespace ward::collector::api
