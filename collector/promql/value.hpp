#pragma once
#include <string>
#include <variant>
#include <vector>

#include "common/model/labels.hpp"
#include "common/model/sample.hpp"

namespace ward::promql {

struct VectorElement {
  Labels labels;
  double value = 0;
  friend bool operator==(const VectorElement&, const VectorElement&) = default;
};
/// All elements are of the evaluation time.
using Vector = std::vector<VectorElement>;

struct MatrixSeries {
  Labels labels;
  std::vector<Sample> samples;
  friend bool operator==(const MatrixSeries&, const MatrixSeries&) = default;
};
using Matrix = std::vector<MatrixSeries>;

/// What an instant query yields: a scalar, an instant vector, a range vector or a string.
using Value = std::variant<double, Vector, Matrix, std::string>;

}  // namespace ward::promql
