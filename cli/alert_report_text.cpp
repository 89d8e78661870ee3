#include "cli/alert_report_text.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "cli/table.hpp"
#include "common/base/duration.hpp"
#include "common/telemetry/log_format.hpp"

namespace ward::cli {
namespace {

using nlohmann::ordered_json;

tl::unexpected<Error> not_understood() {
  return fail(Errc::corrupt, "The collector's report is not understood", "Use wardctl and collector of one version.");
}

std::string digits(double value, int after_point) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, after_point).ptr};
}
std::string number(const ordered_json& value, int after_point = 1) {
  return value.is_number() ? digits(value.get<double>(), after_point) : "-";
}
std::string percent(const ordered_json& share) {
  return share.is_number() ? digits(100 * share.get<double>(), 0) + " %" : "-";
}
std::string count(const ordered_json& value) { return std::to_string(value.get<std::uint64_t>()); }
std::string seconds(const ordered_json& value) {
  if (!value.is_number()) return "-";
  return format_duration(std::chrono::seconds{static_cast<std::int64_t>(value.get<double>())});
}
std::string share_of(const ordered_json& part, const ordered_json& whole) {
  const auto of = whole.get<std::uint64_t>();
  return of == 0 ? "-" : digits(100.0 * part.get<double>() / static_cast<double>(of), 0) + " %";
}

std::string names(const ordered_json& list) {
  constexpr std::size_t kShown = 12;
  std::string out;
  for (std::size_t i = 0; i < std::min(kShown, list.size()); ++i)
    out += (i == 0 ? "" : ", ") + telemetry::printable(list[i].get<std::string>());
  return list.size() > kShown ? out + " and " + std::to_string(list.size() - kShown) + " more" : out;
}

/// "  name     value" lines under a title.
class Block {
 public:
  explicit Block(std::string title) : text_(std::move(title) + "\n") {}
  void line(std::string name, const std::string& value) {
    name.resize(std::max<std::size_t>(name.size(), 24), ' ');
    text_ += "  " + name + value + "\n";
  }
  [[nodiscard]] std::string text() const { return text_ + "\n"; }

 private:
  std::string text_;
};

std::string overall(const ordered_json& report) {
  const auto& all = report.at("all");
  const auto& found = report.at("detection");
  const auto& shift = all.at("incidents_per_shift");
  const auto& verdicts = all.at("verdicts");
  Block out("Overall");
  out.line("incidents", count(all.at("incidents")) + ", of which " + count(all.at("paged")) + " paged somebody");
  out.line("pages", count(all.at("pages")) + ", " + number(all.at("pages_per_incident")) + " an incident (goal 1.0), " +
                        share_of(all.at("night_pages"), all.at("pages")) + " of them at night");
  out.line("a 12-hour shift", number(shift.at("mean"), 2) + " incidents in the mean, " + count(shift.at("p95")) +
                                  " in the 95th percentile (at most 2)");
  out.line("actionability", percent(all.at("actionability")) + " of those with a verdict: " + count(verdicts.at("acted")) +
                                " acted, " + count(verdicts.at("auto-recovered")) + " auto-recovered, " +
                                count(verdicts.at("known")) + " known, " + count(verdicts.at("false")) + " false; " +
                                count(all.at("without_verdict")) + " without");
  out.line("precision", percent(all.at("precision")) + " of the paged incidents that can be judged mattered");
  out.line("recall", percent(found.at("recall")) + ": " + count(found.at("paged")) + " of " + count(found.at("stretches")) +
                         " stretches that cost 1 % of an error budget paged somebody");
  out.line("detection delay", seconds(found.at("delay").at("p50_seconds")) + " p50, " +
                                  seconds(found.at("delay").at("p90_seconds")) + " p90; end told after " +
                                  seconds(found.at("reset").at("p50_seconds")) + " p50, " +
                                  seconds(found.at("reset").at("p90_seconds")) + " p90");
  out.line("acknowledged after", seconds(all.at("acknowledged").at("p50_seconds")) + " p50, " +
                                     seconds(all.at("acknowledged").at("p90_seconds")) + " p90; " +
                                     count(all.at("unacknowledged")) + " never");
  out.line("noise", share_of(all.at("noise"), all.at("paged")) + " over within 5 minutes without anybody; " +
                        count(all.at("flaps")) + " flaps");
  out.line("correlation", count(all.at("suppressed")) + " alerts came along without a page; causes: " +
                              count(all.at("late_roots")) + " late, " + count(all.at("residual_roots")) + " residual; " +
                              count(all.at("merged")) + " incidents merged, " + count(all.at("muted")) + " told nobody");
  out.line("later steps", share_of(all.at("later_steps"), all.at("paged")) + " went on to another step");
  return out.text();
}

std::string rows(const ordered_json& list, const char* key, const char* title) {
  Table table{
      {title, "INCIDENTS", "PAGED", "PAGES", "NIGHT", "P95 A SHIFT", "ACTED", "PRECISION", "ACK P50", "NOISE", "FLAPS"}};
  for (const auto& row : list) {
    const auto name = row.at(key).get<std::string>();
    table.add({name.empty() ? "-" : name, count(row.at("incidents")), count(row.at("paged")), count(row.at("pages")),
               count(row.at("night_pages")), count(row.at("incidents_per_shift").at("p95")),
               percent(row.at("actionability")), percent(row.at("precision")),
               seconds(row.at("acknowledged").at("p50_seconds")), count(row.at("noise")), count(row.at("flaps"))});
  }
  return table.empty() ? "" : table.to_text() + "\n";
}

std::string missed(const ordered_json& detection) {
  Table table{{"  SLO", "GROUP", "FROM", "TO", "OF THE BUDGET"}};
  for (const auto& one : detection.at("missed")) {
    std::string group;
    for (const auto& [name, value] : one.at("group").items())
      group += (group.empty() ? "" : ",") + name + "=" + value.get<std::string>();
    table.add({"  " + one.at("slo").get<std::string>(), group.empty() ? "-" : group, one.at("from").get<std::string>(),
               one.at("to").get<std::string>(), percent(one.at("budget"))});
  }
  return table.empty() ? "" : "What users felt and nobody was paged for\n" + table.to_text() + "\n";
}

std::string hygiene(const ordered_json& of) {
  Block out("Rules and silences");
  out.line("silenced", digits(of.at("silence_hours").get<double>(), 0) + " hours");
  for (const auto& one : of.at("long_silences"))
    out.line("  longer than 7 days",
             telemetry::printable(one.at("id").get<std::string>() + " by " + one.at("by").get<std::string>() + ": {" +
                                  one.at("matchers").get<std::string>() + "}, ") +
                 number(one.at("days"), 0) + " days");
  const auto list = [&](const char* key, const std::string& title) {
    if (!of.at(key).empty()) out.line(title, names(of.at(key)));
  };
  list("never_fired", "never fired (" + number(of.at("log_days"), 0) + " d)");
  list("without_owner", "without an owner");
  list("without_runbook", "without a runbook");
  list("without_test", "urgent without a test");
  return out.text();
}

const TriedChange* trial_of(const std::vector<TriedChange>& tried, const std::string& rule) {
  const auto at = std::find_if(tried.begin(), tried.end(), [&](const TriedChange& t) { return t.rule == rule; });
  return at == tried.end() ? nullptr : &*at;
}

std::string words_of(const TriedChange& t) {
  return std::to_string(t.pages_before) + " -> " + std::to_string(t.pages_after) + " pages, " +
         std::to_string(t.incidents_before) + " -> " + std::to_string(t.incidents_after) + " incidents (" +
         std::to_string(t.gone) + " gone, " + std::to_string(t.fresh) + " new)";
}

std::string proposals(const ordered_json& list, const std::vector<TriedChange>& tried) {
  Table table{{"  WHAT", "RULE", "WHY"}};
  std::string out;
  for (const auto& one : list) {
    const auto rule = one.at("rule").get<std::string>();
    table.add({"  " + one.at("action").get<std::string>(), rule, one.at("reason").get<std::string>()});
    if (one.contains("change")) table.add({"", "", "write " + one.at("change").get<std::string>()});
    if (const auto* trial = trial_of(tried, rule); trial != nullptr && one.at("action") != "keep")
      table.add({"", "", "backtest: " + words_of(*trial)});
  }
  return table.empty() ? "No rules.\n" : "Keep, tune, delete\n" + table.to_text();
}

Result<ordered_json> parsed(const std::string& text) {
  auto out = ordered_json::parse(text, nullptr, false);
  if (!out.is_object()) return not_understood();
  return out;
}

}  // namespace

Result<std::vector<RuleChange>> changes_of(const std::string& report_json) {
  const auto report = parsed(report_json);
  if (!report) return fail(report.error());
  std::vector<RuleChange> out;
  try {
    for (const auto& one : report->at("proposals")) {
      RuleChange change{.rule = one.at("rule").get<std::string>(), .remove = one.at("action") == "delete", .hold = {}};
      if (one.contains("for_seconds"))
        change.hold = milliseconds{static_cast<std::int64_t>(1'000 * one.at("for_seconds").get<double>())};
      if (change.remove || change.hold) out.push_back(std::move(change));
    }
  } catch (const ordered_json::exception&) {
    return not_understood();
  }
  return out;
}

Result<std::string> alert_report_text(const std::string& report_json, const std::vector<TriedChange>& tried) {
  const auto report = parsed(report_json);
  if (!report) return fail(report.error());
  try {
    auto out =
        "Alerts from " + report->at("from").get<std::string>() + " to " + report->at("to").get<std::string>() + "\n\n";
    out += overall(*report);
    out += rows(report->at("by_rule"), "rule", "RULE");
    out += rows(report->at("by_owner"), "owner", "OWNER");
    out += rows(report->at("by_tenant"), "tenant", "TENANT");
    out += missed(report->at("detection"));
    out += hygiene(report->at("hygiene"));
    out += proposals(report->at("proposals"), tried);
    for (const auto& note : report->at("notes")) out += "\nNote: " + telemetry::printable(note.get<std::string>()) + "\n";
    return out;
  } catch (const ordered_json::exception&) {
    return not_understood();
  }
}

Result<std::string> alert_report_json(const std::string& report_json, const std::vector<TriedChange>& tried) {
  auto report = parsed(report_json);
  if (!report) return fail(report.error());
  try {
    for (auto& one : report->at("proposals"))
      if (const auto* trial = trial_of(tried, one.at("rule").get<std::string>()))
        one["backtest"] = {{"pages_before", trial->pages_before},
                           {"pages_after", trial->pages_after},
                           {"incidents_before", trial->incidents_before},
                           {"incidents_after", trial->incidents_after},
                           {"gone", trial->gone},
                           {"new", trial->fresh}};
  } catch (const ordered_json::exception&) {
    return not_understood();
  }
  return report->dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace ward::cli
