// GET /api/v1/status/buildinfo: which language and API a client may expect. Grafana and promtool choose features by
// `version`: it is the Prometheus release whose query language Ward follows; Ward's own stands beside it. Source:
// https://prometheus.io/docs/prometheus/latest/querying/api/#build-information
#include "collector/api/prometheus.hpp"

namespace ward::collector::api {
namespace {

async::Task<http::ServerResponse> answer_buildinfo(View&, http::ServerRequest) {
  co_return prometheus::success(
      R"({"version":"3.5.0","application":"ward","wardVersion":"0.1.0","revision":"","branch":"","buildUser":"","buildDate":"","goVersion":""})");
}

}  // namespace

Endpoint buildinfo_endpoint() { return {"/api/v1/status/buildinfo", "Version", answer_buildinfo}; }

}  // namespace ward::collector::api
