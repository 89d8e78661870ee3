#include "cli/backtest_report.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "cli/table.hpp"
#include "collector/incident/service_map.hpp"
#include "common/base/duration.hpp"

namespace ward::cli {
namespace {

using collector::AlertClass;
using collector::BacktestRow;
using collector::Incident;
using collector::IncidentPhase;
using collector::PagedIncident;
using collector::RehearsedLevel;
using nlohmann::ordered_json;

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ",") + name;
  return out.empty() ? "-" : out;
}

std::string seconds_of(Time t) {
  auto text = format_time(t);  // without the milliseconds, which nobody compares
  if (const auto dot = text.find('.'); dot != std::string::npos) text.erase(dot, text.find('Z') - dot);
  return text;
}

std::string lasted(const Incident& incident) {
  if (incident.phase == IncidentPhase::open) return "open";
  return format_duration(std::chrono::floor<std::chrono::seconds>(incident.resolved_at - incident.opened_at));
}

std::string cause(const Incident& incident) {
  return incident.root_alert + " at " + to_string(collector::NodeKey{incident.root_service, incident.scope});
}

void add_totals(Table& table, const std::string& name, std::span<const PagedIncident> incidents) {
  std::size_t pages = 0;
  std::array<std::size_t, 4> by_class{};
  for (const auto& one : incidents) {
    pages += one.pages;
    ++by_class.at(static_cast<std::size_t>(one.incident.cls));
  }
  const auto count = [&](AlertClass c) { return std::to_string(by_class.at(static_cast<std::size_t>(c))); };
  table.add({name, std::to_string(incidents.size()), std::to_string(pages), count(AlertClass::executive),
             count(AlertClass::urgent), count(AlertClass::actionable), count(AlertClass::informational)});
}

const char* mark_of(BacktestRow::Kind kind) {
  switch (kind) {
    case BacktestRow::Kind::same: return "=";
    case BacktestRow::Kind::changed: return "~";
    case BacktestRow::Kind::added: return "+";
    case BacktestRow::Kind::gone: return "-";
  }
  return "";
}

/// What another judgement there was before; "" when it was the same.
std::string instead_of(const BacktestRow& row) {
  if (row.kind != BacktestRow::Kind::changed) return "";
  const auto& was = row.before->incident;
  return std::string(to_string(was.cls)) + " " + was.owner + " " + cause(was);
}

ordered_json json_of(const PagedIncident& paged) {
  const auto& incident = paged.incident;
  ordered_json scope = ordered_json::object();
  for (const auto& [name, value] : incident.scope) scope[name] = value;
  ordered_json alerts = ordered_json::array();
  for (const auto& alert : incident.alerts) alerts.push_back(alert.labels.get("alertname"));
  ordered_json out{{"id", incident.id},
                   {"class", to_string(incident.cls)},
                   {"owner", incident.owner},
                   {"root_alert", incident.root_alert},
                   {"root_service", incident.root_service},
                   {"scope", std::move(scope)},
                   {"opened_at", format_time(incident.opened_at)},
                   {"resolved_at", nullptr},
                   {"alerts", std::move(alerts)},
                   {"pages", paged.pages},
                   {"receivers", paged.receivers}};
  if (incident.phase == IncidentPhase::resolved) out["resolved_at"] = format_time(incident.resolved_at);
  return out;
}

std::string percent(double ratio, int digits) {
  std::array<char, 48> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), ratio * 100, std::chars_format::fixed, digits);
  return std::string(text.data(), end.ptr) + "%";
}

std::string percent_or_unknown(const std::optional<double>& ratio, int digits) {
  return ratio ? percent(*ratio, digits) : "unknown";
}

/// The worst first; more than a page of them is left to --json.
std::string levels_text(std::span<const RehearsedLevel> levels) {
  constexpr std::size_t kMost = 40;
  std::vector<const RehearsedLevel*> order;
  for (const auto& level : levels) order.push_back(&level);
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return a->over.budget_remaining.value_or(1) < b->over.budget_remaining.value_or(1);
  });
  Table table{
      {"SLO", "GROUP", "TARGET", "GOOD", "BUDGET LEFT", "OF ITS PERIOD", "COVERAGE", "EXCLUDED", "INCIDENTS", "PAGES"}};
  for (const auto* level : std::span(order).first(std::min(kMost, order.size()))) {
    const auto& over = level->over;
    table.add({over.slo, to_string(over.group), percent(over.target, 3), percent_or_unknown(over.sli, 3),
               percent_or_unknown(over.budget_remaining, 0), percent_or_unknown(level->budget_left, 0),
               percent(over.coverage, 0), format_duration(over.excluded), std::to_string(level->incidents),
               std::to_string(level->pages)});
  }
  auto out = table.to_text();
  if (order.size() > kMost) out += "and " + std::to_string(order.size() - kMost) + " more; --json has all\n";
  return out;
}

ordered_json json_of(const RehearsedLevel& level) {
  const auto& over = level.over;
  ordered_json group = ordered_json::object();
  for (const auto& [name, value] : over.group) group[name] = value;
  ordered_json out{{"slo", over.slo},
                   {"service", over.service},
                   {"group", std::move(group)},
                   {"target", over.target},
                   {"good_ratio", nullptr},
                   {"budget_left", nullptr},
                   {"period_budget_left", nullptr},
                   {"events", over.events},
                   {"bad_events", over.bad_events},
                   {"coverage", over.coverage},
                   {"excluded_seconds", std::chrono::seconds(over.excluded).count()},
                   {"incidents", level.incidents},
                   {"pages", level.pages}};
  if (over.sli) out["good_ratio"] = *over.sli;
  if (over.budget_remaining) out["budget_left"] = *over.budget_remaining;
  if (level.budget_left) out["period_budget_left"] = *level.budget_left;
  return out;
}

std::size_t count_of(const BacktestReport& report, BacktestRow::Kind kind) {
  return static_cast<std::size_t>(
      std::count_if(report.rows.begin(), report.rows.end(), [kind](const auto& row) { return row.kind == kind; }));
}

}  // namespace

std::string backtest_text(const BacktestReport& report) {
  const auto& now = report.now;
  std::string out = "From " + seconds_of(report.since) + " to " + seconds_of(report.until) + ": " +
                    std::to_string(now.evaluations) + " evaluations over " + std::to_string(now.samples) + " samples of " +
                    std::to_string(now.series) + " series.\n";
  for (const auto& note : report.notes) out += "note: " + note + '\n';
  for (const auto& [rule, failing] : now.failing)
    out +=
        "note: rule " + rule + " could not be evaluated " + std::to_string(failing.times) + " times: " + failing.why + '\n';
  Table totals{{"", "INCIDENTS", "PAGES", "EXECUTIVE", "URGENT", "ACTIONABLE", "INFORMATIONAL"}};
  add_totals(totals, "new rules", now.incidents);
  if (!report.before_is.empty()) add_totals(totals, report.before_is, report.before);
  out += '\n' + totals.to_text();
  if (!now.levels.empty()) out += '\n' + levels_text(now.levels);
  if (report.rows.empty()) return out;
  if (!report.before_is.empty())
    out += "\n= " + std::to_string(count_of(report, BacktestRow::Kind::same)) + " in both, ~ " +
           std::to_string(count_of(report, BacktestRow::Kind::changed)) + " judged otherwise, + " +
           std::to_string(count_of(report, BacktestRow::Kind::added)) + " only with the new rules, - " +
           std::to_string(count_of(report, BacktestRow::Kind::gone)) + " only " +
           (report.before_is == "recorded" ? "recorded" : "with the " + report.before_is) + '\n';
  Table table{{"", "OPENED", "LASTED", "CLASS", "OWNER", "CAUSE", "ALERTS", "PAGES", "TO", "BEFORE"}};
  for (const auto& row : report.rows) {
    const auto& one = row.now ? *row.now : *row.before;
    table.add({mark_of(row.kind), seconds_of(one.incident.opened_at), lasted(one.incident),
               std::string(to_string(one.incident.cls)), one.incident.owner, cause(one.incident),
               std::to_string(one.incident.alerts.size()), std::to_string(one.pages), joined(one.receivers),
               instead_of(row)});
  }
  return out + '\n' + table.to_text();
}

std::string backtest_json(const BacktestReport& report) {
  ordered_json failing = ordered_json::array();
  for (const auto& [rule, f] : report.now.failing) failing.push_back({{"rule", rule}, {"times", f.times}, {"error", f.why}});
  ordered_json rows = ordered_json::array();
  for (const auto& row : report.rows) {
    ordered_json one{{"kind", to_string(row.kind)}, {"now", nullptr}, {"before", nullptr}};
    if (row.now) one["now"] = json_of(*row.now);
    if (row.before) one["before"] = json_of(*row.before);
    rows.push_back(std::move(one));
  }
  ordered_json levels = ordered_json::array();
  for (const auto& level : report.now.levels) levels.push_back(json_of(level));
  const ordered_json out{{"since", format_time(report.since)},    {"until", format_time(report.until)},
                         {"compared_with", report.before_is},     {"notes", report.notes},
                         {"series", report.now.series},           {"samples", report.now.samples},
                         {"evaluations", report.now.evaluations}, {"failing_rules", std::move(failing)},
                         {"incidents", std::move(rows)},          {"slos", std::move(levels)}};
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace ward::cli
