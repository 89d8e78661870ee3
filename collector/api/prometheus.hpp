#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "collector/api/endpoint.hpp"
#include "collector/promql/annotations.hpp"
#include "collector/promql/ast.hpp"
#include "collector/promql/value.hpp"
#include "common/base/time.hpp"
#include "common/base/world.hpp"
#include "common/model/labels.hpp"

namespace ward::collector::api::prometheus {

// What the endpoints of Prometheus' HTTP API v1 share: reading parameters, writing its JSON, running a query.
// JSON is appended to a text and not built as a tree: a range query's answer has millions of points.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/

/// What a request has while it is answered on a worker.
struct Turn {
  MonoTime arrived;
  promql::MemoryLease& memory;
  /// Null when nobody can tell.
  const std::atomic<bool>* gone = nullptr;
  /// What the gate leaves to one query.
  std::uint64_t max_bytes = std::uint64_t{1} << 29;
  /// The server's timeout for a query, after which visit() ends one; null and zero for none.
  const Clock* clock = nullptr;
  milliseconds timeout{0};
  /// Set when the collector stops; may be null.
  const std::atomic<bool>* stopping = nullptr;
  /// For an answer that grows: counts `bytes` more. Errors: unavailable, cancelled when the client has left.
  Status grow(std::uint64_t bytes);
  /// For work that goes over all series: to be called at each, with what it adds. Errors: those of grow(), timed_out,
  /// overloaded past `max_bytes`.
  Status visit(std::uint64_t bytes);
  std::size_t visited = 0;
};

void append_text(std::string& out, std::string_view text);   ///< a JSON string, quotes included
void append_number(std::string& out, double v);              ///< digits as Go's 'f', or 'e' where that is shorter than 21
void append_seconds(std::string& out, Time t);               ///< "1735689600" or "1735689600.123"
void append_point(std::string& out, Time t, double v);       ///< [1735689600,"1"]
void append_labels(std::string& out, const Labels& labels);  ///< {"__name__":"up","job":"x"}
void append_texts(std::string& out, const std::vector<std::string>& texts);

/// {"status":"success","data":DATA} and the notes of the query, where it has any.
http::ServerResponse success(std::string data, const promql::Annotations& notes = {});
/// {"resultType":"matrix","result":[...]}. Errors: as Turn::grow().
Status append_matrix(std::string& out, const promql::Matrix& matrix, Turn& turn);
/// The error of a query with Prometheus' status and errorType: timeout, canceled, unavailable or execution.
http::ServerResponse refused(const Error& error);
/// 400 bad_data: `invalid parameter "NAME": WHY`.
http::ServerResponse bad_parameter(std::string_view name, std::string_view why);

/// RFC 3339 or seconds since 1970. `fallback` when it is absent.
Result<Time> time_parameter(const http::ServerRequest& request, std::string_view name, Time fallback);
/// Seconds or a duration ("5m"). `fallback` when it is absent.
Result<milliseconds> duration_parameter(const http::ServerRequest& request, std::string_view name, milliseconds fallback);
/// `limit`: 0 or absent for all.
Result<std::size_t> limit_parameter(const http::ServerRequest& request);
/// The selectors of all `match[]` parameters, in order.
Result<std::vector<std::vector<Matcher>>> selectors(const http::ServerRequest& request);

/// Cuts a list to `limit` entries and says so in the notes, as Prometheus does. 0: no limit.
template <class T>
void cut(std::vector<T>& list, std::size_t limit, promql::Annotations& notes) {
  if (limit == 0 || list.size() <= limit) return;
  list.resize(limit);
  notes.warnings.emplace_back("results truncated due to limit");
}

/// The engine for one request: the server's, with the request's `timeout` (never above the server's, and less what it has
/// waited since `arrived`), `lookback_delta`, and what the gate leaves to one query.
Result<promql::Engine> engine_for(const View& view, const http::ServerRequest& request, const Turn& turn);

/// The answer where engine_for() failed: the request's fault, or it has waited too long.
http::ServerResponse no_engine(const Error& error);

/// What an endpoint does with a request on a worker: parse it, run it, print the answer. An error becomes refused().
using Work = std::function<Result<http::ServerResponse>(const View& view, const http::ServerRequest& request, Turn& turn)>;
/// Runs it off the io thread, when the gate lets it: a client's regular expressions cost as much to compile as a query to
/// run. The answer is part of what queries may hold until it is written.
async::Task<http::ServerResponse> on_worker(View& view, http::ServerRequest request, Work work);

}  // namespace ward::collector::api::prometheus
