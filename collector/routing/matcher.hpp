#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/labels.hpp"

namespace re2 {
class RE2;
}

namespace ward::collector {

/// One condition in Alertmanager's spelling: `name=value`, `!=`, `=~`, `!~`; the value may be quoted. Regular expressions
/// are RE2 and anchored. An absent label reads as "".
class LabelCondition {
 public:
  static Result<LabelCondition> parse(std::string_view text);
  enum class Op : std::uint8_t { equal, not_equal, regex, not_regex };
  /// Errc::invalid for what is no label name, and for what is no regular expression.
  static Result<LabelCondition> make(std::string name, Op op, std::string value);
  [[nodiscard]] bool holds(const Labels& labels) const;
  /// Holds where the label is absent.
  [[nodiscard]] bool holds_for_nothing() const { return holds(Labels{}); }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& value() const { return value_; }
  [[nodiscard]] Op op() const { return op_; }

 private:
  LabelCondition() = default;
  std::string name_;
  Op op_ = Op::equal;
  std::string value_;
  std::shared_ptr<const re2::RE2> regex_;
};

[[nodiscard]] bool all_hold(const std::vector<LabelCondition>& conditions, const Labels& labels);

}  // namespace ward::collector
