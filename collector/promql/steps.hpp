#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "collector/promql/label_space.hpp"
#include "common/model/sample.hpp"

namespace ward::promql {

/// The evaluation times start, start + step, ... up to end. An instant query is one step.
struct StepRange {
  Time start;
  milliseconds step{1};
  std::size_t count = 1;
  [[nodiscard]] Time at(std::size_t i) const { return start + step * static_cast<std::int64_t>(i); }
  [[nodiscard]] Time last() const { return at(count - 1); }
};

/// One series of an instant vector over all steps: dense, so that operators are loops over arrays. Cheap to copy: the row
/// lives in the query's memory. A step without a value holds the stale marker, which is never a value here.
class StepSeries {
 public:
  StepSeries() = default;
  StepSeries(LabelSet given, std::span<double> row) : labels(given), row_(row) {}
  LabelSet labels;
  bool drop_name = false;  ///< the metric name is still there, and goes when the query ends
  [[nodiscard]] std::size_t steps() const { return row_.size(); }
  [[nodiscard]] bool has(std::size_t i) const { return !is_stale(row_[i]); }
  [[nodiscard]] double at(std::size_t i) const { return row_[i]; }
  void set(std::size_t i, double v) { row_[i] = v; }
  void clear(std::size_t i) { row_[i] = stale_marker(); }
  [[nodiscard]] bool any() const {
    return std::any_of(row_.begin(), row_.end(), [](double v) { return !is_stale(v); });
  }
  [[nodiscard]] std::span<double> row() const { return row_; }

 private:
  std::span<double> row_;
};
using StepVector = std::vector<StepSeries>;
using StepScalar = std::vector<double>;

/// What a node yields over all steps; which member is fixed by its type. Range vectors are no operand: functions read their
/// windows.
struct Operand {
  std::variant<StepScalar, StepVector, std::string> data;
};

}  // namespace ward::promql
