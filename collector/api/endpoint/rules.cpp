// GET /api/v1/rules?type=alert|record&rule_name[]=&rule_group[]=&file[]=: the loaded rules, their health and alerts.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/#rules
#include <algorithm>
#include <array>

#include "collector/api/alert_json.hpp"
#include "collector/api/prometheus.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::api {
namespace {

using namespace prometheus;

struct Wanted {
  std::string type;
  std::vector<std::string> names, groups, files;
  static bool in(const std::vector<std::string>& list, const std::string& word) {
    return list.empty() || std::find(list.begin(), list.end(), word) != list.end();
  }
};

std::string_view state_of(const RuleView& rule) {
  std::string_view state = "inactive";
  for (const auto& alert : rule.alerts) {
    if (alert.phase == AlertPhase::firing) return "firing";
    if (alert.phase == AlertPhase::pending) state = "pending";
  }
  return state;
}

void append_seconds_of(std::string& out, milliseconds d) { append_number(out, to_seconds(d)); }

void append_rule(std::string& out, const RuleView& rule) {
  const auto key = [&](const char* name) { out += std::string(",\"") + name + "\":"; };
  if (rule.alerting) {
    out += R"({"state":)";
    append_text(out, state_of(rule));
    key("name");
    append_text(out, rule.name);
    key("duration");
    append_seconds_of(out, rule.hold);
    key("keepFiringFor");
    append_seconds_of(out, rule.keep_firing);
    key("annotations");
    append_labels(out, rule.annotations);
    key("alerts");
    append_alerts(out, rule.alerts);
  } else {
    out += R"({"name":)";
    append_text(out, rule.name);
  }
  key("query");
  append_text(out, rule.query);
  key("labels");
  append_labels(out, rule.labels);
  key("health");
  append_text(out, !rule.last_error.empty() ? "err" : rule.last_evaluation == Time{} ? "unknown" : "ok");
  if (!rule.last_error.empty()) {
    key("lastError");
    append_text(out, rule.last_error);
  }
  key("evaluationTime");
  append_number(out, to_seconds(rule.last_duration));
  key("lastEvaluation");
  append_text(out, format_time(rule.last_evaluation));
  key("type");
  append_text(out, rule.alerting ? "alerting" : "recording");
  out += '}';
}

void append_group(std::string& out, const RuleGroupView& group, const std::vector<const RuleView*>& rules) {
  out += R"({"name":)";
  append_text(out, group.name);
  out += R"(,"file":)";
  append_text(out, group.file);
  out += R"(,"interval":)";
  append_seconds_of(out, group.interval);
  out += R"(,"limit":)" + std::to_string(group.limit) + R"(,"rules":[)";
  std::chrono::nanoseconds took{0};
  Time last;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (i > 0) out += ',';
    append_rule(out, *rules[i]);
    took += rules[i]->last_duration;
    last = std::max(last, rules[i]->last_evaluation);
  }
  out += R"(],"evaluationTime":)";
  append_number(out, to_seconds(took));
  out += R"(,"lastEvaluation":)";
  append_text(out, format_time(last));
  out += '}';
}

async::Task<http::ServerResponse> answer_rules(View& view, http::ServerRequest request) {
  const Wanted wanted{parameter(request, "type"), http::form_values(request.query, "rule_name[]"),
                      http::form_values(request.query, "rule_group[]"), http::form_values(request.query, "file[]")};
  if (!wanted.type.empty() && wanted.type != "alert" && wanted.type != "record")
    co_return bad_parameter("type", "not supported value \"" + wanted.type + "\"");
  std::string data = R"({"groups":[)";
  bool first = true;
  for (const auto& group : view.rule_groups()) {
    if (!Wanted::in(wanted.groups, group.name) || !Wanted::in(wanted.files, group.file)) continue;
    std::vector<const RuleView*> rules;
    for (const auto& rule : group.rules)
      if (Wanted::in(wanted.names, rule.name) && (wanted.type.empty() || (wanted.type == "alert") == rule.alerting))
        rules.push_back(&rule);
    if (rules.empty()) continue;
    if (!first) data += ',';
    first = false;
    append_group(data, group, rules);
  }
  co_return success(data + "]}");
}

}  // namespace

Endpoint rules_endpoint() { return {"/api/v1/rules", "Loaded rules", answer_rules}; }

}  // namespace ward::collector::api
