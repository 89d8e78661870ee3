// wardctl slo [NAME]: service levels and what is left of their error budgets.
// Source: GET /api/ward/v1/slos.
#include <CLI/App.hpp>
#include <charconv>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/command/command.hpp"
#include "cli/table.hpp"
#include "common/base/duration.hpp"
#include "common/config/suggest.hpp"
#include "common/telemetry/log_format.hpp"

namespace ward::cli::command {
namespace {

using nlohmann::json;

struct Asked {
  CollectorOptions options;
  std::string name;
  std::string tenant;
};

std::string digits(double value, int after_point) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, after_point).ptr;
  return {text, end};
}

/// "99.95%": as many digits as tell a good share from a perfect one.
std::string percent(const json& ratio, int after_point = 3) {
  if (!ratio.is_number()) return "-";
  auto out = digits(100 * ratio.get<double>(), after_point);
  while (out.find('.') != std::string::npos && (out.ends_with('0') || out.ends_with('.'))) {
    const bool point = out.ends_with('.');
    out.pop_back();
    if (point) break;
  }
  return out + "%";
}

std::string lasting(const json& minutes) {
  if (!minutes.is_number()) return "-";
  const auto value = minutes.get<double>();
  // Rounded towards less: nobody should count on a minute that is not there.
  const auto whole = std::chrono::minutes{static_cast<std::int64_t>(std::floor(std::abs(value)))};
  return (value < 0 ? "-" : "") + format_duration(whole);
}

std::string group_of(const json& slo) {
  std::string out;
  for (const auto& [name, value] : slo.at("group").items())
    out += (out.empty() ? "" : ",") + name + "=" + value.get<std::string>();
  return out.empty() ? "-" : out;
}

std::string times(const json& burn) {
  if (!burn.is_number()) return "-";
  const auto value = burn.get<double>();
  return digits(value, value < 10 ? 2 : 0);
}

/// The fastest burn of all windows but the period, whose burn is the budget itself.
std::string worst_burn(const json& slo) {
  const json* worst = nullptr;
  for (const auto& window : slo.at("windows"))
    if (window.at("burn_rate").is_number() &&
        (worst == nullptr || window.at("burn_rate").get<double>() > worst->at("burn_rate").get<double>()))
      worst = &window;
  return worst == nullptr ? "-" : times(worst->at("burn_rate")) + " (" + worst->at("window").get<std::string>() + ")";
}

void add_row(Table& table, const json& slo) {
  table.add({slo.at("slo").get<std::string>(), group_of(slo), slo.at("state").get<std::string>(),
             percent(slo.at("objective")) + "/" + slo.at("period").get<std::string>(), percent(slo.at("ratio")),
             percent(slo.at("budget_remaining"), 1), lasting(slo.at("minutes_left")), worst_burn(slo),
             percent(slo.at("coverage"), 1)});
}

std::string no_data_line(const json& slo) {
  const auto& no_data = slo.at("no_data");
  auto out = "minutes without events count as " + no_data.at("policy").get<std::string>();
  if (no_data.contains("last_sample")) out += "; the last sample came at " + no_data.at("last_sample").get<std::string>();
  if (no_data.at("told").get<bool>()) out += "; platform is told that none comes (SloNoData)";
  return out;
}

std::string exhausted_line(const json& slo) {
  if (slo.at("on_exhausted") != "freeze") return "nothing but what the burn alerts say";
  return slo.at("frozen").get<bool>() ? "CHANGES ARE FROZEN: the budget is spent (SloBudgetSpent)"
                                      : "changes are frozen (SloBudgetSpent, ward_slo_frozen)";
}

std::string left_line(const json& slo) {
  auto out = percent(slo.at("budget_remaining"), 1);
  if (slo.at("minutes_left").is_number()) out += ", as much as " + lasting(slo.at("minutes_left")) + " of full outage";
  if (slo.at("bad_events_left").is_number())
    out += ", or " + digits(std::trunc(slo.at("bad_events_left").get<double>()), 0) + " bad events at the traffic so far";
  return out;
}

std::string details(const json& slo) {
  std::string out = slo.at("slo").get<std::string>() + "  " + group_of(slo) + "\n";
  const auto line = [&](std::string name, const std::string& value) {
    name.resize(16, ' ');
    out += "  " + name + telemetry::printable(value) + "\n";
  };
  line("state", slo.at("state").get<std::string>());
  line("service", slo.at("service").get<std::string>());
  line("objective", percent(slo.at("objective")) +
                        (slo.at("rolling").get<bool>() ? " over the last " : " in each calendar ") +
                        slo.at("period").get<std::string>() + ", by " + slo.at("budgeting").get<std::string>());
  line("good so far", percent(slo.at("ratio")) + ", known for " + percent(slo.at("coverage"), 1) + " of the time");
  line("bad so far",
       digits(slo.at("bad_events").get<double>(), 0) + " of " + digits(slo.at("events").get<double>(), 0) + " events");
  line("budget left", left_line(slo));
  if (slo.at("excluded_minutes").get<std::int64_t>() > 0)
    line("excluded", lasting(slo.at("excluded_minutes")) + " of maintenance in the period");
  line("without data", no_data_line(slo));
  line("when spent", exhausted_line(slo));
  for (const auto& pair : slo.at("burn_alerts"))
    line("tells when", "burning over " + digits(pair.at("factor").get<double>(), 2) + " times too fast in " +
                           pair.at("long").get<std::string>() + " and " + pair.at("short").get<std::string>() + ": " +
                           pair.at("class").get<std::string>() + (pair.at("burns").get<bool>() ? "   <- NOW" : ""));
  if (slo.contains("alert"))
    line("its alert",
         slo.at("alert").at("state").get<std::string>() + ", " + slo.at("alert").at("class").get<std::string>());
  line("written at", slo.at("origin").get<std::string>());
  Table table{{"  WINDOW", "GOOD", "BURN", "COVERAGE"}};
  for (const auto& window : slo.at("windows")) {
    const auto& bad = window.at("bad_ratio");
    table.add({"  " + window.at("window").get<std::string>(), bad.is_number() ? percent(json(1 - bad.get<double>())) : "-",
               times(window.at("burn_rate")), percent(window.at("coverage"), 1)});
  }
  return out + table.to_text();
}

/// Where no SLO has the name: the list of all, for one that looks like it.
Status not_there(const Collector& collector, const Asked& asked) {
  std::vector<std::string> names;
  if (const auto all = collector.get("/api/ward/v1/slos"))
    if (const auto list = json::parse(*all, nullptr, false); list.is_object() && list.contains("slos"))
      for (const auto& slo : list.at("slos"))
        if (slo.is_object()) names.push_back(slo.value("slo", ""));
  const auto near = config::closest(asked.name, names);
  return fail(
      Errc::not_found,
      "There is no SLO '" + asked.name + "'" + (asked.tenant.empty() ? "" : " of tenant '" + asked.tenant + "'"),
      near && *near != asked.name ? "Did you mean '" + *near + "'? 'wardctl slo' lists them." : "'wardctl slo' lists them.");
}

Status show(const Asked& asked, const Outside& outside) {
  const auto collector = Collector::open(asked.options, outside);
  if (!collector) return fail(collector.error());
  std::string query;
  if (!asked.name.empty()) query += "&name=" + url_encoded(asked.name);
  if (!asked.tenant.empty()) query += "&tenant=" + url_encoded(asked.tenant);
  if (!query.empty()) query[0] = '?';
  const auto body = collector->get("/api/ward/v1/slos" + query);
  if (!body) return fail(body.error());
  const auto shown = show_slos(*body, !asked.name.empty());
  if (!shown) return fail(shown.error());
  if (shown->empty() && !asked.name.empty()) return not_there(*collector, asked);
  if (asked.options.json)
    outside.out << *body;
  else if (shown->empty())
    outside.out << "No SLOs.\n";
  else
    outside.out << *shown;
  return {};
}

}  // namespace

Result<std::string> show_slos(const std::string& body, bool in_detail) {
  std::string out;
  try {
    const auto answer = json::parse(body);
    Table table{{"SLO", "GROUP", "STATE", "OBJECTIVE", "GOOD", "BUDGET LEFT", "OUTAGE LEFT", "FASTEST BURN", "KNOWN"}};
    for (const auto& slo : answer.at("slos")) {
      if (in_detail)
        out += (out.empty() ? "" : "\n") + details(slo);
      else
        add_row(table, slo);
    }
    if (!table.empty()) out = table.to_text();
  } catch (const json::exception&) {
    return fail(Errc::corrupt, "The collector's list of SLOs is not understood",
                "Use wardctl and collector of one version.");
  }
  return out;
}

void add_slo(CLI::App& app, const Outside& outside, Status& outcome) {
  auto* command = app.add_subcommand("slo", "Show service levels and what is left of their error budgets");
  const auto asked = std::make_shared<Asked>();
  command->add_option("name", asked->name, "Only this SLO, with all its windows")->type_name("NAME");
  command->add_option("--tenant", asked->tenant, "Only the groups of this tenant");
  add_collector_options(*command, asked->options);
  command->callback([=, &outside, &outcome] { outcome = show(*asked, outside); });
}

}  // namespace ward::cli::command
