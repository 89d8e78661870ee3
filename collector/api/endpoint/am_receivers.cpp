// GET /api/v2/receivers: the names of all that may be told.
// Source: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
#include <nlohmann/json.hpp>

#include "collector/api/alertmanager.hpp"
#include "collector/api/desk.hpp"
#include "collector/api/endpoint.hpp"

namespace ward::collector::api {
namespace {

async::Task<http::ServerResponse> answer_receivers(View& view, http::ServerRequest) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& name : view.desk()->receivers()) list.push_back({{"name", name}});
  co_return alertmanager::answer(list);
}

}  // namespace

Endpoint am_receivers_endpoint() { return {"/api/v2/receivers", "Receivers (Alertmanager)", answer_receivers}; }

}  // namespace ward::collector::api
