#pragma once

#include "collector/config.hpp"
#include "collector/rehearsal/estate.hpp"

namespace ward::cli {

/// The estate that a collector's configuration describes.
inline collector::Estate estate_of(const collector::CollectorConfig& config) {
  return {.own = config.services, .services = {}, .correlation = config.correlation, .routing = config.routing};
}

}  // namespace ward::cli
