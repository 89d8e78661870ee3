#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/labels.hpp"

namespace ward::promql {

/// A series and its values at equal distances, as promtool's unit tests write them; nullopt is a gap.
struct SeriesDescription {
  Labels labels;
  std::vector<std::optional<double>> values;
  friend bool operator==(const SeriesDescription& a, const SeriesDescription& b);
};

/// `up{job="x"}`; also `{a="b"}`. Errors: invalid.
Result<Labels> parse_metric(std::string_view text);
/// `up{job="x"} 1 2 _ 5+10x3 3-1x2 7x4 _x3 stale NaN -Inf`: a+bxn is a, a+b, ... with n steps after the first, axn is a n +
/// 1 times. At most 1,000,000 values. Errors: invalid, naming the word.
Result<SeriesDescription> parse_series_description(std::string_view text);

}  // namespace ward::promql
