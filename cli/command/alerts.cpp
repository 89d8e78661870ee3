// wardctl alerts: what is pending and firing now.
// Source: GET /api/v1/alerts (https://prometheus.io/docs/prometheus/latest/querying/api/#alerts)
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

struct Row {
  bool firing = false;
  Time since;
  std::vector<std::string> cells;
};

Row row_of(const json& alert, Time now) {
  std::vector<Label> all;
  for (const auto& [name, value] : alert.at("labels").items()) all.emplace_back(name, value.get<std::string>());
  Labels labels{std::move(all)};
  const auto take = [&](std::string_view name) {
    std::string value{labels.get(name)};
    labels.erase(name);
    return value;
  };
  Row row;
  const auto state = alert.at("state").get<std::string>();
  row.firing = state == "firing";
  const auto since = parse_time(alert.at("activeAt").get<std::string>());
  row.since = since ? *since : now;
  const auto age = std::chrono::floor<std::chrono::seconds>(std::max(now - row.since, milliseconds{0}));
  const auto name = take("alertname");
  // Rules that came from Prometheus say `severity` where Ward's say `class`.
  auto grade = take("class");
  if (grade.empty()) grade = take("severity");
  const auto owner = take("owner");
  row.cells = {state,
               grade.empty() ? "-" : grade,
               owner.empty() ? "-" : owner,
               name,
               since ? format_duration(age) : "-",
               alert.value("value", "-"),
               to_string(labels)};
  return row;
}

Status alerts(const CollectorOptions& options, const Outside& outside) {
  const auto collector = Collector::open(options, outside);
  if (!collector) return fail(collector.error());
  auto body = collector->get("/api/v1/alerts");
  if (!body) return fail(body.error());
  auto shown = options.json ? Result<std::string>{*body + "\n"} : show_alerts(*body, outside.clock.wall());
  if (!shown) return fail(shown.error());
  outside.out << *shown;
  return {};
}

}  // namespace

Result<std::string> show_alerts(const std::string& body, Time now) {
  std::vector<Row> rows;
  try {
    const auto answer = json::parse(body);
    for (const auto& alert : answer.at("data").at("alerts")) rows.push_back(row_of(alert, now));
  } catch (const json::exception&) {
    return fail(Errc::corrupt, "The collector's list of alerts is not understood",
                "Use wardctl and collector of one version.");
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.firing != b.firing ? a.firing : a.since < b.since; });
  Table table{{"STATE", "CLASS", "OWNER", "ALERT", "FOR", "VALUE", "LABELS"}};
  for (auto& row : rows) table.add(std::move(row.cells));
  return table.empty() ? "No alerts.\n" : table.to_text();
}

void add_alerts(CLI::App& app, const Outside& outside, Status& outcome) {
  auto* command = app.add_subcommand("alerts", "List the alerts that are pending or firing");
  const auto options = std::make_shared<CollectorOptions>();
  add_collector_options(*command, *options);
  command->callback([=, &outside, &outcome] { outcome = alerts(*options, outside); });
}

}  // namespace ward::cli::command
