#pragma once
#include <string>
#include <vector>

#include "collector/rehearsal/backtest.hpp"

namespace ward::cli {

/// The incidents that a collector has recorded in its state file and opened in [since, until], with their pages, oldest
/// first. Reads a copy, for a running collector holds the file for itself: nothing of the original is touched. Errors:
/// not_found; unavailable when it changes so fast that no whole copy can be made.
Result<std::vector<collector::PagedIncident>> recorded_incidents(const std::string& state_file, Time since, Time until);

}  // namespace ward::cli
