#pragma once
#include <string>

#include "common/base/result.hpp"

namespace ward::collector {

/// Reads configuration, certificates and rules and says what is wrong. `ward-collector --check`.
Status check(const std::string& config_path);
/// Runs until SIGTERM or SIGINT; SIGHUP reads rules and certificates again, all or nothing.
Status run(const std::string& config_path);

}  // namespace ward::collector
