// GET /api/ward/v1/status: the collector in a dozen numbers.
#include <nlohmann/json.hpp>

#include "collector/api/endpoint.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::api {
namespace {

async::Task<http::ServerResponse> answer_status(View& view, http::ServerRequest) {
  const auto status = view.status();
  bool ready = true;
  for (const auto& part : view.readiness()) ready = ready && part.ready;
  const nlohmann::ordered_json body{{"ready", ready},
                                    {"agents_connected", status.agents_connected},
                                    {"agents_known", status.agents_known},
                                    {"series", status.series},
                                    {"samples_stored", status.samples_stored},
                                    {"rules", status.rules},
                                    {"alerts_firing", status.alerts_firing},
                                    {"incidents_open", status.incidents_open},
                                    {"deliveries_pending", status.deliveries_pending},
                                    {"last_evaluation", format_time(status.last_evaluation)},
                                    {"started", format_time(status.started)}};
  http::ServerResponse response;
  response.body = body.dump() + "\n";
  co_return response;
}

}  // namespace

Endpoint status_endpoint() { return {"/api/ward/v1/status", "The collector in a dozen numbers", answer_status}; }

}  // namespace ward::collector::api
