// wardctl query EXPR and wardctl query range EXPR: evaluates a PromQL expression now, or over time.
// Source: GET /api/v1/query, /api/v1/query_range (https://prometheus.io/docs/prometheus/latest/querying/api/)
#include <CLI/App.hpp>
#include <memory>
#include <ostream>

#include "cli/command/command.hpp"
#include "cli/query_answer.hpp"
#include "cli/table.hpp"
#include "common/base/duration.hpp"

namespace ward::cli::command {
namespace {

constexpr std::size_t kPlotColumns = 100;

struct QueryOptions {
  std::string expression;
  std::string time;  ///< "" = now
  std::string start, end, step;
  std::string since = "1h";
  std::string output;  ///< "" = table, or plot for a range
  CollectorOptions collector;
};

std::string warnings_of(const QueryAnswer& answer) {
  Table table{{}};
  for (const auto& warning : answer.warnings) table.add({"Warning: " + warning});
  return table.to_text();
}

Result<Time> time_option(const std::string& text, const char* option, Time otherwise) {
  if (text.empty()) return otherwise;
  auto time = parse_time(text);
  if (time) return time;
  return fail(Errc::invalid, std::string(option) + " is '" + text + "', which is no time",
              "Write it like 2026-11-22T10:42:07Z, or as Unix seconds.");
}

Result<milliseconds> duration_option(const std::string& text, const char* option) {
  auto duration = parse_duration(text);
  if (duration && *duration > milliseconds{0}) return duration;
  return fail(Errc::invalid, std::string(option) + " is '" + text + "', which is no duration above zero",
              "Write it like 15s, 1h30m or 2w.");
}

/// About as many points as a chart has columns, in steps that people count in.
milliseconds step_for(milliseconds span) {
  using std::chrono::minutes;
  using std::chrono::seconds;
  for (const milliseconds step : {milliseconds{seconds{1}}, milliseconds{seconds{5}}, milliseconds{seconds{15}},
                                  milliseconds{seconds{30}}, milliseconds{minutes{1}}, milliseconds{minutes{5}},
                                  milliseconds{minutes{15}}, milliseconds{minutes{30}}, milliseconds{minutes{60}}})
    if (span / step <= 250) return step;
  return std::chrono::hours{24};
}

Result<QueryRange> range_of(const QueryOptions& options, Time now) {
  const auto end = time_option(options.end, "--end", now);
  if (!end) return fail(end.error());
  const auto since = duration_option(options.since, "--since");
  if (!since) return fail(since.error());
  const auto start = time_option(options.start, "--start", *end - *since);
  if (!start) return fail(start.error());
  if (*start > *end)
    return fail(Errc::invalid, "The range ends at " + format_time(*end) + ", before it starts at " + format_time(*start),
                "Swap --start and --end.");
  if (options.step.empty()) return QueryRange{*start, *end, step_for(*end - *start)};
  const auto step = duration_option(options.step, "--step");
  if (!step) return fail(step.error());
  return QueryRange{*start, *end, *step};
}

/// Seconds with milliseconds, as the API takes them.
std::string seconds_text(std::int64_t ms) {
  auto text = std::to_string(ms % 1000);
  text.insert(0, 3 - text.size(), '0');
  return std::to_string(ms / 1000) + "." + text;
}

Status show(const std::string& body, const QueryOptions& options, const QueryRange* range, const Outside& outside) {
  if (options.collector.json) {
    outside.out << body << '\n';
    return {};
  }
  const auto answer = read_query_answer(body);
  if (!answer) return fail(answer.error());
  // A file of values holds nothing else; what the collector had to say goes beside it.
  if (options.output == "csv") {
    outside.out << to_csv(*answer);
    outside.err << warnings_of(*answer);
    return {};
  }
  const bool plotted = range && options.output != "table" && answer->kind == AnswerKind::matrix;
  outside.out << (plotted ? to_plot(*answer, *range, kPlotColumns) : to_table(*answer)) << warnings_of(*answer);
  return {};
}

Status query(const QueryOptions& options, const Outside& outside) {
  const auto collector = Collector::open(options.collector, outside);
  if (!collector) return fail(collector.error());
  std::string path = "/api/v1/query?query=" + url_encoded(options.expression);
  if (!options.time.empty()) {
    const auto at = time_option(options.time, "--time", {});
    if (!at) return fail(at.error());
    path += "&time=" + seconds_text(to_ms(*at));
  }
  auto body = collector->get(path);
  return body ? show(*body, options, nullptr, outside) : fail(body.error());
}

Status query_range(const QueryOptions& options, const Outside& outside) {
  const auto range = range_of(options, outside.clock.wall());
  if (!range) return fail(range.error());
  const auto collector = Collector::open(options.collector, outside);
  if (!collector) return fail(collector.error());
  auto body = collector->get("/api/v1/query_range?query=" + url_encoded(options.expression) +
                             "&start=" + seconds_text(to_ms(range->start)) + "&end=" + seconds_text(to_ms(range->end)) +
                             "&step=" + seconds_text(range->step.count()));
  return body ? show(*body, options, &*range, outside) : fail(body.error());
}

void add_query_range(CLI::App& query, const Outside& outside, Status& outcome) {
  auto* command = query.add_subcommand("range", "Evaluate it at each step of a time range");
  const auto options = std::make_shared<QueryOptions>();
  command->add_option("expr", options->expression, "The expression, in quotes")->required()->type_name("EXPR");
  command->add_option("--since", options->since, "How far back from the end [1h]")->type_name("DURATION");
  command->add_option("--start", options->start, "Begin, instead of --since")->type_name("TIME");
  command->add_option("--end", options->end, "End [now]")->type_name("TIME");
  command->add_option("--step", options->step, "Distance of two points [about 250 of them]")->type_name("DURATION");
  command->add_option("--output", options->output, "plot, table or csv [plot]")
      ->type_name("FORM")
      ->check(CLI::IsMember({"plot", "table", "csv"}));
  add_collector_options(*command, options->collector);
  command->callback([=, &outside, &outcome] { outcome = query_range(*options, outside); });
}

}  // namespace

Result<std::string> show_query(const std::string& body) {
  const auto answer = read_query_answer(body);
  if (!answer) return fail(answer.error());
  return to_table(*answer) + warnings_of(*answer);
}

void add_collector_options(CLI::App& command, CollectorOptions& options) {
  command.add_option("--collector", options.url, "The collector's URL [WARD_COLLECTOR, http://127.0.0.1:9802]")
      ->type_name("URL");
  command.add_option("--token-file", options.token_file, "File with an API token [WARD_TOKEN_FILE]")->type_name("FILE");
  command.add_option("--ca-file", options.ca_file, "Authority of an https collector, PEM")->type_name("FILE");
  command.add_flag("--json", options.json, "Show the answer as it comes");
}

void add_query(CLI::App& app, const Outside& outside, Status& outcome) {
  auto* command = app.add_subcommand("query", "Evaluate a PromQL expression, now or over a range");
  const auto options = std::make_shared<QueryOptions>();
  command->add_option("expr", options->expression, "The expression, in quotes")->type_name("EXPR");
  command->add_option("--time", options->time, "Evaluate it at this time instead of now")->type_name("TIME");
  command->add_option("--output", options->output, "table or csv [table]")
      ->type_name("FORM")
      ->check(CLI::IsMember({"table", "csv"}));
  add_collector_options(*command, options->collector);
  add_query_range(*command, outside, outcome);
  command->callback([=, &outside, &outcome] {
    if (!command->get_subcommands().empty()) return;
    if (options->expression.empty()) throw CLI::RequiredError("expr");
    outcome = query(*options, outside);
  });
}

}  // namespace ward::cli::command
