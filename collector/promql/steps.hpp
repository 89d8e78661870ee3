#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "collector/promql/value.hpp"

namespace ward::promql {

/// The evaluation times start, start + step, ... up to end. An instant query is one step.
struct StepRange {
  Time start;
  milliseconds step{1};
  std::size_t count = 1;
  [[nodiscard]] Time at(std::size_t i) const { return start + step * static_cast<std::int64_t>(i); }
  [[nodiscard]] Time last() const { return at(count - 1); }
};

/// One series of an instant vector over all steps: dense, so that operators are loops over arrays. Labels are worked out
/// once a query, not once a step.
class StepSeries {
 public:
  StepSeries() = default;
  StepSeries(Labels given, std::size_t steps) : labels(std::move(given)), values_(steps), present_(steps) {}
  Labels labels;
  [[nodiscard]] std::size_t steps() const { return values_.size(); }
  [[nodiscard]] bool has(std::size_t i) const { return present_[i] != 0; }
  [[nodiscard]] double at(std::size_t i) const { return values_[i]; }
  void set(std::size_t i, double v) {
    values_[i] = v;
    present_[i] = 1;
  }
  void clear(std::size_t i) { present_[i] = 0; }
  [[nodiscard]] bool any() const {
    for (const auto p : present_)
      if (p != 0) return true;
    return false;
  }

 private:
  std::vector<double> values_;
  std::vector<std::uint8_t> present_;
};
using StepVector = std::vector<StepSeries>;
using StepScalar = std::vector<double>;

/// What a node yields over all steps; which member is fixed by its type. Range vectors are no operand: functions read their
/// windows.
struct Operand {
  std::variant<StepScalar, StepVector, std::string> data;
};

}  // namespace ward::promql
