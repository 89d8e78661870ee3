// GET /api/v1/rules?type=alert|record&rule_name[]=&rule_group[]=&file[]=&match[]=&exclude_alerts=: the loaded rules, their
// health and alerts. What is repeated means any of them; match[] looks at a rule's labels as they are written.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/#rules
#include <algorithm>
#include <array>

#include "collector/api/alert_json.hpp"
#include "collector/api/prometheus.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::api {
namespace {

using namespace prometheus;

enum class Alerts : std::uint8_t { shown, left_out };

struct Wanted {
  std::string type;
  std::vector<std::string> names, groups, files;
  std::vector<std::vector<Matcher>> selectors;
  Alerts alerts = Alerts::shown;

  static bool in(const std::vector<std::string>& list, const std::string& word) {
    return list.empty() || std::find(list.begin(), list.end(), word) != list.end();
  }
  [[nodiscard]] bool takes(const RuleView& rule) const {
    if (!in(names, rule.name) || (!type.empty() && (type == "alert") != rule.alerting)) return false;
    const auto all = [&](const std::vector<Matcher>& matchers) {
      return std::all_of(matchers.begin(), matchers.end(),
                         [&](const Matcher& m) { return m.matches(rule.labels.get(m.name())); });
    };
    return selectors.empty() || std::any_of(selectors.begin(), selectors.end(), all);
  }
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

Result<Alerts> alerts_of(const http::ServerRequest& request) {
  const auto text = parameter(request, "exclude_alerts");
  const auto word = lower(text);
  for (const std::string_view yes : {"1", "t", "true"})
    if (word == yes) return Alerts::left_out;
  for (const std::string_view no : {"", "0", "f", "false"})
    if (word == no) return Alerts::shown;
  return fail(Errc::invalid, "must be true or false, not \"" + text + "\"", "");
}

Result<Wanted> wanted_of(const http::ServerRequest& request) {
  const auto invalid = [](std::string_view name, const std::string& why) {
    return fail(Errc::invalid, "invalid parameter \"" + std::string(name) + "\": " + why, "");
  };
  Wanted wanted{lower(parameter(request, "type")),
                http::form_values(request.query, "rule_name[]"),
                http::form_values(request.query, "rule_group[]"),
                http::form_values(request.query, "file[]"),
                {}};
  if (!wanted.type.empty() && wanted.type != "alert" && wanted.type != "record")
    return invalid("type", "not supported value \"" + parameter(request, "type") + "\"");
  const auto alerts = alerts_of(request);
  if (!alerts) return invalid("exclude_alerts", alerts.error().what);
  wanted.alerts = *alerts;
  auto chosen = selectors(request);
  if (!chosen) return invalid("match[]", chosen.error().what);
  wanted.selectors = std::move(*chosen);
  return wanted;
}

std::string_view state_of(const RuleView& rule) {
  std::string_view state = "inactive";
  for (const auto& alert : rule.alerts) {
    if (alert.phase == AlertPhase::firing) return "firing";
    if (alert.phase == AlertPhase::pending) state = "pending";
  }
  return state;
}

void append_seconds_of(std::string& out, milliseconds d) { append_number(out, to_seconds(d)); }

void append_rule(std::string& out, const RuleView& rule, Alerts alerts) {
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
    append_alerts(out, alerts == Alerts::shown ? std::span(rule.alerts) : std::span<const AlertEvent>());
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

void append_group(std::string& out, const RuleGroupView& group, const std::vector<const RuleView*>& rules, Alerts alerts) {
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
    append_rule(out, *rules[i], alerts);
    took += rules[i]->last_duration;
    last = std::max(last, rules[i]->last_evaluation);
  }
  out += R"(],"evaluationTime":)";
  append_number(out, to_seconds(took));
  out += R"(,"lastEvaluation":)";
  append_text(out, format_time(last));
  out += '}';
}

Result<http::ServerResponse> print(const std::vector<RuleGroupView>& groups, const http::ServerRequest& request) {
  const auto wanted = wanted_of(request);
  if (!wanted) return prometheus_error(400, "bad_data", wanted.error().what);
  std::string data = R"({"groups":[)";
  bool first = true;
  for (const auto& group : groups) {
    if (!Wanted::in(wanted->groups, group.name) || !Wanted::in(wanted->files, group.file)) continue;
    std::vector<const RuleView*> rules;
    for (const auto& rule : group.rules)
      if (wanted->takes(rule)) rules.push_back(&rule);
    if (rules.empty()) continue;
    if (!first) data += ',';
    first = false;
    append_group(data, group, rules, wanted->alerts);
  }
  return success(data + "]}");
}

async::Task<http::ServerResponse> answer_rules(View& view, http::ServerRequest request) {
  auto groups = std::make_shared<const std::vector<RuleGroupView>>(view.rule_groups());
  // Only a client's regular expressions are worth a worker: a list of rules must come while queries wait.
  const bool selects = !http::form_values(request.query, "match[]").empty();
  if (!selects) co_return *print(*groups, request);
  Work work = [groups](const View&, const http::ServerRequest& asked, Turn&) { return print(*groups, asked); };
  co_return co_await on_worker(view, std::move(request), std::move(work));
}

}  // namespace

Endpoint rules_endpoint() { return {"/api/v1/rules", "Loaded rules", answer_rules}; }

}  // namespace ward::collector::api
