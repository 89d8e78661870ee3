#pragma once
#include <span>

#include "common/model/sample.hpp"

namespace ward::probes::data {

/// Every metric of probe postgres: the columns and settings of postgres_views.hpp, and those computed from several.
std::span<const MetricMeta> postgres_metrics();

}  // namespace ward::probes::data
