// GET or POST /api/v1/query_exemplars: Ward keeps no exemplars, and says so with an empty list that Grafana understands.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/#querying-exemplars
#include "collector/api/prometheus.hpp"
#include "collector/promql/parser.hpp"

namespace ward::collector::api {
namespace {

Result<http::ServerResponse> run(const View&, const http::ServerRequest& request, prometheus::Turn&) {
  const auto expr = promql::parse(parameter(request, "query"));
  if (!expr) return prometheus::bad_parameter("query", expr.error().what);
  return prometheus::success("[]");
}

async::Task<http::ServerResponse> answer_query_exemplars(View& view, http::ServerRequest request) {
  return prometheus::on_worker(view, std::move(request), run);
}

}  // namespace

Endpoint query_exemplars_endpoint() {
  return {"/api/v1/query_exemplars", "Exemplars: none", answer_query_exemplars, Methods::get_and_post};
}

}  // namespace ward::collector::api
