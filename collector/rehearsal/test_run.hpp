#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "collector/alerting/rule_file.hpp"
#include "collector/rehearsal/test_file.hpp"
#include "collector/rulebook/rulebook.hpp"

namespace ward::collector {

/// One expectation that was not met, or one thing that went wrong on the way to it.
struct TestFailure {
  enum class Kind : std::uint8_t { alert, query, notification, evaluation };
  Kind kind = Kind::alert;
  config::Position at;  ///< of the expectation in the test file
  std::string subject;  ///< alert name, expression or rule
  milliseconds time{0};
  std::string expected;  ///< "" with an error
  std::string got;
  std::string error;
  std::string
      why;  ///< what correlation and routing decided until then and for what reason, one line each; "" unless notification
  friend bool operator==(const TestFailure&, const TestFailure&) = default;
};
std::string_view to_string(TestFailure::Kind kind);

struct TestResult {
  std::string name;  ///< "" when the test has none
  config::Position at;
  std::vector<TestFailure> failures;
};

/// An alert rule of the rule files under test, or an SLO that tells when its error budget burns.
struct CoveredRule {
  enum class Kind : std::uint8_t { rule, slo };
  std::string file;
  std::string group;
  std::string rule;
  AlertClass cls = AlertClass::informational;
  bool fired = false;  ///< in at least one test; of an SLO whose burning wakes people: as urgent
  Kind kind = Kind::rule;
  friend bool operator==(const CoveredRule&, const CoveredRule&) = default;
};

struct FileResult {
  std::string file;
  std::vector<std::string> errors;  ///< why nothing was tested: one line each, with their place
  std::vector<std::string> warnings;
  std::vector<TestResult> tests;
  std::vector<CoveredRule> rules;
  [[nodiscard]] bool passed() const;
};

struct TestRunOptions {
  /// Which tests to run, by name; empty: all.
  std::function<bool(const std::string& name)> wanted;
  /// What documents of the rule files do not say: a collector's configuration.
  RulebookOptions base;
};

/// Runs every test of a file on virtual time. Rules are evaluated as promtool does it: all groups at each
/// evaluation_interval, samples up to that moment in the store. Incidents and pages follow from that as in the collector.
FileResult run_test_file(std::string_view text, const std::string& path, const TestRunOptions& options);

/// What `results` say together of each alert rule, the gravest first, then by file, group and name.
std::vector<CoveredRule> coverage_of(std::span<const FileResult> results);

}  // namespace ward::collector
