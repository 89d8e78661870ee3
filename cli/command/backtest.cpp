// wardctl backtest --rules NEW --since 30d: what rules would have paged for, had they been in force.
#include <CLI/App.hpp>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "cli/backtest_report.hpp"
#include "cli/command/command.hpp"
#include "cli/recorded_incidents.hpp"
#include "cli/stored_days.hpp"
#include "collector/alerting/rule_file.hpp"
#include "collector/config.hpp"
#include "common/base/duration.hpp"

namespace ward::cli::command {
namespace {

namespace fs = std::filesystem;

struct BacktestCommand {
  std::vector<std::string> rules;
  std::vector<std::string> against;
  std::string since = "30d";
  std::string until;
  std::string step = "0s";
  std::string config;
  std::string data;
  bool json = false;
};

/// A length of time before `now`, or a time.
Result<Time> moment(const std::string& flag, const std::string& text, Time now) {
  if (const auto ago = parse_duration(text)) return now - *ago;
  if (const auto time = parse_time(text)) return *time;
  return fail(Errc::invalid, flag + " is '" + text + "', which is neither a length of time nor a time",
              "Write 30d, 12h, 2026-11-23T10:00:00Z or seconds since 1970.");
}

/// Where samples and the incident log are, and what the collector would do with alerts.
struct Place {
  std::string data;
  collector::RulebookOptions options;
  std::string external_url;
};

Result<Place> place(const BacktestCommand& command) {
  Place out;
  out.data = command.data;
  if (command.config.empty()) {
    if (!out.data.empty()) return out;
    return fail(Errc::invalid, "nothing says where the stored samples are",
                "Add --config collector.yaml, or --data and the collector's data_dir.");
  }
  const auto config = collector::load_collector_config(command.config);
  if (!config) return fail(config.error());
  if (out.data.empty()) out.data = config->data_dir;
  out.options = collector::rulebook_options(*config);
  out.external_url = config->external_url;
  return out;
}

/// Loads the rules and plays them.
Result<collector::BacktestResult> play(const std::vector<std::string>& patterns, const Place& at, StoredDays& samples,
                                       const collector::BacktestOptions& options) {
  collector::Sandbox sandbox;
  auto loaded = collector::load_rulebook(patterns, sandbox.compiler(), at.options);
  if (!loaded.book) return fail(loaded.to_error());
  if (loaded.book->rules->groups.empty() && loaded.book->slos.slos.empty())
    return fail(Errc::not_found, "there is no rule and no SLO in the files that --rules names",
                "Name rule files, or globs in quotes.");
  if (!collector::has_receivers(loaded.book->routing))
    return fail(Errc::invalid, "nobody would be told of anything: no owner has a receiver",
                "Add --config collector.yaml, or a document 'kind: Operations' with owners to the rule files.");
  return collector::backtest(sandbox,
                             {.rules = loaded.book->rules,
                              .external_labels = {},
                              .external_url = at.external_url,
                              .book = loaded.book,
                              .slos = loaded.book->slos},
                             samples, options);
}

/// Cuts the time that was asked for to what is stored: where nothing is, everything would seem absent.
Status cut(const StoredDays& samples, collector::BacktestOptions& options, std::vector<std::string>& notes) {
  const auto stored = samples.span();
  if (!stored) return fail(stored.error());
  if (stored->first > options.since) {
    notes.push_back("samples are stored from " + format_time(stored->first) + " on; nothing is said of the time before");
    options.since = stored->first;
  }
  if (stored->last < options.until) {
    notes.push_back("samples are stored until " + format_time(stored->last) +
                    "; the collector files the last hours later, and nothing is said of them");
    options.until = stored->last;
  }
  if (options.since < options.until) return {};
  return fail(Errc::not_found, "no samples are stored between --since and --until",
              "Ask for a time from " + format_time(stored->first) + " to " + format_time(stored->last) + ".");
}

Status backtest(const BacktestCommand& command, const Outside& outside) {
  const auto now = outside.clock.wall();
  const auto since = moment("--since", command.since, now);
  if (!since) return fail(since.error());
  const auto until = command.until.empty() ? Result<Time>{now} : moment("--until", command.until, now);
  if (!until) return fail(until.error());
  const auto step = parse_duration(command.step);
  if (!step)
    return fail(Errc::invalid, "--step is '" + command.step + "', which is no length of time", "Write it like 30s or 1m.");
  const auto at = place(command);
  if (!at) return fail(at.error());
  auto samples = StoredDays::find(at->data);
  if (!samples) return fail(samples.error());

  BacktestReport report;
  collector::BacktestOptions options{.since = *since, .until = *until, .step = *step};
  if (auto stored = cut(*samples, options, report.notes); !stored) return stored;
  report.since = options.since;
  report.until = options.until;
  auto played = play(command.rules, *at, *samples, options);
  if (!played) return fail(played.error());
  report.now = std::move(*played);
  if (samples->damaged() > 0)
    report.notes.push_back(std::to_string(samples->damaged()) +
                           " stored days, blocks, series or chunks are damaged and left out; see wardctl tsdb verify");
  if (!command.against.empty()) {
    auto before = play(command.against, *at, *samples, options);
    if (!before) return fail(before.error());
    report.before = std::move(before->incidents);
    report.before_is = "current rules";
  } else if (auto recorded = recorded_incidents((fs::path(at->data) / "state.db").string(), options.since, options.until)) {
    report.before = std::move(*recorded);
    report.before_is = "recorded";
  } else {
    report.notes.push_back("there is nothing to compare with: " + describe(recorded.error()));
  }
  report.rows = collector::compare_incidents(report.now.incidents, report.before);
  outside.out << (command.json ? backtest_json(report) : backtest_text(report));
  return {};
}

}  // namespace

void add_backtest(CLI::App& app, const Outside& outside, Status& outcome) {
  auto* command = app.add_subcommand(
      "backtest", "Say what rules would have paged for in the past, beside what was paged; reads stored samples only");
  const auto options = std::make_shared<BacktestCommand>();
  command->add_option("--rules", options->rules, "The rules to judge: paths or globs")->required()->type_name("FILE");
  command->add_option("--against", options->against, "Compare with these rules, not with the incidents that were recorded")
      ->type_name("FILE");
  command->add_option("--since", options->since, "How far back, or from when")->capture_default_str()->type_name("TIME");
  command->add_option("--until", options->until, "Until when (default: as far as samples are stored)")->type_name("TIME");
  command->add_option("--config", options->config, "The collector's configuration: its data_dir, services and receivers")
      ->type_name("FILE");
  command->add_option("--data", options->data, "The collector's data_dir, or a copy of it")->type_name("DIR");
  command->add_option("--step", options->step, "Evaluate no more often than this: faster, and blind to shorter faults")
      ->type_name("DURATION");
  command->add_flag("--json", options->json, "Print the result as JSON");
  command->footer(
      "Nothing is written, and the collector may run meanwhile. Samples are taken as if they had arrived at once.\n"
      "Examples:\n"
      "  wardctl backtest --config collector.yaml --rules 'rules/*.yaml' --since 30d\n"
      "  wardctl backtest --config collector.yaml --rules new/pg.yaml --against rules/pg.yaml --since 7d --until 1d\n"
      "  wardctl backtest --data /backup/ward --rules hospital.yaml --since 2026-11-01T00:00:00Z --step 1m --json");
  command->callback([=, &outside, &outcome] { outcome = backtest(*options, outside); });
}

}  // namespace ward::cli::command
