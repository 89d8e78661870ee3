#pragma once
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "collector/promql/annotations.hpp"
#include "collector/promql/parser.hpp"
#include "collector/promql/query_memory.hpp"
#include "collector/promql/value.hpp"
#include "collector/tsdb/queryable.hpp"
#include "common/base/world.hpp"

namespace ward::promql {

class BaselineCache;

struct EvalLimits {
  /// Samples a query may read and points it may produce, in all. Higher lets heavier queries through at up to 16 bytes each.
  std::uint64_t max_samples = 50'000'000;
  /// How long a query may run on the monotonic clock; zero for ever.
  milliseconds timeout{std::chrono::minutes{2}};
  /// Bytes a query may hold for results and labels, in all. Lower protects the collector from wide queries.
  std::uint64_t max_bytes = 1'073'741'824;
};

struct EngineOptions {
  EvalLimits limits;
  /// How far back an instant selector looks, its far end excluded.
  milliseconds lookback{std::chrono::minutes{5}};
  /// Step of a subquery that names none: the global evaluation interval.
  milliseconds subquery_step{std::chrono::minutes{1}};
  /// Keeps the metric name until the query ends, so that label_replace() and by (__name__) still see it behind a function:
  /// Prometheus' feature `promql-delayed-name-removal`, off there and here unless asked for.
  bool delayed_name_removal = false;
  /// Set by another thread when the process ends: all queries of the engine stop soon with `cancelled`.
  const std::atomic<bool>* stopping = nullptr;
};

struct RangeSpec {
  Time start;
  Time end;  ///< inclusive
  milliseconds step{std::chrono::minutes{1}};
};

/// What one run takes along; nothing is needed.
struct QueryRun {
  /// Set by another thread when nobody waits for the result any more: the query stops soon with `cancelled`.
  const std::atomic<bool>* cancelled = nullptr;
  /// Filled with what the reader should know beside the result.
  Annotations* notes = nullptr;
  /// Counts what the query holds, with others: its work is given back when the run ends, its result is left to the caller.
  MemoryLease* memory = nullptr;
  /// What ward_baseline() said before, over the same store and by the same engine; null: it is computed anew.
  BaselineCache* baselines = nullptr;
};

/// Evaluates queries as Prometheus 3 does. It keeps no state: one engine serves all threads, each call runs in the caller's.
/// Errors: invalid (matching, types, values), overloaded (max_samples, max_bytes), unavailable (the memory shared with
/// others), timed_out, cancelled, or what the store returns.
class Engine {
 public:
  /// The clock serves the timeout only and must outlive the engine.
  explicit Engine(const Clock& clock, EngineOptions options = {}) : clock_(&clock), options_(options) {}
  /// Elements come in the order of their labels, unless the expression sorts or ranks them itself.
  [[nodiscard]] Result<Value> instant(const Expr& expr, const collector::Queryable& store, Time at, QueryRun run = {}) const;
  /// Series sorted by labels. The expression must be a scalar or an instant vector.
  [[nodiscard]] Result<Matrix> range(const Expr& expr, const collector::Queryable& store, RangeSpec spec,
                                     QueryRun run = {}) const;
  [[nodiscard]] const EngineOptions& options() const { return options_; }

 private:
  const Clock* clock_;
  EngineOptions options_;
};

/// A selector that looks at the present: without `offset` and `@`.
struct PresentSelector {
  std::vector<Matcher> matchers;
  milliseconds range{0};    ///< 0: an instant selector
  std::size_t samples = 1;  ///< that a series must have in it to yield a value
  friend bool operator==(const PresentSelector&, const PresentSelector&) = default;
};

/// What an expression reads, for evaluation on arrival and for loading state at start.
struct Reads {
  /// Names of the metrics, sorted; empty when any selector names its metric by a pattern or not at all: then anything may
  /// touch it.
  std::vector<std::string> metrics;
  /// The oldest sample it can see lies less than this before the evaluation time. Zero for an expression without selectors;
  /// what stands behind `@` with a fixed time is counted as if it read around the evaluation time.
  milliseconds lookback{0};
  /// How long a sample of now matters at most: `lookback` without the past that ward_baseline() reads.
  milliseconds fresh{0};
  std::vector<PresentSelector> present{};
  bool absence = false;  ///< it asks for nothing but what is absent: absent(), absent_over_time()
  friend bool operator==(const Reads&, const Reads&) = default;
};
Reads reads_of(const Expr& expr, milliseconds lookback = std::chrono::minutes{5});
/// The conditions of every selector in it, metric names among them: what it reads is what matches one of them.
std::vector<std::vector<Matcher>> selectors_of(const Expr& expr);

}  // namespace ward::promql
