// GET or POST /api/v1/query?query=&time=&timeout=&lookback_delta=&limit=: an instant query in Prometheus' shape.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
#include <memory>
#include <variant>

#include "collector/api/prometheus.hpp"
#include "collector/promql/parser.hpp"

namespace ward::collector::api {
namespace {

using namespace prometheus;

struct Answer {
  promql::Value value;
  promql::Annotations notes;
};

void append_vector(std::string& out, const promql::Vector& vector, Time at) {
  out += R"({"resultType":"vector","result":[)";
  for (std::size_t i = 0; i < vector.size(); ++i) {
    out += i == 0 ? R"({"metric":)" : R"(,{"metric":)";
    append_labels(out, vector[i].labels);
    out += R"(,"value":)";
    append_point(out, at, vector[i].value);
    out += '}';
  }
  out += "]}";
}

std::string data_of(const promql::Value& value, Time at) {
  std::string out;
  if (const auto* scalar = std::get_if<double>(&value)) {
    out = R"({"resultType":"scalar","result":)";
    append_point(out, at, *scalar);
    out += '}';
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    out = R"({"resultType":"string","result":[)";
    append_seconds(out, at);
    out += ',';
    append_text(out, *text);
    out += "]}";
  } else if (const auto* vector = std::get_if<promql::Vector>(&value)) {
    append_vector(out, *vector, at);
  } else {
    append_matrix(out, std::get<promql::Matrix>(value));
  }
  return out;
}

async::Task<http::ServerResponse> answer_query(View& view, http::ServerRequest request) {
  const auto at = time_parameter(request, "time", view.clock().wall());
  if (!at) co_return bad_parameter("time", at.error().what);
  const auto limit = limit_parameter(request);
  if (!limit) co_return bad_parameter("limit", limit.error().what);
  auto parsed = promql::parse(parameter(request, "query"));
  if (!parsed) co_return bad_parameter("query", parsed.error().what);
  auto engine = engine_for(view, request);
  if (!engine) co_return prometheus_error(400, "bad_data", engine.error().what);
  const auto expr = std::make_shared<promql::Expr>(std::move(*parsed));
  const auto* store = &view.store();
  // The text of the answer is made on the worker too: a wide vector takes longer to print than to find.
  auto job = [expr, store, engine = *engine, time = *at, limit = *limit]() -> Result<http::ServerResponse> {
    promql::Annotations notes;
    auto value = engine.instant(*expr, *store, time, {.notes = &notes});
    if (!value) return fail(value.error());
    if (auto* vector = std::get_if<promql::Vector>(&*value)) cut(*vector, limit, notes);
    if (auto* matrix = std::get_if<promql::Matrix>(&*value)) cut(*matrix, limit, notes);
    return success(data_of(*value, time), notes);
  };
  auto running = async::run_blocking(view.queries(), std::move(job));
  auto response = co_await std::move(running);
  if (!response) co_return refused(response.error());
  co_return std::move(*response);
}

}  // namespace

Endpoint query_endpoint() { return {"/api/v1/query", "Instant query", answer_query}; }

}  // namespace ward::collector::api
