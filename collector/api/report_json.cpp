#include "collector/api/report_json.hpp"

#include <nlohmann/json.hpp>

#include "common/base/duration.hpp"

namespace ward::collector::api {
namespace {

using nlohmann::ordered_json;
using namespace review;

ordered_json or_null(const std::optional<double>& value) { return value ? ordered_json(*value) : ordered_json(nullptr); }

ordered_json json_of(const Spread& spread) {
  if (spread.count == 0) return {{"count", 0}, {"p50_seconds", nullptr}, {"p90_seconds", nullptr}};
  return {{"count", spread.count}, {"p50_seconds", to_seconds(spread.p50)}, {"p90_seconds", to_seconds(spread.p90)}};
}

ordered_json json_of(const Labels& labels) {
  auto out = ordered_json::object();
  for (const auto& [name, value] : labels) out[name] = value;
  return out;
}

ordered_json json_of(const AlertFigures& f) {
  auto verdicts = ordered_json::object();
  for (const auto kind : {VerdictKind::acted, VerdictKind::auto_recovered, VerdictKind::known, VerdictKind::false_alarm}) {
    const auto at = f.verdicts.find(kind);
    verdicts[std::string(to_string(kind))] = at == f.verdicts.end() ? 0 : at->second;
  }
  return {{"incidents", f.incidents},
          {"paged", f.paged},
          {"pages", f.pages},
          {"pages_per_incident", or_null(f.pages_per_incident())},
          {"night_pages", f.night_pages},
          {"incidents_per_shift", {{"mean", f.shift_mean}, {"p95", f.shift_p95}}},
          {"verdicts", std::move(verdicts)},
          {"without_verdict", f.without_verdict},
          {"actionability", or_null(f.actionability())},
          {"precision", or_null(f.precision())},
          {"acknowledged", json_of(f.acknowledged)},
          {"unacknowledged", f.unacknowledged},
          {"noise", f.noise},
          {"flaps", f.flaps},
          {"later_steps", f.later_steps},
          {"late_roots", f.late_roots},
          {"residual_roots", f.residual_roots},
          {"merged", f.merged},
          {"suppressed", f.suppressed},
          {"muted", f.muted}};
}

ordered_json json_of(const std::map<std::string, AlertFigures>& rows, const char* key) {
  auto out = ordered_json::array();
  for (const auto& [name, figures] : rows) {
    ordered_json row{{key, name}};
    row.update(json_of(figures));
    out.push_back(std::move(row));
  }
  return out;
}

ordered_json json_of(const Detection& detection) {
  auto missed = ordered_json::array();
  for (const auto& one : detection.missed)
    missed.push_back({{"slo", one.slo},
                      {"group", json_of(one.group)},
                      {"from", format_time(Time{one.stretch.from})},
                      {"to", format_time(Time{one.stretch.to})},
                      {"budget", one.stretch.worth}});
  return {{"stretches", detection.stretches},  {"paged", detection.paged},          {"recall", or_null(detection.recall())},
          {"delay", json_of(detection.delay)}, {"reset", json_of(detection.reset)}, {"missed", std::move(missed)}};
}

ordered_json json_of(const Hygiene& hygiene) {
  auto silences = ordered_json::array();
  for (const auto& one : hygiene.long_silences)
    silences.push_back(
        {{"id", one.id}, {"matchers", one.matchers}, {"by", one.by}, {"days", to_seconds(one.to - one.from) / 86'400}});
  return {{"silence_hours", hygiene.silence_hours}, {"long_silences", std::move(silences)},
          {"never_fired", hygiene.never_fired},     {"log_days", to_seconds(hygiene.log_holds) / 86'400},
          {"without_owner", hygiene.without_owner}, {"without_runbook", hygiene.without_runbook},
          {"without_test", hygiene.without_test}};
}

ordered_json json_of(const std::vector<Proposal>& proposals) {
  auto out = ordered_json::array();
  for (const auto& one : proposals) {
    ordered_json row{{"action", to_string(one.action)}, {"rule", one.rule}, {"reason", one.reason}};
    if (!one.change.empty()) row["change"] = one.change;
    if (one.hold) row["for_seconds"] = to_seconds(*one.hold);
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace

std::string to_json(const review::AlertReport& report) {
  const ordered_json body{{"from", format_time(report.from)},
                          {"to", format_time(report.to)},
                          {"all", json_of(report.all)},
                          {"detection", json_of(report.detection)},
                          {"by_rule", json_of(report.by_rule, "rule")},
                          {"by_owner", json_of(report.by_owner, "owner")},
                          {"by_tenant", json_of(report.by_tenant, "tenant")},
                          {"hygiene", json_of(report.hygiene)},
                          {"proposals", json_of(report.proposals)},
                          {"notes", report.notes}};
  return body.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace ward::collector::api
