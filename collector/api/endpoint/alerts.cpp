// GET /api/v1/alerts: pending and firing alerts in Prometheus' shape.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/#alerts
#include "collector/api/alert_json.hpp"
#include "collector/api/prometheus.hpp"

namespace ward::collector::api {
namespace {

async::Task<http::ServerResponse> answer_alerts(View& view, http::ServerRequest) {
  std::string data = R"({"alerts":)";
  append_alerts(data, view.alerts());
  co_return prometheus::success(data + "}");
}

}  // namespace

Endpoint alerts_endpoint() { return {"/api/v1/alerts", "Pending and firing alerts", answer_alerts}; }

}  // namespace ward::collector::api
