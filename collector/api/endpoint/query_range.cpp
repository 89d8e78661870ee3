// GET or POST /api/v1/query_range?query=&start=&end=&step=&timeout=&lookback_delta=&limit=: a range query in Prometheus'
// shape. Source: https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
#include <memory>

#include "collector/api/prometheus.hpp"
#include "collector/promql/parser.hpp"

namespace ward::collector::api {
namespace {

using namespace prometheus;

constexpr std::int64_t kMaxPoints = 11'000;  // of one series, Prometheus' limit: more is a typing error in `step`

/// The range a request asks for, or what is wrong with it.
Result<promql::RangeSpec> range_of(const http::ServerRequest& request) {
  const auto invalid = [](std::string_view name, std::string_view why) {
    return fail(Errc::invalid, "invalid parameter \"" + std::string(name) + "\": " + std::string(why), "");
  };
  for (const char* name : {"start", "end", "step"})
    if (parameter(request, name).empty())
      return invalid(name, std::string("cannot parse \"\" to a valid ") +
                               (std::string_view(name) == "step" ? "duration" : "timestamp"));
  const auto start = time_parameter(request, "start", {});
  if (!start) return invalid("start", start.error().what);
  const auto end = time_parameter(request, "end", {});
  if (!end) return invalid("end", end.error().what);
  if (*end < *start) return invalid("end", "end timestamp must not be before start time");
  const auto step = duration_parameter(request, "step", {});
  if (!step) return invalid("step", step.error().what);
  if (*step <= milliseconds{0})
    return invalid("step", "zero or negative query resolution step widths are not accepted. Try a positive integer");
  if ((*end - *start) / *step > kMaxPoints)
    return fail(
        Errc::invalid,
        "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)", "");
  return promql::RangeSpec{*start, *end, *step};
}

Result<http::ServerResponse> run(const View& view, const http::ServerRequest& request, Turn& turn) {
  const auto range = range_of(request);
  if (!range) return prometheus_error(400, "bad_data", range.error().what);
  const auto limit = limit_parameter(request);
  if (!limit) return bad_parameter("limit", limit.error().what);
  const auto expr = promql::parse(parameter(request, "query"));
  if (!expr) return bad_parameter("query", expr.error().what);
  const auto engine = engine_for(view, request, turn);
  if (!engine) return no_engine(engine.error());
  promql::Annotations notes;
  auto matrix =
      engine->range(*expr, view.store(), *range, {.cancelled = turn.gone, .notes = &notes, .memory = &turn.memory});
  if (!matrix) return fail(matrix.error());
  cut(*matrix, *limit, notes);
  std::string data;
  if (auto room = append_matrix(data, *matrix, turn); !room) return fail(room.error());
  return success(std::move(data), notes);
}

async::Task<http::ServerResponse> answer_query_range(View& view, http::ServerRequest request) {
  return on_worker(view, std::move(request), run);
}

}  // namespace

Endpoint query_range_endpoint() { return {"/api/v1/query_range", "Range query", answer_query_range, Methods::get_and_post}; }

}  // namespace ward::collector::api
