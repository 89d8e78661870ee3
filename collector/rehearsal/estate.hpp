#pragma once
#include <optional>
#include <span>

#include "collector/alerting/rule.hpp"
#include "collector/incident/engine.hpp"
#include "collector/incident/service_map.hpp"
#include "collector/routing/routing_table.hpp"
#include "common/config/node.hpp"

namespace ward::collector {

/// Who depends on whom and who hears of what: what correlation and routing are set up with.
struct Estate {
  ServiceMapPart own;   ///< what the collector's configuration says of services; it counts before documents
  ServiceMap services;  ///< all of it
  EngineOptions correlation;
  std::optional<RoutingTable> routing;  ///< nullopt: nobody said who hears of anything
};

/// The estate that the ServiceMap and Operations documents of rule files describe, over what `base` (a collector's
/// configuration) says. Documents of other kinds are left alone. Every problem is reported at its place.
Estate read_estate(std::span<const OtherDocument> documents, Estate base, config::Problems& problems);

}  // namespace ward::collector
