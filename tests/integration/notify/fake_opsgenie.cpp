#include "tests/integration/notify/fake_opsgenie.hpp"

#include <nlohmann/json.hpp>
#include <set>

namespace ward::collector::test {

using nlohmann::json;

namespace {

json told(const char* message) { return {{"message", message}, {"took", 0.001}, {"requestId", "0000"}}; }
const json kAccepted{{"result", "Request will be processed"}, {"took", 0.1}, {"requestId", "0000"}};

}  // namespace

http::ServerResponse FakeOpsgenie::create(const json& body) {
  const auto message = body.value("message", "");
  if (message.empty() || message.size() > 130) return json_answer(422, told("Message can not be empty or longer than 130."));
  if (body.value("alias", "").size() > 512 || body.value("description", "").size() > 15'000)
    return json_answer(422, told("A field is too long."));
  if (!std::set<std::string>{"P1", "P2", "P3", "P4", "P5"}.contains(body.value("priority", "P3")))
    return json_answer(422, told("Priority is not valid."));
  for (const auto& responder : body.value("responders", json::array())) {
    const auto type = responder.value("type", "");
    if (!std::set<std::string>{"team", "user", "escalation", "schedule"}.contains(type) ||
        (!responder.contains("id") && !responder.contains(type == "user" ? "username" : "name")))
      return json_answer(422, told("Responder is not valid."));
  }
  auto& alert = alerts[body["alias"].get<std::string>()];
  // An open alert of the same alias counts; its priority stays.
  if (alert.status.empty() || alert.status == "closed") alert = {.status = "open", .priority = body.value("priority", "P3")};
  ++alert.count;
  return json_answer(202, kAccepted);
}

http::ServerResponse FakeOpsgenie::change(const http::ServerRequest& request, const json& body) {
  const std::string prefix = "/v2/alerts/";
  const auto slash = request.path.find('/', prefix.size());
  if (request.query != "identifierType=alias") return json_answer(422, told("Id is not valid."));
  if (slash == std::string::npos) return json_answer(404, told("Not found."));
  const auto alias = request.path.substr(prefix.size(), slash - prefix.size());
  const auto action = request.path.substr(slash + 1);
  const bool put = request.method == "PUT";
  if (put != (action == "priority")) return json_answer(405, told("Method not allowed."));
  const auto at = alerts.find(alias);
  if (at == alerts.end()) return json_answer(202, kAccepted);  // processed later, and then not found
  auto& alert = at->second;
  if (action == "close") {
    alert.status = "closed";
    ++alert.closes;
  } else if (action == "acknowledge") {
    alert.status = "acked";
  } else if (action == "priority") {
    alert.priority = body.value("priority", "");
  } else if (action == "notes" && !body.value("note", "").empty()) {
    ++alert.notes;
  } else {
    return json_answer(422, told("Not valid."));
  }
  return json_answer(202, kAccepted);
}

http::ServerResponse FakeOpsgenie::take(const http::ServerRequest& request, const json& body) {
  if (request.header("authorization") != "GenieKey " + key_) return json_answer(401, told("Could not authenticate"));
  if (request.method == "POST" && request.path == "/v2/alerts") return create(body);
  if (request.path.starts_with("/v2/alerts/")) return change(request, body);
  return json_answer(404, told("Not found."));
}

}  // namespace ward::collector::test
