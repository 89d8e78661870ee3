#pragma once

#include <chrono>

#include "collector/incident/engine.hpp"

namespace ward::collector {

/// Seconds where an installation waits for minutes, and no wait for quiet, so that a test stays short.
inline EngineOptions short_times() {
  EngineOptions out;
  out.settle = {.actionable = std::chrono::seconds{10}, .urgent = std::chrono::seconds{2}, .executive = milliseconds{0}};
  out.settle_resolve = milliseconds{0};
  out.flap.stable = std::chrono::minutes{5};
  return out;
}

}  // namespace ward::collector
