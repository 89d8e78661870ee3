// GET or POST /api/v1/series?match[]=&start=&end=&limit=: label sets that match.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/#finding-series-by-label-matchers
#include <memory>

#include "collector/api/label_query.hpp"

namespace ward::collector::api {
namespace {

using namespace prometheus;

Result<http::ServerResponse> run(const View& view, const http::ServerRequest& request, Turn& turn) {
  const auto query = label_query(request);
  if (!query) return prometheus_error(400, "bad_data", query.error().what);
  if (query->selectors.empty()) return prometheus_error(400, "bad_data", "no match[] parameter provided");
  auto found = series_of(view.store(), *query, turn);
  if (!found) return fail(found.error());
  promql::Annotations notes;
  cut(*found, query->limit, notes);
  std::string data = "[";
  for (const auto& labels : *found) {
    const auto before = data.capacity();
    if (data.size() > 1) data += ',';
    append_labels(data, labels);
    if (auto room = turn.visit(data.capacity() - before); !room) return fail(room.error());
  }
  data += ']';
  return success(std::move(data), notes);
}

async::Task<http::ServerResponse> answer_series(View& view, http::ServerRequest request) {
  return on_worker(view, std::move(request), run);
}

}  // namespace

Endpoint series_endpoint() { return {"/api/v1/series", "Series by selector", answer_series, Methods::get_and_post}; }

}  // namespace ward::collector::api
