// wardctl incidents, wardctl verdict: what is open or was, and what it turned out to be.
// Source: GET /api/ward/v1/incidents, POST /api/ward/v1/incidents/ID/verdict.
#include <CLI/App.hpp>
#include <CLI/Validators.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/command/command.hpp"
#include "cli/table.hpp"
#include "collector/event/incident.hpp"
#include "common/base/duration.hpp"
#include "common/telemetry/log_format.hpp"

namespace ward::cli::command {
namespace {

using nlohmann::json;

struct Listed {
  CollectorOptions options;
  std::string since;
  bool without_verdict = false;
};

std::string age(const std::string& from, const std::string& to, Time now) {
  const auto begin = parse_time(from);
  const auto end = to.empty() ? Result<Time>{now} : parse_time(to);
  if (!begin || !end) return "-";
  return format_duration(std::chrono::floor<std::chrono::seconds>(std::max(milliseconds{0}, *end - *begin)));
}

std::string who_has(const json& incident) {
  if (incident.contains("merged_into")) return "merged into " + incident.at("merged_into").get<std::string>();
  if (incident.contains("muted"))
    return incident.at("muted").at("as").get<std::string>() + " by " + incident.at("muted").at("by").get<std::string>();
  if (incident.contains("acknowledged")) return incident.at("acknowledged").at("by").get<std::string>();
  return "-";
}

Result<std::string> table_of(const std::string& body, Time now, bool past) {
  Table table{
      past ? std::vector<std::string>{"ID", "OPENED", "LASTED", "CLASS", "OWNER", "CAUSE", "AT", "ALERTS", "VERDICT"}
           : std::vector<std::string>{"ID", "OPENED", "OPEN FOR", "CLASS", "OWNER", "CAUSE", "AT", "ALERTS", "WHO HAS IT"}};
  try {
    const auto list = json::parse(body);
    for (const auto& i : list.at("incidents")) {
      const auto text = [&](const char* key) { return i.at(key).get<std::string>(); };
      const bool open = !i.contains("resolved_at");
      auto last = who_has(i);
      if (past && i.contains("verdict"))
        last = i.at("verdict").at("verdict").get<std::string>();
      else if (past && !i.contains("merged_into"))
        last = open ? "open" : "-";
      table.add({text("id"), text("opened_at"), age(text("opened_at"), i.value("resolved_at", ""), now), text("class"),
                 text("owner").empty() ? "-" : text("owner"), text("root_alert"), text("root_service"),
                 std::to_string(i.at("alerts").size()), last});
    }
  } catch (const json::exception&) {
    return fail(Errc::corrupt, "The collector's list of incidents is not understood",
                "Use wardctl and collector of one version.");
  }
  if (table.empty()) return std::string{};
  return table.to_text();
}

Status list(const Listed& asked, const Outside& outside) {
  const auto collector = Collector::open(asked.options, outside);
  if (!collector) return fail(collector.error());
  std::string query;
  if (!asked.since.empty()) query += "&since=" + url_encoded(asked.since);
  if (asked.without_verdict) query += "&without_verdict=true";
  if (!query.empty()) query[0] = '?';
  const auto body = collector->get("/api/ward/v1/incidents" + query);
  if (!body) return fail(body.error());
  if (asked.options.json) {
    outside.out << *body;
    return {};
  }
  const auto shown = table_of(*body, outside.clock.wall(), !query.empty());
  if (!shown) return fail(shown.error());
  if (!shown->empty())
    outside.out << *shown;
  else if (asked.without_verdict)
    outside.out << "Every incident that is over has a verdict.\n";
  else
    outside.out << (asked.since.empty() ? "No open incidents.\n" : "No incidents.\n");
  return {};
}

struct Judged {
  CollectorOptions options;
  std::string incident;
  std::string verdict;
  std::string by;
  std::string note;
};

Status judge(const Judged& asked, const Outside& outside) {
  // Refused here too, so that a slip of the hand does not need a collector to be seen.
  if (const auto kind = collector::parse_verdict(asked.verdict); !kind) return fail(kind.error());
  const auto collector = Collector::open(asked.options, outside);
  if (!collector) return fail(collector.error());
  json body{{"verdict", asked.verdict}};
  const auto by = asked.by.empty() ? outside.environment("USER") : asked.by;
  if (!by.empty()) body["by"] = by;
  if (!asked.note.empty()) body["note"] = asked.note;
  const auto answer = collector->post("/api/ward/v1/incidents/" + url_encoded(asked.incident) + "/verdict",
                                      body.dump(-1, ' ', false, json::error_handler_t::replace));
  if (!answer) return fail(answer.error());
  if (asked.options.json) {
    outside.out << *answer;
    return {};
  }
  const auto said = json::parse(*answer, nullptr, false);
  if (!said.is_object() || !said.contains("done") || !said.at("done").is_string() || !said.contains("incident") ||
      !said.at("incident").is_string())
    return fail(Errc::corrupt, "The collector's answer is not understood", "Use wardctl and collector of one version.");
  outside.out << telemetry::printable(said.at("incident").get<std::string>() + ": " + said.at("done").get<std::string>())
              << '\n';
  return {};
}

}  // namespace

void add_incidents(CLI::App& app, const Outside& outside, Status& outcome) {
  auto* command = app.add_subcommand("incidents", "List the open incidents, or those of the past");
  const auto asked = std::make_shared<Listed>();
  command->add_option("--since", asked->since, "Those opened since then too: 7d, or a time; 90 days are kept")
      ->type_name("TIME");
  command->add_flag("--without-verdict", asked->without_verdict,
                    "Only those that are over and that nobody has judged (of the last 30 days without --since)");
  add_collector_options(*command, asked->options);
  command->callback([=, &outside, &outcome] { outcome = list(*asked, outside); });

  auto* verdict = app.add_subcommand("verdict", "Say what an incident turned out to be");
  const auto judged = std::make_shared<Judged>();
  verdict->add_option("incident", judged->incident, "Its id, or the beginning of it")->required();
  verdict
      ->add_option("verdict", judged->verdict,
                   "acted: somebody had to do something; auto-recovered: it healed by itself; known: it was expected, or is "
                   "lived with; false: nothing was wrong")
      ->required()
      ->type_name("acted|auto-recovered|known|false");
  verdict->add_option("--by", judged->by, "Who you are, where it is not $USER");
  verdict->add_option("--note", judged->note, "For the audit and whoever reviews the alert");
  add_collector_options(*verdict, judged->options);
  verdict->callback([=, &outside, &outcome] { outcome = judge(*judged, outside); });
}

}  // namespace ward::cli::command
