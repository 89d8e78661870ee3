#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/model/labels.hpp"

namespace ward::collector {

/// One element of an instant vector.
struct VectorSample {
  Labels labels;
  double value = 0;
  friend bool operator==(const VectorSample&, const VectorSample&) = default;
};
using Vector = std::vector<VectorSample>;

/// A compiled query, bound to the store it reads. A scalar result is one sample without labels, as rules see it.
/// Thread: the one of the rule engine.
class Expression {
 public:
  virtual ~Expression() = default;
  [[nodiscard]] virtual Result<Vector> evaluate(Time at) const = 0;
  /// Names of the metrics it reads, sorted; empty when it selects by other labels only, so that anything may touch it.
  [[nodiscard]] virtual const std::vector<std::string>& metrics() const = 0;
  /// How far back it looks at most, by ranges and offsets.
  [[nodiscard]] virtual milliseconds range() const { return milliseconds{0}; }
  /// Whether it asks for what is absent.
  [[nodiscard]] virtual bool of_absence() const { return false; }
  /// Whether something it reads has stopped coming without having ended, so that "not there" says nothing: among the series
  /// that agree with `instance`, none has a sample of the present, and one had its last, no stale marker, less than `within`
  /// before `at`. Labels that a series does not have agree.
  [[nodiscard]] virtual bool is_silent(const Labels& instance, Time at, milliseconds within) const {
    (void)instance, (void)at, (void)within;
    return false;
  }
};

/// Turns query text into expressions. Error.what is the parser's sentence with its place: "1:11: parse error: ...".
class ExpressionCompiler {
 public:
  virtual ~ExpressionCompiler() = default;
  [[nodiscard]] virtual Result<std::shared_ptr<const Expression>> compile(std::string_view text) const = 0;
};

}  // namespace ward::collector
