#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace ward::promql::test {

/// Runs a PromQL test script and returns what went wrong, one "file:line: sentence" each.
///
/// A script, line by line (blank lines and lines starting with # do not count):
///   load <step>                                then indented series descriptions, first value at time 0
///   clear                                      forgets all samples and options
///   option delayed_name_removal                from here on
///   eval instant at <time> <expression>        then indented expectations
///   eval range from <time> to <time> step <duration> <expression>    likewise
/// Expectations are `labels value` lines (for a range `labels value value ...`, _ where nothing is), in any order, one
/// number for a scalar, or
///   expect ordered                             elements come as listed
///   expect fail [msg: <text>|regex: <RE2>]     the whole error, or a pattern found in it
///   expect warn|info [msg: <text>|regex: <RE2>]    one of the annotations is so; without text: there is one
///   expect no_warn|no_info
///   expect string "text"
/// `eval_fail`, `eval_ordered`, `eval_warn` and `eval_info` are short for the first three; `expected_fail_message <text>`
/// for a msg. Values match within a relative 1e-6, as Prometheus' own scripts do. Each instant evaluation of a vector runs
/// again as the middle of a range of three steps, and must not change.
std::vector<std::string> run_script(const std::filesystem::path& file);

}  // namespace ward::promql::test
