// GET or POST /api/v1/format_query?query=: the query as Ward prints it.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/#formatting-query-expressions
#include "collector/api/prometheus.hpp"
#include "collector/promql/parser.hpp"

namespace ward::collector::api {
namespace {

Result<http::ServerResponse> run(const View&, const http::ServerRequest& request, prometheus::Turn&) {
  const auto expr = promql::parse(parameter(request, "query"));
  if (!expr) return prometheus::bad_parameter("query", expr.error().what);
  std::string data;
  prometheus::append_text(data, promql::to_string(*expr));
  return prometheus::success(std::move(data));
}

async::Task<http::ServerResponse> answer_format_query(View& view, http::ServerRequest request) {
  return prometheus::on_worker(view, std::move(request), run);
}

}  // namespace

Endpoint format_query_endpoint() {
  return {"/api/v1/format_query", "A query, printed", answer_format_query, Methods::get_and_post};
}

}  // namespace ward::collector::api
