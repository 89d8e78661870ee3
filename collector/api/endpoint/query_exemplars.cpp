// GET or POST /api/v1/query_exemplars: Ward keeps no exemplars, and says so with an empty list that Grafana understands.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/#querying-exemplars
#include "collector/api/prometheus.hpp"
#include "collector/promql/parser.hpp"

namespace ward::collector::api {
namespace {

async::Task<http::ServerResponse> answer_query_exemplars(View&, http::ServerRequest request) {
  const auto expr = promql::parse(parameter(request, "query"));
  if (!expr) co_return prometheus::bad_parameter("query", expr.error().what);
  co_return prometheus::success("[]");
}

}  // namespace

Endpoint query_exemplars_endpoint() { return {"/api/v1/query_exemplars", "Exemplars: none", answer_query_exemplars}; }

}  // namespace ward::collector::api
