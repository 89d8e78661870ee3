#pragma once
#include <optional>
#include <string>

#include "collector/slo/slo.hpp"
#include "common/config/node.hpp"

namespace ward::collector::slo {

/// An indicator where it is used: written there, or by the name of an SLI document.
struct IndicatorUse {
  std::optional<Indicator> written;
  std::string ref;
  config::Position at;
  [[nodiscard]] bool given() const { return written.has_value() || !ref.empty(); }
};

/// The keys `indicator` and `indicatorRef` of an SLO or objective.
IndicatorUse read_indicator_use(config::Section& from);
/// The `spec` of an SLI: ratioMetric or thresholdMetric.
Indicator read_indicator(config::Section& spec, std::string name);
/// "lt", "lte", "gt", "gte".
std::optional<Comparison> read_comparison(config::Section& from);

}  // namespace ward::collector::slo
