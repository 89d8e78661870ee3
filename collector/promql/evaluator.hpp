#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "collector/promql/engine.hpp"
#include "collector/promql/steps.hpp"

namespace ward::promql {

/// Counts what one query reads and produces, and its time. Thread: the query's.
class Budget {
 public:
  Budget(const EvalLimits& limits, const Clock& clock);
  /// Errors: overloaded when the samples run out, timed_out.
  Status charge(std::uint64_t samples);
  Status check_time() const;

 private:
  EvalLimits limits_;
  const Clock& clock_;
  MonoTime deadline_;
  std::uint64_t used_ = 0;
};

/// What all parts of one query share. `start` and `end` are what start() and end() mean.
struct QueryContext {
  const collector::Queryable& store;
  const EngineOptions& options;
  Budget& budget;
  Time start;
  Time end;
};

struct WindowSeries {
  Labels labels;
  std::vector<Sample> samples;  ///< without stale markers
};

/// The part of a series one step of a range function sees: samples in (start, end].
struct Window {
  std::span<const Sample> samples;
  Time start;
  Time end;
  milliseconds range{0};
  std::size_t step = 0;
  Time evaluation_time;
};

/// A range vector over all steps: whole series and where each step's window ends. Ends never fall from step to step.
struct Windows {
  std::vector<WindowSeries> series;
  milliseconds range{0};
  std::vector<Time> ends;
};

/// Evaluates nodes over one range of steps: each node once, all steps at a time. A subquery makes an evaluator of its own.
class Evaluator {
 public:
  Evaluator(QueryContext& query, StepRange steps) : query_(query), steps_(steps) {}

  Result<Operand> eval(const Node& node);
  Result<StepVector> vector(const Node& node);
  Result<StepScalar> scalar(const Node& node);
  Result<std::string> string(const Node& node);
  /// A matrix selector or subquery, parentheses allowed.
  Result<Windows> windows(const Node& node);

  /// The latest sample in (t - lookback, t] of each series; its value, or its time in seconds.
  enum class Take : std::uint8_t { value, timestamp };
  Result<StepVector> select(const VectorSelector& selector, Take take = Take::value);

  [[nodiscard]] const StepRange& steps() const { return steps_; }
  [[nodiscard]] QueryContext& query() { return query_; }

 private:
  Result<Operand> eval(const NumberLiteral& n);
  Result<Operand> eval(const StringLiteral& s);
  Result<Operand> eval(const VectorSelector& s);
  Result<Operand> eval(const MatrixSelector& m);
  Result<Operand> eval(const Subquery& s);
  Result<Operand> eval(const Call& c);
  Result<Operand> eval(const Aggregate& a);
  Result<Operand> eval(const Binary& b);
  Result<Operand> eval(const Unary& u);
  Result<Operand> eval(const Paren& p);

  Result<Windows> windows(const MatrixSelector& m);
  Result<Windows> windows(const Subquery& s);
  [[nodiscard]] std::vector<Time> reference_times(const TimeModifiers& when) const;
  [[nodiscard]] Operand constant(double value) const;

  QueryContext& query_;
  StepRange steps_;
};

/// t - d, held at the ends of time.
[[nodiscard]] Time earlier_by(Time t, milliseconds d);
/// Samples of `series` in the window that ends at ends[step]; `from` and `to` move on from the last step's.
Window window_at(const Windows& windows, const WindowSeries& series, const StepRange& steps, std::size_t step,
                 std::size_t& from, std::size_t& to);

/// Removes the metric name from all series and joins series that became alike.
/// Errors: invalid ("vector cannot contain metrics with the same labelset") when two have a value at one step.
Status drop_names(StepVector& vector);
Status join_alike(StepVector& vector);
void drop_empty(StepVector& vector);

// Operators by family; each in its own file.
Result<StepVector> binary_vectors(Evaluator& ev, const Binary& b, StepVector lhs, StepVector rhs);
Result<StepVector> set_operation(Evaluator& ev, const Binary& b, StepVector lhs, StepVector rhs);
Result<StepVector> aggregate(Evaluator& ev, const Aggregate& a, StepVector input);
/// topk, bottomk, limitk, quantile, count_values: those with a parameter.
Result<StepVector> aggregate_with_parameter(Evaluator& ev, const Aggregate& a, StepVector input);
/// The labels an aggregation puts a series under.
Labels group_labels(const Aggregate& a, const Labels& labels);

/// The signature numbers of both sides of a vector match: equal numbers match.
struct Signatures {
  std::vector<std::uint32_t> lhs;
  std::vector<std::uint32_t> rhs;
  std::vector<Labels> labels;  ///< by number
};
Signatures signatures(const VectorMatching& matching, const StepVector& lhs, const StepVector& rhs);

}  // namespace ward::promql
