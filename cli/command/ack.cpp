// wardctl ack, wardctl unack: take an incident on, or give it back.
// Source: POST /api/ward/v1/incidents/ID/ack and /unack.
#include <CLI/App.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/command/command.hpp"
#include "cli/table.hpp"
#include "common/telemetry/log_format.hpp"

namespace ward::cli::command {
namespace {

struct Asked {
  CollectorOptions options;
  std::string incident;
  std::string by;
  std::string note;
};

Status tell(const Asked& asked, const std::string& what, const Outside& outside) {
  const auto collector = Collector::open(asked.options, outside);
  if (!collector) return fail(collector.error());
  nlohmann::json body = nlohmann::json::object();
  const auto by = asked.by.empty() ? outside.environment("USER") : asked.by;
  if (!by.empty()) body["by"] = by;
  if (!asked.note.empty()) body["note"] = asked.note;
  const auto answer = collector->post("/api/ward/v1/incidents/" + url_encoded(asked.incident) + "/" + what,
                                      body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  if (!answer) return fail(answer.error());
  if (asked.options.json) {
    outside.out << *answer;
    return {};
  }
  const auto json = nlohmann::json::parse(*answer, nullptr, false);
  if (!json.is_object() || !json.contains("done") || !json.at("done").is_string())
    return fail(Errc::corrupt, "The collector's answer is not understood", "Use wardctl and collector of one version.");
  outside.out << telemetry::printable(asked.incident + ": " + json.at("done").get<std::string>()) << '\n';
  return {};
}

void add(CLI::App& app, const std::string& name, const std::string& help, const Outside& outside, Status& outcome) {
  auto* command = app.add_subcommand(name, help);
  const auto asked = std::make_shared<Asked>();
  command->add_option("incident", asked->incident, "Its id")->required();
  command->add_option("--by", asked->by, "Who you are, where it is not $USER");
  command->add_option("--note", asked->note, "For the audit and whoever comes next");
  add_collector_options(*command, asked->options);
  command->callback([=, &outside, &outcome] { outcome = tell(*asked, name, outside); });
}

}  // namespace

void add_ack(CLI::App& app, const Outside& outside, Status& outcome) {
  add(app, "ack", "Take an incident on: nobody else is told of it while it lasts", outside, outcome);
  add(app, "unack", "Give an incident back: its escalation begins anew", outside, outcome);
}

}  // namespace ward::cli::command
