// wardctl report alerts --month 2026-11: whether pages were worth it, and what to do about each rule; with --rules each
// proposal that a backtest can try is tried on stored samples.
// Source: GET /api/ward/v1/report/alerts; the collector's stored days.
#include <CLI/App.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/alert_report_text.hpp"
#include "cli/command/command.hpp"
#include "cli/stored_days.hpp"
#include "collector/config.hpp"
#include "common/base/duration.hpp"

namespace ward::cli::command {
namespace {

constexpr std::size_t kMostTried = 10;

struct Asked {
  CollectorOptions options;
  std::string month;
  std::string zone;
  std::vector<std::string> rules;
  std::string config;
  std::string data;
  std::string step = "1m";
};

Status not_a_plan(const std::string& what, const std::string& fix) { return fail(Errc::invalid, what, fix); }

/// What can be said before anything is asked.
Status check(const Asked& asked) {
  if (!asked.rules.empty() && asked.config.empty() && asked.data.empty())
    return not_a_plan("nothing says where the stored samples are",
                      "Add --config collector.yaml, or --data and the collector's data_dir.");
  if (asked.rules.empty() && !(asked.config.empty() && asked.data.empty()))
    return not_a_plan("--config and --data are for backtests of proposals, and no rules are named",
                      "Add --rules with the rule files in force.");
  if (!parse_duration(asked.step))
    return not_a_plan("--step is '" + asked.step + "', which is no length of time", "Write it like 30s or 1m.");
  return {};
}

/// The part of the report's time that samples are stored of.
Result<collector::BacktestOptions> stored_time(const std::string& report, const StoredDays& samples, milliseconds step,
                                               std::ostream& notes) {
  const auto json = nlohmann::json::parse(report, nullptr, false);
  const auto time = [&](const char* key) -> Result<Time> {
    if (!json.is_object() || !json.contains(key) || !json.at(key).is_string())
      return fail(Errc::corrupt, "The collector's report is not understood", "Use wardctl and collector of one version.");
    return parse_time(json.at(key).get<std::string>());
  };
  const auto from = time("from");
  if (!from) return fail(from.error());
  const auto to = time("to");
  if (!to) return fail(to.error());
  const auto stored = samples.span();
  if (!stored) return fail(stored.error());
  collector::BacktestOptions out{
      .since = std::max(*from, stored->first), .until = std::min(*to, stored->last), .step = step};
  if (out.since < out.until && (out.since > *from || out.until < *to))
    notes << "Samples are stored from " << format_time(out.since) << " to " << format_time(out.until)
          << ": backtests say nothing of the rest of the month.\n";
  if (out.since < out.until) return out;
  return fail(Errc::not_found,
              "no samples of that month are stored; they reach from " + format_time(stored->first) + " to " +
                  format_time(stored->last),
              "Ask without --rules, or set a longer retention in collector.yaml.");
}

Result<std::vector<TriedChange>> try_out(const Asked& asked, const std::string& report, const Outside& outside) {
  if (asked.rules.empty()) return std::vector<TriedChange>{};
  auto changes = changes_of(report);
  if (!changes) return fail(changes.error());
  if (changes->size() > kMostTried) {
    outside.err << "Only the first " << kMostTried << " of " << changes->size() << " proposals are tried.\n";
    changes->resize(kMostTried);
  }
  TrialSetting setting{.patterns = asked.rules, .options = {}, .external_url = {}, .time = {}};
  auto data = asked.data;
  if (!asked.config.empty()) {
    const auto config = collector::load_collector_config(asked.config);
    if (!config) return fail(config.error());
    if (data.empty()) data = config->data_dir;
    setting.options = collector::rulebook_options(*config);
    setting.external_url = config->external_url;
  }
  auto samples = StoredDays::find(data);
  if (!samples) return fail(samples.error());
  const auto time = stored_time(report, *samples, parse_duration(asked.step).value(), outside.err);
  if (!time) return fail(time.error());
  setting.time = *time;
  return try_changes(setting, *changes, *samples);
}

Status report(const Asked& asked, const Outside& outside) {
  if (auto good = check(asked); !good) return good;
  const auto collector = Collector::open(asked.options, outside);
  if (!collector) return fail(collector.error());
  auto query = "?month=" + url_encoded(asked.month);
  if (!asked.zone.empty()) query += "&zone=" + url_encoded(asked.zone);
  const auto body = collector->get("/api/ward/v1/report/alerts" + query);
  if (!body) return fail(body.error());
  const auto tried = try_out(asked, *body, outside);
  if (!tried) return fail(tried.error());
  const auto shown = asked.options.json ? alert_report_json(*body, *tried) : alert_report_text(*body, *tried);
  if (!shown) return fail(shown.error());
  outside.out << *shown;
  return {};
}

}  // namespace

void add_report(CLI::App& app, const Outside& outside, Status& outcome) {
  auto* command = app.add_subcommand("report", "Reviews of the past");
  command->require_subcommand(1);
  auto* alerts = command->add_subcommand("alerts", "Whether pages were worth it, and what to do about each rule");
  const auto asked = std::make_shared<Asked>();
  alerts->add_option("--month", asked->month, "Which month, like 2026-11; 90 days are kept")
      ->required()
      ->type_name("YYYY-MM");
  alerts->add_option("--zone", asked->zone, "The time zone of the month and its shifts (default UTC)")->type_name("ZONE");
  alerts->add_option("--rules", asked->rules, "Try each proposal on stored samples with these rules: paths or globs")
      ->type_name("FILE");
  alerts->add_option("--config", asked->config, "For that: the collector's configuration")->type_name("FILE");
  alerts->add_option("--data", asked->data, "For that: the collector's data_dir, or a copy of it")->type_name("DIR");
  alerts->add_option("--step", asked->step, "For that: evaluate no more often than this")
      ->capture_default_str()
      ->type_name("DURATION");
  add_collector_options(*alerts, asked->options);
  alerts->footer(
      "Figures are explained in docs/reviewing-alerts.md.\n"
      "Examples:\n"
      "  wardctl report alerts --month 2026-11\n"
      "  wardctl report alerts --month 2026-11 --zone Europe/Paris --rules 'rules/*.yaml' --config collector.yaml\n"
      "  wardctl report alerts --month 2026-11 --json");
  alerts->callback([=, &outside, &outcome] { outcome = report(*asked, outside); });
}

}  // namespace ward::cli::command
