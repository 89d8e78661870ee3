// GET /api/v2/status: what Alertmanager says of itself; there is no cluster and no configuration to show.
// Source: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
#include <nlohmann/json.hpp>

#include "collector/api/alertmanager.hpp"
#include "collector/api/endpoint.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::api {
namespace {

async::Task<http::ServerResponse> answer_am_status(View& view, http::ServerRequest) {
  using Json = nlohmann::ordered_json;
  co_return alertmanager::answer(Json{{"cluster", {{"name", "ward"}, {"peers", Json::array()}, {"status", "disabled"}}},
                                      {"config", {{"original", ""}}},
                                      {"uptime", format_time(view.status().started)},
                                      {"versionInfo",
                                       {{"branch", ""},
                                        {"buildDate", ""},
                                        {"buildUser", ""},
                                        {"goVersion", ""},
                                        {"revision", ""},
                                        {"version", "ward 0.1.0"}}}});
}

}  // namespace

Endpoint am_status_endpoint() { return {"/api/v2/status", "Version and uptime (Alertmanager)", answer_am_status}; }

}  // namespace ward::collector::api
