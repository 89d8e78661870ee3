#pragma once
#include <span>
#include <string>

#include "collector/event/alert.hpp"

namespace ward::collector::api {

/// Alerts as /api/v1/alerts and /api/v1/rules show them: a JSON array.
void append_alerts(std::string& out, std::span<const AlertEvent> alerts);

}  // namespace ward::collector::api
