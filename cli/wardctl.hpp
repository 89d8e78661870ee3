#pragma once
#include <string>
#include <vector>

#include "cli/outside.hpp"

namespace ward::cli {

/// Runs one command line (without the program's name). Returns 0, or 2 after writing one line to `outside.err` that says
/// what is wrong and what to do; then nothing is written to `outside.out`. 1 is an answer of `test`: some test failed.
int run(std::vector<std::string> arguments, const Outside& outside);

}  // namespace ward::cli
