#include "cli/test_report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "collector/rehearsal/expectation_text.hpp"
#include "common/base/duration.hpp"
#include "common/telemetry/log_format.hpp"

namespace ward::cli {
namespace {

using collector::AlertClass;
using collector::CoveredRule;
using collector::FileResult;
using collector::TestFailure;
using nlohmann::ordered_json;

/// As Go's %q prints an expression.
std::string go_quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + '"';
}

std::string failure_text(const std::string& test, const TestFailure& failure) {
  std::string out = test.empty() ? "" : "    name: " + test + ",\n";
  const auto time = format_duration(failure.time);
  const auto indented = [](const std::string& text) { return collector::indented(text, "            "); };
  switch (failure.kind) {
    case TestFailure::Kind::alert:
      out += "    alertname: " + failure.subject + ", time: " + time + ", \n        exp:" + indented(failure.expected) +
             ", \n        got:" + indented(failure.got);
      break;
    case TestFailure::Kind::query:
      out += "    expr: " + go_quoted(failure.subject) + ", time: " + time + ",";
      out += failure.error.empty() ? "\n        exp: " + failure.expected + "\n        got: " + failure.got
                                   : " err: " + failure.error;
      break;
    case TestFailure::Kind::notification:
      out += "    notifications, time: " + time + ",\n        exp: " + indented(failure.expected) +
             "\n        got: " + indented(failure.got);
      if (!failure.why.empty()) out += "\n        why: " + indented(failure.why);
      break;
    case TestFailure::Kind::evaluation:
      out += "    rule: " + failure.subject + ", time: " + time + ", err: " + failure.error;
      break;
  }
  return out + "\n        see: " + to_string(failure.at) + "\n";
}

std::string line_of(const CoveredRule& rule) {
  const auto where = rule.kind == CoveredRule::Kind::slo ? "SLO" : "group " + go_quoted(rule.group);
  return std::string(to_string(rule.cls)) + " " + rule.rule + " (" + rule.file + ": " + where + ")\n";
}

bool is_urgent(const CoveredRule& rule) { return rule.cls >= AlertClass::urgent; }

ordered_json json_of(const TestFailure& failure) {
  ordered_json out{{"kind", to_string(failure.kind)},
                   {"subject", failure.subject},
                   {"time", format_duration(failure.time)},
                   {"place", to_string(failure.at)}};
  if (!failure.error.empty()) {
    out["error"] = failure.error;
  } else {
    out["expected"] = failure.expected;
    out["got"] = failure.got;
    if (!failure.why.empty()) out["why"] = failure.why;
  }
  return out;
}

ordered_json json_of(const FileResult& result) {
  ordered_json tests = ordered_json::array();
  for (const auto& test : result.tests) {
    ordered_json failures = ordered_json::array();
    for (const auto& failure : test.failures) failures.push_back(json_of(failure));
    tests.push_back({{"name", test.name},
                     {"place", to_string(test.at)},
                     {"passed", test.failures.empty()},
                     {"failures", std::move(failures)}});
  }
  return {{"file", result.file},
          {"passed", result.passed()},
          {"errors", result.errors},
          {"warnings", result.warnings},
          {"tests", std::move(tests)}};
}

}  // namespace

std::string test_report(const FileResult& result) {
  std::string out = "Unit Testing:  " + result.file + '\n';
  for (const auto& warning : result.warnings) out += "  WARNING: " + warning + '\n';
  if (result.passed()) return out + "  SUCCESS\n\n";
  out += "  FAILED:\n";
  for (const auto& error : result.errors) out += error + "\n\n";
  for (const auto& test : result.tests)
    for (const auto& failure : test.failures) out += failure_text(test.name, failure) + '\n';
  return out;
}

std::size_t uncovered_urgent(std::span<const CoveredRule> rules) {
  return static_cast<std::size_t>(
      std::count_if(rules.begin(), rules.end(), [](const auto& rule) { return is_urgent(rule) && !rule.fired; }));
}

std::string expected_report(std::size_t tests, std::span<const CoveredRule> urgent) {
  const auto expected = std::count_if(urgent.begin(), urgent.end(), [](const auto& rule) { return rule.fired; });
  std::string out = "tests: " + std::to_string(tests) + ", which expect " + std::to_string(expected) + " of " +
                    std::to_string(urgent.size()) + " urgent and executive alerts\n";
  for (const auto& rule : urgent)
    if (!rule.fired) out += "  no test expects " + line_of(rule);
  return out;
}

std::string coverage_report(std::span<const CoveredRule> rules) {
  const auto count = [&](auto&& which) { return std::to_string(std::count_if(rules.begin(), rules.end(), which)); };
  std::string out = "Coverage: " + count([](const auto& r) { return r.fired; }) + " of " + std::to_string(rules.size()) +
                    " alert rules and SLOs fire in a test, " + count([](const auto& r) { return is_urgent(r) && r.fired; }) +
                    " of " + count([](const auto& r) { return is_urgent(r); }) + " urgent and executive ones\n";
  for (const auto& rule : rules) {
    if (rule.fired) continue;
    out += "  no test fires " + line_of(rule);
  }
  return out;
}

std::string test_report_json(std::span<const FileResult> results, std::span<const CoveredRule> rules) {
  ordered_json files = ordered_json::array();
  for (const auto& result : results) files.push_back(json_of(result));
  ordered_json coverage = ordered_json::array();
  for (const auto& rule : rules)
    coverage.push_back({{"file", rule.file},
                        {"group", rule.group},
                        {"rule", rule.rule},
                        {"kind", rule.kind == CoveredRule::Kind::slo ? "slo" : "rule"},
                        {"class", to_string(rule.cls)},
                        {"fired", rule.fired}});
  const bool passed = std::all_of(results.begin(), results.end(), [](const auto& result) { return result.passed(); });
  const ordered_json out{{"passed", passed}, {"files", std::move(files)}, {"coverage", std::move(coverage)}};
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace ward::cli
