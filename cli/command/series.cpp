// wardctl series SELECTOR...: which series there are.
// Source: GET /api/v1/series (https://prometheus.io/docs/prometheus/latest/querying/api/#finding-series-by-label-matchers)
#include <CLI/App.hpp>
#include <algorithm>
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

struct SeriesOptions {
  std::vector<std::string> selectors;
  std::string since = "1h";
  unsigned limit = 1'000;
  CollectorOptions collector;
};

Status series(const SeriesOptions& options, const Outside& outside) {
  const auto since = parse_duration(options.since);
  if (!since)
    return fail(Errc::invalid, "--since is '" + options.since + "', which is no duration",
                "Write it like 15s, 1h30m or 2w.");
  const auto collector = Collector::open(options.collector, outside);
  if (!collector) return fail(collector.error());
  std::string path = "/api/v1/series?start=" + std::to_string(to_ms(outside.clock.wall() - *since) / 1000) +
                     "&limit=" + std::to_string(options.limit);
  for (const auto& selector : options.selectors) path += "&match[]=" + url_encoded(selector);
  auto body = collector->get(path);
  if (!body) return fail(body.error());
  auto shown = options.collector.json ? Result<std::string>{*body + "\n"} : show_series(*body);
  if (!shown) return fail(shown.error());
  outside.out << *shown;
  return {};
}

}  // namespace

Result<std::string> show_series(const std::string& body) {
  try {
    const auto answer = json::parse(body);
    std::vector<std::string> lines;
    for (const auto& metric : answer.at("data")) {
      std::vector<Label> labels;
      for (const auto& [name, value] : metric.items()) labels.emplace_back(name, value.get<std::string>());
      lines.push_back(to_string(Labels{std::move(labels)}));
    }
    std::sort(lines.begin(), lines.end());
    Table table{{}};
    for (auto& line : lines) table.add({std::move(line)});
    if (table.empty()) table.add({"No series match."});
    for (const auto& warning : answer.value("warnings", json::array()))
      table.add({"Warning: " + warning.get<std::string>()});
    return table.to_text();
  } catch (const json::exception&) {
    return fail(Errc::corrupt, "The collector's list of series is not understood",
                "Use wardctl and collector of one version.");
  }
}

void add_series(CLI::App& app, const Outside& outside, Status& outcome) {
  auto* command = app.add_subcommand("series", "List the series that selectors match");
  const auto options = std::make_shared<SeriesOptions>();
  command->add_option("selector", options->selectors, "Series selectors, in quotes")->required()->type_name("SELECTOR");
  command->add_option("--since", options->since, "With samples since then [1h]")->type_name("DURATION");
  command->add_option("--limit", options->limit, "At most so many, 0 for all [1000]")->type_name("N");
  add_collector_options(*command, options->collector);
  command->callback([=, &outside, &outcome] { outcome = series(*options, outside); });
}

}  // namespace ward::cli::command
