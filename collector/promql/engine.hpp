#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "collector/promql/parser.hpp"
#include "collector/promql/value.hpp"
#include "collector/tsdb/queryable.hpp"
#include "common/base/world.hpp"

namespace ward::promql {

struct EvalLimits {
  /// Samples a query may read and points it may produce, in all. Higher lets heavier queries through at 16 bytes each.
  std::uint64_t max_samples = 50'000'000;
  /// How long a query may run on the monotonic clock; zero for ever.
  milliseconds timeout{std::chrono::minutes{2}};
};

struct EngineOptions {
  EvalLimits limits;
  /// How far back an instant selector looks, its far end excluded.
  milliseconds lookback{std::chrono::minutes{5}};
  /// Step of a subquery that names none: the global evaluation interval.
  milliseconds subquery_step{std::chrono::minutes{1}};
};

struct RangeSpec {
  Time start;
  Time end;  ///< inclusive
  milliseconds step{std::chrono::minutes{1}};
};

/// Evaluates queries as Prometheus 3 does. It keeps no state: one engine serves all threads, each call runs in the caller's.
/// Errors: invalid (matching, types, functions not evaluated), overloaded (max_samples), timed_out, or what the store
/// returns.
class Engine {
 public:
  /// The clock serves the timeout only and must outlive the engine.
  explicit Engine(const Clock& clock, EngineOptions options = {}) : clock_(&clock), options_(options) {}
  [[nodiscard]] Result<Value> instant(const Expr& expr, const collector::Queryable& store, Time at) const;
  /// Series sorted by labels. The expression must be a scalar or an instant vector.
  [[nodiscard]] Result<Matrix> range(const Expr& expr, const collector::Queryable& store, RangeSpec spec) const;
  [[nodiscard]] const EngineOptions& options() const { return options_; }

 private:
  const Clock* clock_;
  EngineOptions options_;
};

/// What an expression reads, for evaluation on arrival and for loading state at start.
struct Reads {
  /// Names of the metrics, sorted; empty when any selector names its metric by a pattern or not at all: then anything may
  /// touch it.
  std::vector<std::string> metrics;
  /// The oldest sample it can see lies less than this before the evaluation time. Zero for an expression without selectors;
  /// what stands behind `@` with a fixed time is counted as if it read around the evaluation time.
  milliseconds lookback{0};
  friend bool operator==(const Reads&, const Reads&) = default;
};
Reads reads_of(const Expr& expr, milliseconds lookback = std::chrono::minutes{5});

}  // namespace ward::promql
