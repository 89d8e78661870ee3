#pragma once
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace ward::collector {

/// Reads configuration, certificates and rules and says what is wrong; yields what it would run with but is worth a look,
/// such as a pattern that no rule file matches. `ward-collector --check`.
Result<std::vector<std::string>> check(const std::string& config_path);
/// Runs until SIGTERM or SIGINT; SIGHUP reads rules and certificates again, all or nothing.
Status run(const std::string& config_path);

}  // namespace ward::collector
