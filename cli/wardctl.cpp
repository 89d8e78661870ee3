#include "cli/wardctl.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <ostream>

#include "cli/command/command.hpp"
#include "common/config/suggest.hpp"
#include "common/telemetry/log_format.hpp"

namespace ward::cli {
namespace {

constexpr int kFailed = 2;
constexpr auto kVersion = "wardctl 0.1.0";

/// "wardctl pki issue": the innermost command the line had reached.
std::string reached(const CLI::App& app) {
  const auto inner = app.get_subcommands();
  return inner.empty() ? app.get_name() : app.get_name() + " " + reached(*inner.front());
}

int report(const std::string& lines, const Outside& outside) {
  outside.err << lines << '\n';
  return kFailed;
}

/// CLI11 only says that a command is required; "" when the first word is one, or no word at all.
std::string unknown_command(const CLI::App& app, const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments.front().starts_with('-')) return {};
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands({})) names.push_back(command->get_name());
  if (std::find(names.begin(), names.end(), arguments.front()) != names.end()) return {};
  const auto near = config::closest(arguments.front(), names);
  return "'" + telemetry::printable(arguments.front()) + "' is not a command" +
         (near ? "; did you mean '" + *near + "'?" : ".") + " See wardctl --help.";
}

}  // namespace

int run(std::vector<std::string> arguments, const Outside& outside) {
  CLI::App app{"Looks into and looks after Ward.", "wardctl"};
  Status outcome;
  int exit_code = 0;
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);
  command::add_pki(app, outside, outcome);
  command::add_check(app, outside, outcome);
  command::add_rules(app, outside, outcome);
  command::add_test(app, outside, outcome, exit_code);
  command::add_backtest(app, outside, outcome);
  command::add_status(app, outside, outcome);
  command::add_query(app, outside, outcome);
  command::add_series(app, outside, outcome);
  command::add_alerts(app, outside, outcome);
  command::add_tsdb(app, outside, outcome);
  command::add_ack(app, outside, outcome);
  command::add_silence(app, outside, outcome);
  command::add_audit(app, outside, outcome);
  command::add_explain(app, outside, outcome);
  command::add_incidents(app, outside, outcome);
  command::add_slo(app, outside, outcome);
  command::add_report(app, outside, outcome);
  command::add_import(app, outside, outcome);
  command::add_export(app, outside, outcome);
  if (const auto line = unknown_command(app, arguments); !line.empty()) return report(line, outside);
  try {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() != 0) {
      std::string what = e.what();
      while (what.ends_with('.') || what.ends_with('\n')) what.pop_back();
      std::replace(what.begin(), what.end(), '\n', ';');
      return report(what + ". See " + reached(app) + " --help.", outside);
    }
    app.exit(e, outside.out, outside.err);  // --help and --version
    return 0;
  }
  if (!outcome) return report(describe(outcome.error()), outside);
  outside.out.flush();
  return exit_code;
}

}  // namespace ward::cli
