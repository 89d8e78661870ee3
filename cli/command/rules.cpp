// wardctl rules check FILE...: Ward's reading of rule files, in the shape of `promtool check rules`, for editors and CI.
#include <CLI/App.hpp>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "cli/command/command.hpp"
#include "collector/alerting/promql_expression.hpp"
#include "collector/rulebook/rulebook.hpp"
#include "collector/tsdb/head.hpp"

namespace ward::cli::command {
namespace {

std::size_t rules_of(const collector::RuleSet& rules) {
  std::size_t count = 0;
  for (const auto& group : rules.groups) count += group.rules.size();
  return count;
}

/// The rules of each file by itself, as promtool shows it; then all files together with the documents in them, which may
/// name what stands in another file.
Status check_rule_files(const std::vector<std::string>& patterns, const Outside& outside) {
  const auto clock = real_clock();
  const promql::Engine engine(*clock);
  const collector::Head nothing;
  const collector::PromqlCompiler compiler(engine, nothing);
  std::size_t bad = 0;
  const auto files = collector::rule_paths(patterns);
  for (const auto& file : files) {
    const auto one = collector::load_rules(std::vector{file}, compiler, collector::RuleOptions{});
    outside.out << "Checking " << file << '\n';
    if (one.rules)
      outside.out << "  SUCCESS: " << rules_of(*one.rules) << " rules found\n";
    else
      outside.out << "  FAILED:\n";
    for (const auto& error : one.errors) outside.out << to_string(error) << '\n';
    for (const auto& warning : one.warnings) outside.out << "warning: " << to_string(warning) << '\n';
    outside.out << '\n';
    bad += one.rules ? 0 : 1;
  }
  if (bad != 0)
    return fail(Errc::invalid, std::to_string(bad) + " of " + std::to_string(files.size()) + " rule files cannot be loaded",
                "Mend the lines above.");
  const auto together = collector::load_rulebook(patterns, compiler, collector::RulebookOptions{});
  if (!together.book) return fail(together.to_error());
  for (const auto& warning : together.warnings) outside.out << "warning: " << to_string(warning) << '\n';
  if (files.empty()) return fail(Errc::not_found, "No file matches", "Name rule files or globs, in quotes.");
  return {};
}

}  // namespace

void add_rules(CLI::App& app, const Outside& outside, Status& outcome) {
  auto* rules = app.add_subcommand("rules", "Look into rule files");
  rules->require_subcommand(1);
  auto* check =
      rules->add_subcommand("check", "Check rule files, as promtool check rules does, and Ward's own labels on top");
  const auto patterns = std::make_shared<std::vector<std::string>>();
  check->add_option("file", *patterns, "Rule files: paths or globs")->required()->type_name("FILE");
  check->callback([=, &outside, &outcome] { outcome = check_rule_files(*patterns, outside); });
}

}  // namespace ward::cli::command
