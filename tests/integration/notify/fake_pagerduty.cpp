#include "tests/integration/notify/fake_pagerduty.hpp"

#include <nlohmann/json.hpp>
#include <set>

namespace ward::collector::test {

using nlohmann::json;

std::string FakePagerDuty::problem(const json& event) {
  const auto text = [](const json& in, const char* key) {
    return in.contains(key) && in[key].is_string() ? in[key].get<std::string>() : "";
  };
  if (!event.is_object()) return "Event object is invalid";
  if (text(event, "routing_key").size() != 32) return "Length of 'routing_key' is incorrect (should be 32 characters)";
  const auto action = text(event, "event_action");
  if (!std::set<std::string>{"trigger", "acknowledge", "resolve"}.contains(action)) return "'event_action' is invalid";
  if (text(event, "dedup_key").size() > 255) return "'dedup_key' is too long (maximum is 255 characters)";
  if (action != "trigger") return text(event, "dedup_key").empty() ? "'dedup_key' is missing" : "";
  if (!event.contains("payload")) return "'payload' is missing or blank";
  const auto& payload = event["payload"];
  const auto summary = text(payload, "summary");
  if (summary.empty() || summary.size() > 1'024) return "'payload.summary' is missing or too long";
  if (text(payload, "source").empty()) return "'payload.source' is missing or blank";
  if (!std::set<std::string>{"critical", "error", "warning", "info"}.contains(text(payload, "severity")))
    return "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')";
  for (const auto& link : event.value("links", json::array()))
    if (text(link, "href").empty()) return "'links.href' is missing";
  return "";
}

http::ServerResponse FakePagerDuty::take(const http::ServerRequest& request, const json& body) {
  if (request.method != "POST" || request.path != "/v2/enqueue") return json_answer(404, {{"error", "Not Found"}});
  if (request.body.size() > 512'000) return json_answer(413, {{"status", "Request Entity Too Large"}});
  if (const auto wrong = problem(body); !wrong.empty())
    return json_answer(400, {{"status", "invalid event"}, {"message", "Event object is invalid"}, {"errors", {wrong}}});
  if (body["routing_key"] != key_)
    return json_answer(
        400, {{"status", "invalid event"}, {"message", "Event object is invalid"}, {"errors", {"Invalid routing key"}}});
  auto& alert = alerts[body["dedup_key"].get<std::string>()];
  if (body["event_action"] == "trigger") {
    alert.status = "triggered";
    alert.severity = body["payload"]["severity"].get<std::string>();
    ++alert.triggers;
  } else if (body["event_action"] == "acknowledge") {
    alert.status = "acknowledged";
  } else {
    alert.status = "resolved";
    ++alert.resolves;
  }
  return json_answer(202, {{"status", "success"}, {"message", "Event processed"}, {"dedup_key", body["dedup_key"]}});
}

}  // namespace ward::collector::test
