#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace ward::collector::exchange {

/// An indicator as Ward writes it: what is bad (or good) and what is all, or a ratio.
struct RatioIndicator {
  enum class Kind : std::uint8_t {
    bad,   ///< `part` of `total` are bad events; both are selectors of counters
    good,  ///< `part` of `total` are good events
    raw,   ///< `part` is the bad share, PromQL that is asked once a minute
  };
  Kind kind = Kind::raw;
  std::string part{};
  std::string total{};
  std::vector<std::string> group_by{};
  bool dropped_zero = false;  ///< `or vector(0)` stood there: Ward takes an absent numerator for none
  friend bool operator==(const RatioIndicator&, const RatioIndicator&) = default;
};

/// Queries of a rate of errors and of all events. `sum(rate(a[5m]))` over `sum(rate(b[5m]))`, and
/// `sum(rate(all[5m])) - sum(rate(good[5m]))` over all, become selectors that Ward counts as samples arrive; anything else
/// the ratio of the two. Every range must be `window`. Errors: invalid, the parser's sentence.
Result<RatioIndicator> events_indicator(std::string_view errors, std::string_view total, std::string_view window);
/// A query of the bad share.
Result<RatioIndicator> raw_indicator(std::string_view ratio);
/// A single selector, as Prometheus prints it. Errors: invalid when it is none.
Result<std::string> selector_text(std::string_view query);

}  // namespace ward::collector::exchange
