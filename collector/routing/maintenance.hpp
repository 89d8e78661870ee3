#pragma once
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collector/event/alert.hpp"
#include "collector/routing/time_interval.hpp"
#include "common/config/node.hpp"

namespace ward::collector {

/// Planned work on services, at times that come again.
struct Maintenance {
  /// What an SLO makes of the time: leave it out, up to `max_excluded` a month, or count it like any other.
  enum class Slo : std::uint8_t { exclude, count };
  std::set<std::string, std::less<>> services;
  std::set<AlertClass> suppress;  ///< of these nobody is told; never executive
  TimeIntervals times;
  Slo slo = Slo::exclude;
  milliseconds max_excluded{0};  ///< 0 = without bound
  friend bool operator==(const Maintenance&, const Maintenance&) = default;
};

/// True when `service` cannot work without `ancestor` (ServiceMap::needs).
using NeedsService = std::function<bool(const std::string& service, const std::string& ancestor)>;

/// The first window that is open at `t` for the service itself or for one it cannot work without; null when none is. What
/// the SLO engine asks for excluded time. `needs` may be empty.
const Maintenance* in_maintenance(const std::vector<Maintenance>& windows, const NeedsService& needs,
                                  const std::string& service, Time t);
/// The same for windows that keep incidents of this class from being told.
const Maintenance* suppressing(const std::vector<Maintenance>& windows, const NeedsService& needs,
                               const std::string& service, AlertClass cls, Time t);

/// Reads `maintenance: [{services, suppress: [informational, actionable], time_intervals, slo: exclude, maxExcluded: 4h}]`;
/// an entry of time_intervals is the name of one or an interval itself.
std::vector<Maintenance> read_maintenance(config::Section& section, const NamedIntervals& intervals);

}  // namespace ward::collector
