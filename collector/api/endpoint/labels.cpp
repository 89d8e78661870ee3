// GET or POST /api/v1/labels?match[]=&start=&end=&limit=: names of labels.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/#getting-label-names
#include <memory>

#include "collector/api/label_query.hpp"

namespace ward::collector::api {
namespace {

using namespace prometheus;

async::Task<http::ServerResponse> answer_labels(View& view, http::ServerRequest request) {
  auto query = label_query(request);
  if (!query) co_return prometheus_error(400, "bad_data", query.error().what);
  const auto* store = &view.store();
  auto job = [store, query = std::move(*query)]() -> Result<http::ServerResponse> {
    auto names = label_names_of(*store, query);
    if (!names) return fail(names.error());
    promql::Annotations notes;
    cut(*names, query.limit, notes);
    std::string data;
    append_texts(data, *names);
    return success(std::move(data), notes);
  };
  auto running = async::run_blocking(view.queries(), std::move(job));
  auto response = co_await std::move(running);
  if (!response) co_return refused(response.error());
  co_return std::move(*response);
}

}  // namespace

Endpoint labels_endpoint() { return {"/api/v1/labels", "Names of labels", answer_labels}; }

}  // namespace ward::collector::api
