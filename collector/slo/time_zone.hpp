#pragma once
#include <cstdint>
#include <string>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace ward::collector::slo {

/// Seconds on a clock of `zone` (UTC when it is unknown, which check_zone()
/// tells before) since 1970-01-01 00:00 on that clock.
std::int64_t to_local_seconds(const std::string& zone, Time t);
/// A time that a clock skips when it is set forward is the moment of the change; one that it shows twice is the first.
Time from_local_seconds(const std::string& zone, std::int64_t local);

}  // namespace ward::collector::slo
