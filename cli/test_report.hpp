#pragma once
#include <span>
#include <string>

#include "collector/rehearsal/test_run.hpp"

namespace ward::cli {

/// What came of the tests, for people: promtool's form, and below each failure where the expectation stands. Ends with '\n'.
std::string test_report(const collector::FileResult& result);
/// The alert rules that no test has made fire, the gravest first. Ends with '\n'.
std::string coverage_report(std::span<const collector::CoveredRule> rules);
/// Of tests that were not run: how many there are, and which of the urgent and executive alerts they do not expect. Ends
/// with
/// '\n'.
std::string expected_report(std::size_t tests, std::span<const collector::CoveredRule> urgent);
/// Alert rules and SLOs of class urgent or executive that no test has made fire.
std::size_t uncovered_urgent(std::span<const collector::CoveredRule> rules);

/// The same for programs: {"passed", "files": [...], "coverage": [...]}. Ends with '\n'.
std::string test_report_json(std::span<const collector::FileResult> results, std::span<const collector::CoveredRule> rules);

}  // namespace ward::cli
