#pragma once
#include <iosfwd>
#include <string>

#include "common/base/result.hpp"

namespace ward::agent {

/// Reads the configuration and says whether it would run: files, certificates, names. `ward-agent --check`.
Status check(const std::string& config_path);
/// Measures every target once and prints every sample with its duration, for people. `ward-agent --once`.
Status measure_once(const std::string& config_path, std::ostream& out);
/// Runs until SIGTERM or SIGINT; SIGHUP reads the configuration again, all or nothing.
Status run(const std::string& config_path);

}  // namespace ward::agent
