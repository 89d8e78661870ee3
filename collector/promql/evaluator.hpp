#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory_resource>
#include <span>
#include <unordered_map>
#include <vector>

#include "collector/promql/annotations.hpp"
#include "collector/promql/engine.hpp"
#include "collector/promql/label_space.hpp"
#include "collector/promql/steps.hpp"

namespace ward::promql {

class BaselineCache;

/// Counts what one query reads and produces, its memory and its time. Thread: the query's.
class Budget {
 public:
  /// Either flag, where there is one, ends the query.
  using Flags = std::array<const std::atomic<bool>*, 2>;
  Budget(const EvalLimits& limits, const Clock& clock, Flags cancelled, MemoryLease* shared = nullptr);
  /// Errors: overloaded when the samples or the memory run out, unavailable when the memory of all queries does.
  Status charge(std::uint64_t samples);
  /// For memory of the result, which is not the arena's. Errors: as charge().
  Status hold(std::uint64_t bytes);
  Status check_time() const;
  /// Every few calls one check of the time: for loops over series.
  Status tick() { return ++ticks_ % kTicks == 0 ? check_time() : Status{}; }
  [[nodiscard]] std::pmr::memory_resource& memory() { return memory_; }

 private:
  /// Counts what the arena takes from the heap.
  class Counted final : public std::pmr::memory_resource {
   public:
    explicit Counted(MemoryLease* shared) : shared_(shared) {}
    void count(std::uint64_t bytes);
    std::uint64_t taken = 0;

   private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override;
    void do_deallocate(void* at, std::size_t bytes, std::size_t alignment) override;
    [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
    MemoryLease* shared_;
  };
  [[nodiscard]] Status check_memory() const;
  static constexpr std::uint32_t kTicks = 64;

  EvalLimits limits_;
  const Clock& clock_;
  Flags cancelled_;
  MemoryLease* shared_;
  MonoTime deadline_;
  std::uint64_t used_ = 0;
  std::uint32_t ticks_ = 0;
  Counted heap_{shared_};
  std::pmr::monotonic_buffer_resource memory_{&heap_};
};

/// What all parts of one query share. `start` and `end` are what start() and end() mean.
struct QueryContext {
  const EngineOptions& options;
  Budget& budget;
  LabelSpace& labels;
  AnnotationList& notes;
  Time start;
  Time end;
  BaselineCache* baselines = nullptr;  ///< null: nothing is remembered
  /// Series of each selector, found before anything is evaluated.
  std::unordered_map<const VectorSelector*, std::vector<collector::FoundSeries>> found{};
  /// Of info() calls: the series that may enrich.
  std::unordered_map<const Call*, std::vector<collector::FoundSeries>> found_info{};
};

/// The part of a series one step of a range function sees: samples in (start, end].
struct Window {
  std::span<const Sample> samples;
  Time start;
  Time end;
  milliseconds range{0};
  std::size_t step = 0;
  Time evaluation_time;
  std::size_t first = 0;  ///< index of the first sample within its series
};

/// Where each step's window of a range vector lies. Ends never fall from step to step.
struct WindowShape {
  milliseconds range{0};
  std::vector<Time> ends;
};

/// Moves the window over the samples of one series, step by step. The samples must outlive it.
class WindowCursor {
 public:
  WindowCursor(const WindowShape& shape, const StepRange& steps, std::span<const Sample> samples)
      : shape_(shape), steps_(steps), samples_(samples) {}
  /// Steps must not fall.
  Window at(std::size_t step);

 private:
  const WindowShape& shape_;
  const StepRange& steps_;
  std::span<const Sample> samples_;
  std::size_t from_ = 0;
  std::size_t to_ = 0;
};

/// Evaluates nodes over one range of steps: each node once, all steps at a time. A subquery makes an evaluator of its own.
class Evaluator {
 public:
  Evaluator(QueryContext& query, StepRange steps) : query_(query), steps_(steps) {}

  Result<Operand> eval(const Node& node);
  Result<StepVector> vector(const Node& node);
  Result<StepScalar> scalar(const Node& node);
  Result<std::string> string(const Node& node);

  /// Called with each series of a range vector and its samples, stale markers taken out; the samples live for the call.
  using TakeSamples = std::function<Status(const StepSeries& series, std::span<const Sample> samples)>;
  /// Reads a matrix selector or subquery (parentheses allowed) series by series; those without samples are left out.
  Status each_series(const Node& node, const WindowShape& shape, const TakeSamples& take);
  [[nodiscard]] WindowShape shape(const Node& node) const;

  /// The latest sample in (t - lookback, t] of each series; its value, or its time in seconds.
  enum class Take : std::uint8_t { value, timestamp };
  Result<StepVector> select(const VectorSelector& selector, Take take = Take::value);
  Result<StepVector> select(std::span<const collector::FoundSeries> found, const TimeModifiers& when, Take take);

  /// A row without values.
  [[nodiscard]] std::span<double> new_row();
  [[nodiscard]] StepSeries new_series(LabelSet labels) { return {labels, new_row()}; }

  /// Takes the metric names off, or marks them to go at the end (delayed name removal), and joins series that became alike.
  /// Errors: invalid ("vector cannot contain metrics with the same labelset") when two have a value at one step.
  Status drop_names(StepVector& vector);

  [[nodiscard]] const StepRange& steps() const { return steps_; }
  [[nodiscard]] QueryContext& query() { return query_; }
  [[nodiscard]] LabelSpace& labels() { return query_.labels; }

 private:
  Result<Operand> eval(const Node& node, const NumberLiteral& n);
  Result<Operand> eval(const Node& node, const StringLiteral& s);
  Result<Operand> eval(const Node& node, const VectorSelector& s);
  Result<Operand> eval(const Node& node, const MatrixSelector& m);
  Result<Operand> eval(const Node& node, const Subquery& s);
  Result<Operand> eval(const Node& node, const Call& c);
  Result<Operand> eval(const Node& node, const Aggregate& a);
  Result<Operand> eval(const Node& node, const Binary& b);
  Result<Operand> eval(const Node& node, const Unary& u);
  Result<Operand> eval(const Node& node, const Paren& p);

  Result<Operand> eval_once(const Node& node);
  Status each_series(const MatrixSelector& m, const WindowShape& shape, const TakeSamples& take);
  Status each_series(const Subquery& s, const WindowShape& shape, const TakeSamples& take);
  void latest_at_steps(std::span<const Sample> samples, std::span<const Time> times, Take take, std::span<double> row) const;
  [[nodiscard]] std::vector<Time> reference_times(const TimeModifiers& when) const;
  [[nodiscard]] Operand constant(double value) const;

  QueryContext& query_;
  StepRange steps_;
};

/// t - d, held at the ends of time.
[[nodiscard]] Time earlier_by(Time t, milliseconds d);
/// True for what yields the same at every step: all its selectors stand at a fixed time and nothing in it asks for the time.
[[nodiscard]] bool is_step_invariant(const Node& node);
/// The steps at which a subquery evaluates for windows that end in [first, last]; count 0 when there are none.
/// Errors: overloaded.
Result<StepRange> subquery_steps(const Subquery& s, const EngineOptions& options, Budget& budget, Time first, Time last);

/// Joins series with equal labels. Errors: invalid as Evaluator::drop_names.
Status join_alike(StepVector& vector);
void drop_empty(StepVector& vector);
/// Delayed name removal, at the end of a query.
Status drop_marked_names(Evaluator& ev, StepVector& vector);

/// Where info() reads the series that enrich: where the first selector of its first argument reads.
[[nodiscard]] TimeModifiers info_modifiers(const Call& c);
/// Finds the series of every selector of the query. Errors: what the store returns, overloaded, cancelled.
Status find_series(QueryContext& query, const Node& root, StepRange steps);

// Operators by family; each in its own file.
Result<StepVector> binary_vectors(Evaluator& ev, const Binary& b, StepVector lhs, StepVector rhs);
Result<StepVector> set_operation(Evaluator& ev, const Binary& b, StepVector lhs, StepVector rhs);
Result<StepVector> aggregate(Evaluator& ev, const Aggregate& a, StepVector input);
/// topk, bottomk, limitk, limit_ratio, quantile, count_values: those with a parameter.
Result<StepVector> aggregate_with_parameter(Evaluator& ev, const Aggregate& a, StepVector input);

/// Puts series into groups by what an aggregation keeps of their labels, numbered as they come.
class Grouping {
 public:
  Grouping(LabelSpace& space, const Aggregate& a);
  std::uint32_t group_of(LabelSet labels) { return place_of(labels).number; }
  LabelSetIndex::Place place_of(LabelSet labels);
  [[nodiscard]] std::size_t size() const { return index_.size(); }
  [[nodiscard]] LabelSet labels(std::size_t group) const { return index_[group]; }

 private:
  LabelSpace& space_;
  bool without_;
  NameSet names_;
  std::vector<LabelId> buffer_;
  LabelSetIndex index_;
};

/// The signature numbers of both sides of a vector match: equal numbers match.
struct Signatures {
  std::vector<std::uint32_t> lhs;
  std::vector<std::uint32_t> rhs;
  std::vector<LabelSet> labels;  ///< by number
};
Signatures signatures(LabelSpace& space, const VectorMatching& matching, const StepVector& lhs, const StepVector& rhs);

}  // namespace ward::promql
