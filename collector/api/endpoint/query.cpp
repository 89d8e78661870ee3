// GET or POST /api/v1/query?query=&time=: an instant query in Prometheus' shape.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
#include <array>
#include <charconv>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <variant>

#include "collector/api/endpoint.hpp"
#include "collector/promql/parser.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::api {
namespace {

using Json = nlohmann::json;

std::string number(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v > 0 ? "+Inf" : "-Inf";
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), v).ptr;
  return {text.data(), end};
}

Json point(Time t, double v) { return Json::array({to_seconds(t), number(v)}); }

Json as_object(const Labels& labels) {
  auto out = Json::object();
  for (const auto& [name, value] : labels) out[name] = value;
  return out;
}

Json data(const promql::Value& value, Time at) {
  if (const auto* scalar = std::get_if<double>(&value)) return {{"resultType", "scalar"}, {"result", point(at, *scalar)}};
  if (const auto* text = std::get_if<std::string>(&value))
    return {{"resultType", "string"}, {"result", Json::array({to_seconds(at), *text})}};
  auto result = Json::array();
  if (const auto* vector = std::get_if<promql::Vector>(&value)) {
    for (const auto& element : *vector) result.push_back({{"metric", as_object(element.labels)}, {"value", point(at, element.value)}});
    return {{"resultType", "vector"}, {"result", std::move(result)}};
  }
  for (const auto& series : std::get<promql::Matrix>(value)) {
    auto values = Json::array();
    for (const auto& sample : series.samples) values.push_back(point(sample.t, sample.v));
    result.push_back({{"metric", as_object(series.labels)}, {"values", std::move(values)}});
  }
  return {{"resultType", "matrix"}, {"result", std::move(result)}};
}

http::ServerResponse refuse(const Error& error) {
  if (error.code == Errc::timed_out) return prometheus_error(503, "timeout", error.what);
  if (error.code == Errc::invalid) return prometheus_error(400, "bad_data", error.what);
  return prometheus_error(422, "execution", error.what);
}

async::Task<http::ServerResponse> answer_query(View& view, http::ServerRequest request) {
  const auto text = parameter(request, "query");
  const auto when = parameter(request, "time");
  auto at = Result<Time>{view.clock().wall()};
  if (!when.empty()) at = parse_time(when);
  if (!at) co_return prometheus_error(400, "bad_data", "invalid parameter \"time\": " + at.error().what);
  auto parsed = promql::parse(text);
  if (!parsed) co_return prometheus_error(400, "bad_data", "invalid parameter \"query\": " + parsed.error().what);
  const auto expr = std::make_shared<promql::Expr>(std::move(*parsed));
  const auto* store = &view.store();
  const auto* engine = &view.engine();
  auto job = [expr, store, engine, time = *at] { return engine->instant(*expr, *store, time); };
  auto running = async::run_blocking(view.queries(), std::move(job));
  const auto value = co_await std::move(running);
  if (!value) co_return refuse(value.error());
  http::ServerResponse response;
  response.body = Json{{"status", "success"}, {"data", data(*value, *at)}}.dump() + "\n";
  co_return response;
}

}  // namespace

Endpoint query_endpoint() { return {"/api/v1/query", "Instant query", answer_query}; }

}  // namespace ward::collector::api
