// GET or POST /api/v1/query?query=&time=&timeout=&lookback_delta=&limit=: an instant query in Prometheus' shape.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
#include <memory>
#include <variant>

#include "collector/api/prometheus.hpp"
#include "collector/promql/parser.hpp"

namespace ward::collector::api {
namespace {

using namespace prometheus;

Status append_vector(std::string& out, const promql::Vector& vector, Time at, Turn& turn) {
  auto counted = out.capacity();
  out += R"({"resultType":"vector","result":[)";
  for (std::size_t i = 0; i < vector.size(); ++i) {
    out += i == 0 ? R"({"metric":)" : R"(,{"metric":)";
    append_labels(out, vector[i].labels);
    out += R"(,"value":)";
    append_point(out, at, vector[i].value);
    out += '}';
    if (out.capacity() == counted) continue;
    if (auto room = turn.grow(out.capacity() - counted); !room) return room;
    counted = out.capacity();
  }
  out += "]}";
  return {};
}

Result<std::string> data_of(const promql::Value& value, Time at, Turn& turn) {
  std::string out;
  Status room;
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
    room = append_vector(out, *vector, at, turn);
  } else {
    room = append_matrix(out, std::get<promql::Matrix>(value), turn);
  }
  if (!room) return fail(room.error());
  return out;
}

Result<http::ServerResponse> run(const View& view, const http::ServerRequest& request, Turn& turn) {
  const auto at = time_parameter(request, "time", view.clock().wall());
  if (!at) return bad_parameter("time", at.error().what);
  const auto limit = limit_parameter(request);
  if (!limit) return bad_parameter("limit", limit.error().what);
  const auto expr = promql::parse(parameter(request, "query"));
  if (!expr) return bad_parameter("query", expr.error().what);
  const auto engine = engine_for(view, request, turn);
  if (!engine) return no_engine(engine.error());
  promql::Annotations notes;
  auto value = engine->instant(*expr, view.store(), *at, {.cancelled = turn.gone, .notes = &notes, .memory = &turn.memory});
  if (!value) return fail(value.error());
  if (auto* vector = std::get_if<promql::Vector>(&*value)) cut(*vector, *limit, notes);
  if (auto* matrix = std::get_if<promql::Matrix>(&*value)) cut(*matrix, *limit, notes);
  auto data = data_of(*value, *at, turn);
  if (!data) return fail(data.error());
  return success(std::move(*data), notes);
}

async::Task<http::ServerResponse> answer_query(View& view, http::ServerRequest request) {
  return on_worker(view, std::move(request), run);
}

}  // namespace

Endpoint query_endpoint() { return {"/api/v1/query", "Instant query", answer_query, Methods::get_and_post}; }

}  // namespace ward::collector::api
