// wardctl check: reads configurations and rule files as the programs would, and says every mistake at once.
#include <CLI/App.hpp>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "agent/app.hpp"
#include "cli/command/command.hpp"
#include "cli/test_report.hpp"
#include "collector/alerting/promql_expression.hpp"
#include "collector/app.hpp"
#include "collector/rehearsal/test_check.hpp"
#include "collector/rulebook/rulebook.hpp"
#include "collector/tsdb/head.hpp"

namespace ward::cli::command {
namespace {

struct CheckOptions {
  std::vector<std::string> agents;
  std::vector<std::string> collectors;
  std::vector<std::string> rules;
};

Status check_rules(const std::vector<std::string>& patterns, const Outside& outside) {
  const auto clock = real_clock();
  const promql::Engine engine(*clock);
  const collector::Head nothing;
  const collector::PromqlCompiler compiler(engine, nothing);
  const auto load = collector::load_rulebook(patterns, compiler, collector::RulebookOptions{});
  const auto tests =
      collector::check_tests(collector::rule_paths(patterns), load.book.get(), compiler, collector::read_rule_file);
  for (const auto* warnings : {&load.warnings, &tests.warnings})
    for (const auto& warning : *warnings) outside.out << "warning: " << to_string(warning) << '\n';
  auto wrong = load;
  wrong.errors.insert(wrong.errors.end(), tests.errors.begin(), tests.errors.end());
  if (!wrong.errors.empty()) return fail(wrong.to_error());
  std::size_t rules = 0;
  for (const auto& group : load.book->rules->groups) rules += group.rules.size();
  outside.out << "rules: fine, " << load.book->rules->groups.size() << " groups with " << rules << " rules, "
              << load.book->slos.slos.size() << " SLOs\n"
              << expected_report(tests.tests, tests.urgent);
  return {};
}

Status check(const CheckOptions& options, const Outside& outside) {
  if (options.agents.empty() && options.collectors.empty() && options.rules.empty())
    return fail(Errc::invalid, "There is nothing to check", "Name a file: --agent FILE, --collector FILE or --rules GLOB.");
  std::string wrong;
  const auto one = [&](const std::string& what, const Status& status) {
    if (status)
      outside.out << what << ": fine\n";
    else
      wrong += (wrong.empty() ? "" : "\n") + describe(status.error());
  };
  for (const auto& file : options.agents) one(file, agent::check(file));
  for (const auto& file : options.collectors) {
    const auto checked = collector::check(file);
    if (checked)
      for (const auto& warning : *checked) outside.out << "warning: " << warning << '\n';
    one(file, checked ? Status{} : fail(checked.error()));
  }
  if (!options.rules.empty())
    if (const auto rules = check_rules(options.rules, outside); !rules)
      wrong += (wrong.empty() ? "" : "\n") + describe(rules.error());
  if (!wrong.empty()) return fail(Errc::invalid, std::move(wrong), "");
  return {};
}

}  // namespace

void add_check(CLI::App& app, const Outside& outside, Status& outcome) {
  auto* command = app.add_subcommand("check", "Read configurations and rules as the programs would, and say what is wrong");
  const auto options = std::make_shared<CheckOptions>();
  command->add_option("--agent", options->agents, "An agent's configuration");
  command->add_option("--collector", options->collectors, "A collector's configuration, with the rules it names");
  command->add_option("--rules", options->rules, "Rule files: paths or globs");
  command->callback([=, &outside, &outcome] { outcome = check(*options, outside); });
}

}  // namespace ward::cli::command
