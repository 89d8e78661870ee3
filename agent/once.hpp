#pragma once
#include <iosfwd>
#include <vector>

#include "agent/schedule/target.hpp"
#include "common/async/task.hpp"
#include "common/async/timers.hpp"

namespace ward::agent {

/// Measures the targets one after the other and prints each with its duration, samples and events. Returns how many could
/// not be measured.
async::Task<int> print_all(std::vector<Target>& targets, probes::Host& host, async::Timers& timers, std::ostream& out);

}  // namespace ward::agent
