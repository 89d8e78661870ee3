// wardctl test FILE...: unit tests of rules, as promtool runs them, and of the pages that follow from them.
#include <CLI/App.hpp>
#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <memory>
#include <ostream>
#include <re2/re2.h>
#include <string>
#include <vector>

#include "cli/command/command.hpp"
#include "cli/test_report.hpp"
#include "collector/config.hpp"
#include "collector/rehearsal/test_run.hpp"

namespace ward::cli::command {
namespace {

constexpr int kSomeFailed = 1;  // as promtool

struct TestOptions {
  std::vector<std::string> files;
  std::vector<std::string> run;
  std::string config;
  bool coverage = false;
  bool require_coverage = false;
  bool json = false;
};

Result<collector::RulebookOptions> base_of(const std::string& config) {
  if (config.empty()) return collector::RulebookOptions{};
  auto loaded = collector::load_collector_config(config);
  if (!loaded) return fail(loaded.error());
  return collector::rulebook_options(*loaded);
}

/// Whether a test's name matches one of the patterns, anywhere in it; every test when there is none.
Result<std::function<bool(const std::string&)>> wanted(const std::vector<std::string>& patterns) {
  std::vector<std::shared_ptr<const RE2>> regexes;
  for (const auto& pattern : patterns) {
    auto regex = std::make_shared<const RE2>(pattern, RE2::Quiet);
    if (!regex->ok())
      return fail(Errc::invalid, "--run is '" + pattern + "', which is no regular expression: " + regex->error(),
                  "Write a part of a test's name, for example --run 'primary.*down'.");
    regexes.push_back(std::move(regex));
  }
  if (regexes.empty()) return std::function<bool(const std::string&)>{};
  return std::function<bool(const std::string&)>{[regexes](const std::string& name) {
    return std::any_of(regexes.begin(), regexes.end(), [&](const auto& r) { return RE2::PartialMatch(name, *r); });
  }};
}

collector::FileResult test_file(const std::string& path, const collector::TestRunOptions& options) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  std::array<char, 16 * 1024> part{};
  const bool there = in.is_open();
  while (in.read(part.data(), part.size()) || in.gcount() > 0)
    text.append(part.data(), static_cast<std::size_t>(in.gcount()));
  if (there && !in.bad()) return collector::run_test_file(text, path, options);
  collector::FileResult unreadable;
  unreadable.file = path;
  unreadable.errors.push_back(path + ": cannot be read. Check the path and its permissions.");
  return unreadable;
}

Result<int> test(const TestOptions& options, const Outside& outside) {
  auto base = base_of(options.config);
  if (!base) return fail(base.error());
  auto by_name = wanted(options.run);
  if (!by_name) return fail(by_name.error());
  const collector::TestRunOptions run{.wanted = std::move(*by_name), .base = std::move(*base)};
  const auto files = collector::rule_paths(options.files);
  if (files.empty()) return fail(Errc::not_found, "no file matches", "Name test files, or globs in quotes.");
  std::vector<collector::FileResult> results;
  bool passed = true;
  std::size_t tests = 0;
  for (const auto& file : files) {
    results.push_back(test_file(file, run));
    passed = passed && results.back().passed();
    tests += results.back().tests.size();
    if (!options.json) outside.out << test_report(results.back()) << std::flush;
  }
  if (passed && tests == 0 && !options.run.empty())
    return fail(Errc::not_found, "no test has a name that --run matches", "Compare it with the names in the files.");
  const bool judge = options.coverage || options.require_coverage;
  const auto rules = judge || options.json ? collector::coverage_of(results) : std::vector<collector::CoveredRule>{};
  if (options.json) outside.out << test_report_json(results, rules);
  if (judge && !options.json) outside.out << coverage_report(rules);
  const auto untested = uncovered_urgent(rules);
  if (options.require_coverage && untested > 0) {
    passed = false;
    outside.err << untested
                << " urgent or executive alert rules or SLOs have no test that makes them fire. Add one each, or lower "
                << "their class.\n";
  }
  return passed ? 0 : kSomeFailed;
}

}  // namespace

void add_test(CLI::App& app, const Outside& outside, Status& outcome, int& exit_code) {
  auto* command = app.add_subcommand(
      "test", "Run unit tests of rules: promtool's test files unchanged, and the Test documents of rule files");
  const auto options = std::make_shared<TestOptions>();
  command->add_option("file", options->files, "Test files or rule files with Test documents: paths or globs")
      ->required()
      ->type_name("FILE");
  command->add_option("--run", options->run, "Only tests whose name matches; may come more than once")
      ->allow_extra_args(false)
      ->type_name("REGEX");
  command
      ->add_option("--config", options->config,
                   "A collector's configuration: who is told of what, and the services, where the rule files do not say")
      ->type_name("FILE");
  command->add_flag("--coverage", options->coverage, "Say which alert rules and SLOs no test makes fire, the gravest first");
  command->add_flag("--require-coverage", options->require_coverage,
                    "Fail when no test makes an urgent or executive alert rule fire");
  command->add_flag("--json", options->json, "Print the results as JSON");
  command->footer(
      "Exit code: 0 when all tests pass, 1 when one fails or a file cannot be read, 2 for a wrong command line.\n"
      "Examples:\n"
      "  wardctl test rules/tests/*.test.yaml\n"
      "  wardctl test --coverage rules/tests/*.test.yaml\n"
      "  wardctl test --run 'standby' rules/tests/postgres.test.yaml\n"
      "  wardctl test --config collector.yaml rules/hospital.yaml   (its Test documents, pages included)");
  command->callback([=, &outside, &outcome, &exit_code] {
    const auto done = test(*options, outside);
    if (done)
      exit_code = *done;
    else
      outcome = fail(done.error());
  });
}

}  // namespace ward::cli::command
