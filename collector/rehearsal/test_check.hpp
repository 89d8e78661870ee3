#pragma once
#include <set>
#include <span>
#include <string>
#include <vector>

#include "collector/alerting/rule_file.hpp"
#include "collector/rehearsal/test_run.hpp"
#include "collector/rulebook/rulebook.hpp"

namespace ward::collector {

/// What can be said of tests without running them.
struct TestCheck {
  std::vector<RuleProblem> errors;    ///< W035 bad-test: as parse_test_file(), and expressions that do not parse
  std::vector<RuleProblem> warnings;  ///< W036 unknown-in-test: alerts that no rule, SLO or input makes
  std::size_t tests = 0;
  /// Alert rules and SLOs of class urgent and executive; `fired` where a test expects them to.
  std::vector<CoveredRule> urgent;
};

/// Reads the Test documents of these rule files, and the test files that their Pack documents name, strictly, and tells
/// which of the grave alerts they expect. `book`: of the same files, null when it did not load (nothing is told of names
/// and coverage then).
TestCheck check_tests(std::span<const std::string> rule_files, const Rulebook* book, const ExpressionCompiler& compiler,
                      const ReadFile& read);

}  // namespace ward::collector
