#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collector/alerting/expression.hpp"
#include "collector/alerting/rule.hpp"
#include "collector/alerting/runbook.hpp"
#include "common/base/result.hpp"

namespace ward::collector {

/// A finding in a rule file: its place as editors read it, promtool's words,
/// `a.yml:5:11: group "g1", rule 1, "A": could not parse expression: 1:11: ...`, and a stable code.
struct RuleProblem {
  std::string code;  ///< "W012 missing-runbook"
  std::string text;
  friend bool operator==(const RuleProblem&, const RuleProblem&) = default;
};
std::string to_string(const RuleProblem& problem);  ///< `text [code]`

/// `partial`: rules that are meant may not be there, for a pattern matched no file or no file held a group. A folder that is
/// mounted late or cannot be read looks just so.
enum class RuleCoverage : std::uint8_t { whole, partial };

/// One file's text, for tests, editors and `wardctl check`.
struct RuleText {
  std::string file;
  std::string text;
};

/// Result of a load. `rules` is null when there are errors; warnings never keep rules from loading.
struct RuleLoad {
  std::shared_ptr<const RuleSet> rules;
  std::vector<RuleProblem> errors;
  std::vector<RuleProblem> warnings;
  RuleCoverage coverage = RuleCoverage::whole;
  std::vector<RuleText> texts;           ///< as they were read from the disk
  [[nodiscard]] Error to_error() const;  ///< Errc::invalid, one line per error
};

struct RuleOptions {
  milliseconds default_interval = std::chrono::minutes{1};  ///< of groups without `interval`
  milliseconds default_query_offset{0};
};

/// Checks and compiles rule files as Prometheus does, and Ward's own labels on top: `class`, `layer` and `owner` from the
/// closed lists; from class urgent on, an owner and a runbook whose file and anchor exist. Reports every problem at once.
RuleLoad parse_rules(std::span<const RuleText> files, const ExpressionCompiler& compiler, const RuleOptions& options,
                     const ReadFile& read);

/// The files that patterns (paths or globs) name, sorted, each once; a plain path that is not there is among them.
std::vector<std::string> rule_paths(std::span<const std::string> patterns);

/// A rule file, or what one refers to, from the disk; at most 4 MiB.
Result<std::string> read_rule_file(const std::string& path);

/// The same for files on disk. `patterns` are paths or globs; matches are sorted, a file matched twice is loaded once.
RuleLoad load_rules(std::span<const std::string> patterns, const ExpressionCompiler& compiler, const RuleOptions& options);

}  // namespace ward::collector
