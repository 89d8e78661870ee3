// wardctl query EXPR: evaluates a PromQL expression now.
// Source: GET /api/v1/query (https://prometheus.io/docs/prometheus/latest/querying/api/)
#include <CLI/App.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/command/command.hpp"
#include "cli/table.hpp"
#include "common/base/duration.hpp"
#include "common/model/labels.hpp"

namespace ward::cli::command {
namespace {

using nlohmann::json;

tl::unexpected<Error> not_understood() {
  return fail(Errc::corrupt, "The collector's answer to the query is not understood",
              "Use wardctl and collector of one version.");
}

std::string series_text(const json& metric) {
  std::vector<Label> labels;
  for (const auto& [name, value] : metric.items()) labels.emplace_back(name, value.get<std::string>());
  return to_string(Labels{std::move(labels)});
}

/// A sample is [time, "value"].
std::string value_of(const json& sample) { return sample.at(1).get<std::string>(); }
std::string time_of(const json& sample) {
  return format_time(from_ms(static_cast<std::int64_t>(sample.at(0).get<double>() * 1000.0 + 0.5)));
}

std::string show_data(const json& data) {
  const auto type = data.at("resultType").get<std::string>();
  const auto& result = data.at("result");
  if (type == "scalar" || type == "string") {
    Table table{{}};
    table.add({value_of(result)});
    return table.to_text();
  }
  const bool matrix = type == "matrix";
  Table table{matrix ? std::vector<std::string>{"SERIES", "TIME", "VALUE"} : std::vector<std::string>{"SERIES", "VALUE"}};
  for (const auto& series : result) {
    const auto name = series_text(series.at("metric"));
    if (!matrix) {
      table.add({name, value_of(series.at("value"))});
      continue;
    }
    for (const auto& sample : series.at("values")) table.add({name, time_of(sample), value_of(sample)});
  }
  return table.empty() ? "No series match.\n" : table.to_text();
}

Status query(const std::string& expression, const CollectorOptions& options, const Outside& outside) {
  const auto collector = Collector::open(options, outside);
  if (!collector) return fail(collector.error());
  auto body = collector->get("/api/v1/query?query=" + url_encoded(expression));
  if (!body) return fail(body.error());
  auto shown = options.json ? Result<std::string>{*body + "\n"} : show_query(*body);
  if (!shown) return fail(shown.error());
  outside.out << *shown;
  return {};
}

}  // namespace

Result<std::string> show_query(const std::string& body) {
  try {
    const auto answer = json::parse(body);
    auto out = show_data(answer.at("data"));
    Table warnings{{}};
    for (const auto& warning : answer.value("warnings", json::array()))
      warnings.add({"Warning: " + warning.get<std::string>()});
    return out + warnings.to_text();
  } catch (const json::exception&) {
    return not_understood();
  }
}

void add_collector_options(CLI::App& command, CollectorOptions& options) {
  command.add_option("--collector", options.url, "The collector's URL [WARD_COLLECTOR, http://127.0.0.1:9802]")
      ->type_name("URL");
  command.add_option("--token-file", options.token_file, "File with an API token [WARD_TOKEN_FILE]")->type_name("FILE");
  command.add_option("--ca-file", options.ca_file, "Authority of an https collector, PEM")->type_name("FILE");
  command.add_flag("--json", options.json, "Show the answer as it comes");
}

void add_query(CLI::App& app, const Outside& outside, Status& outcome) {
  auto* command = app.add_subcommand("query", "Evaluate a PromQL expression now");
  const auto expression = std::make_shared<std::string>();
  const auto options = std::make_shared<CollectorOptions>();
  command->add_option("expr", *expression, "The expression, in quotes")->required()->type_name("EXPR");
  add_collector_options(*command, *options);
  command->callback([=, &outside, &outcome] { outcome = query(*expression, *options, outside); });
}

}  // namespace ward::cli::command
