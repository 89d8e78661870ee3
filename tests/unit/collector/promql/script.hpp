#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace ward::promql::test {

/// Runs a PromQL test script and returns what went wrong, one "file:line: sentence" each.
///
/// A script, line by line (blank lines and lines starting with # do not count):
///   load <step>                                then indented series descriptions, first value at time 0
///   clear                                      forgets all samples
///   eval instant at <time> <expression>        then indented `labels value` lines in any order, or one number for a scalar
///   eval_ordered instant at <time> <expr>      the same, in this order
///   eval range from <time> to <time> step <duration> <expr>    then indented `labels value value ...` lines, _ where
///   nothing is eval_fail instant at <time> <expr>         then at most one indented `expected_fail_message <text>`
/// Values match within a relative 1e-6, as Prometheus' own scripts do. Each instant evaluation of a vector runs again as the
/// middle of a range of three steps, and must not change.
std::vector<std::string> run_script(const std::filesystem::path& file);

}  // namespace ward::promql::test
