// GET or POST /api/v1/series?match[]=&start=&end=&limit=: label sets that match.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/#finding-series-by-label-matchers
#include <memory>

#include "collector/api/label_query.hpp"

namespace ward::collector::api {
namespace {

using namespace prometheus;

async::Task<http::ServerResponse> answer_series(View& view, http::ServerRequest request) {
  auto query = label_query(request);
  if (!query) co_return prometheus_error(400, "bad_data", query.error().what);
  if (query->selectors.empty()) co_return prometheus_error(400, "bad_data", "no match[] parameter provided");
  const auto* store = &view.store();
  auto job = [store, query = std::move(*query)]() -> Result<http::ServerResponse> {
    auto found = series_of(*store, query);
    if (!found) return fail(found.error());
    promql::Annotations notes;
    cut(*found, query.limit, notes);
    std::string data = "[";
    for (const auto& labels : *found) {
      if (data.size() > 1) data += ',';
      append_labels(data, labels);
    }
    return success(data + "]", notes);
  };
  auto running = async::run_blocking(view.queries(), std::move(job));
  auto response = co_await std::move(running);
  if (!response) co_return refused(response.error());
  co_return std::move(*response);
}

}  // namespace

Endpoint series_endpoint() { return {"/api/v1/series", "Series by selector", answer_series}; }

}  // namespace ward::collector::api
