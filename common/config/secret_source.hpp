#pragma once
#include <string>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"

namespace ward::config {

/// Reads a secret's file: a regular file of at most 64 KiB that others can neither read nor write. One trailing newline
/// is stripped. Errors name the path, never the content.
Result<Secret> secret_from_file(const std::string& path);
/// Errors name the variable. An empty variable is an error: it is nearly always a mistake in a unit or manifest.
Result<Secret> secret_from_environment(const std::string& name);

}  // namespace ward::config
