#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "common/base/time.hpp"

namespace ward::exposition {

/// A sample's value as Go's ParseFloat reads it, but for hexadecimal and '_', which Prometheus refuses too. Too large is
/// nullopt, too small is 0. Every NaN becomes the same one, so that no exporter can say "stale".
std::optional<double> read_value(std::string_view word);
/// Of the text format: whole milliseconds.
std::optional<Time> read_milliseconds(std::string_view word);
/// Of OpenMetrics: seconds with a fraction.
std::optional<Time> read_seconds(std::string_view word);

/// The value of an `le` or `quantile` label as Prometheus 3 keeps it, whichever format it came in: "1" is "1.0". What is no
/// number stays.
std::string canonical_bound(std::string_view word);

}  // namespace ward::exposition
