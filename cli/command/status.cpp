// wardctl status: how the collector is and which agents it knows.
// Source: GET /api/ward/v1/status and /api/ward/v1/agents. New fields of either appear without a change here.
#include <CLI/App.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/command/command.hpp"
#include "cli/table.hpp"

namespace ward::cli::command {
namespace {

using Json = nlohmann::ordered_json;  // shows fields in the collector's order

std::string cell(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_null()) return "-";
  if (value.is_array()) {
    std::string out;
    for (const auto& item : value) out += (out.empty() ? "" : ", ") + cell(item);
    return out.empty() ? "-" : out;
  }
  return value.dump();
}

/// The part inside Prometheus' envelope {"status": "success", "data": ...}, or the whole.
const Json& payload(const Json& answer) {
  return answer.is_object() && answer.contains("data") && answer.value("status", "") == "success" ? answer.at("data")
                                                                                                  : answer;
}

void add_fields(Table& table, const std::string& prefix, const Json& object) {
  for (const auto& [name, value] : object.items()) {
    if (value.is_object())
      add_fields(table, prefix + name + ".", value);
    else
      table.add({prefix + name, cell(value)});
  }
}

std::string agents_table(const Json& agents) {
  std::vector<std::string> keys;
  for (const auto& agent : agents)
    for (const auto& [name, value] : agent.items())
      if (std::find(keys.begin(), keys.end(), name) == keys.end()) keys.push_back(name);
  std::vector<std::string> header;
  for (auto name : keys) {
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return c == '_' ? ' ' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    header.push_back(std::move(name));
  }
  Table table{std::move(header)};
  for (const auto& agent : agents) {
    std::vector<std::string> row;
    for (const auto& key : keys) row.push_back(agent.contains(key) ? cell(agent.at(key)) : "-");
    table.add(std::move(row));
  }
  return table.empty() ? "No agents.\n" : table.to_text();
}

Status status(const CollectorOptions& options, const Outside& outside) {
  const auto collector = Collector::open(options, outside);
  if (!collector) return fail(collector.error());
  const auto own = collector->get("/api/ward/v1/status");
  if (!own) return fail(own.error());
  const auto agents = collector->get("/api/ward/v1/agents");
  if (!agents) return fail(agents.error());
  auto shown = options.json ? Result<std::string>{"{\"status\":" + *own + ",\"agents\":" + *agents + "}\n"}
                            : show_status(*own, *agents);
  if (!shown) return fail(shown.error());
  outside.out << *shown;
  return {};
}

}  // namespace

Result<std::string> show_status(const std::string& status_body, const std::string& agents_body) {
  const auto own = Json::parse(status_body, nullptr, false);
  const auto answer = Json::parse(agents_body, nullptr, false);
  const auto& inner = payload(answer);
  const auto& agents = inner.is_object() && inner.contains("agents") ? inner.at("agents") : inner;
  const bool all_objects =
      agents.is_array() && std::all_of(agents.begin(), agents.end(), [](const Json& a) { return a.is_object(); });
  if (!payload(own).is_object() || !all_objects)
    return fail(Errc::corrupt, "The collector's status is not understood", "Use wardctl and collector of one version.");
  Table fields{{}};
  add_fields(fields, "", payload(own));
  return fields.to_text() + (fields.empty() ? "" : "\n") + agents_table(agents);
}

void add_status(CLI::App& app, const Outside& outside, Status& outcome) {
  auto* command = app.add_subcommand("status", "Show how the collector and its agents are");
  const auto options = std::make_shared<CollectorOptions>();
  add_collector_options(*command, *options);
  command->callback([=, &outside, &outcome] { outcome = status(*options, outside); });
}

}  // namespace ward::cli::command
