// GET or POST /api/v1/labels?match[]=&start=&end=&limit=: names of labels.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/#getting-label-names
#include <memory>

#include "collector/api/label_query.hpp"

namespace ward::collector::api {
namespace {

using namespace prometheus;

Result<http::ServerResponse> run(const View& view, const http::ServerRequest& request, Turn& turn) {
  const auto query = label_query(request);
  if (!query) return prometheus_error(400, "bad_data", query.error().what);
  auto names = label_names_of(view.store(), *query, turn);
  if (!names) return fail(names.error());
  promql::Annotations notes;
  cut(*names, query->limit, notes);
  std::string data;
  append_texts(data, *names);
  return success(std::move(data), notes);
}

async::Task<http::ServerResponse> answer_labels(View& view, http::ServerRequest request) {
  return on_worker(view, std::move(request), run);
}

}  // namespace

Endpoint labels_endpoint() { return {"/api/v1/labels", "Names of labels", answer_labels, Methods::get_and_post}; }

}  // namespace ward::collector::api
