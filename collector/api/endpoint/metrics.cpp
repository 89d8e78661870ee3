// GET /metrics: the collector's own metrics in text format 0.0.4.
#include "common/telemetry/metrics.hpp"

#include "collector/api/endpoint.hpp"

namespace ward::collector::api {
namespace {

async::Task<http::ServerResponse> answer_metrics(View& view, http::ServerRequest) {
  http::ServerResponse response;
  response.content_type = telemetry::kExpositionContentType;
  response.body = view.metrics();
  co_return response;
}

}  // namespace

Endpoint metrics_endpoint() { return {"/metrics", "The collector's own metrics", answer_metrics}; }

}  // namespace ward::collector::api
