// GET /api/v1/status/runtimeinfo: since when the collector runs and what it holds.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/#runtime-information
#include "collector/api/prometheus.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::api {
namespace {

using namespace prometheus;

async::Task<http::ServerResponse> answer_runtimeinfo(View& view, http::ServerRequest) {
  const auto status = view.status();
  std::string data = R"({"startTime":)";
  append_text(data, format_time(status.started));
  data += R"(,"serverTime":)";
  append_text(data, format_time(view.clock().wall()));
  data += R"(,"reloadConfigSuccess":true,"corruptionCount":0,"timeSeriesCount":)" + std::to_string(status.series) + "}";
  co_return success(std::move(data));
}

}  // namespace

Endpoint runtimeinfo_endpoint() { return {"/api/v1/status/runtimeinfo", "Runtime", answer_runtimeinfo}; }

}  // namespace ward::collector::api
