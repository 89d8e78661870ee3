#include "tests/integration/notify/fake_teams.hpp"

#include <nlohmann/json.hpp>

namespace ward::collector::test {

using nlohmann::json;

http::ServerResponse FakeTeams::take(const http::ServerRequest& request, const json& body) {
  const auto error = [](int status, const char* code) { return json_answer(status, {{"error", {{"code", code}}}}); };
  if (request.method != "POST" || !request.path.starts_with("/workflows/1/")) return error(404, "WorkflowNotFound");
  if (request.query != "sig=s3cret") return error(401, "DirectApiAuthorizationRequired");
  if (request.body.size() > (28U << 10)) return error(413, "RequestEntityTooLarge");
  if (body.value("type", "") != "message" || body["attachments"].size() != 1) return error(400, "InvalidRequestContent");
  const auto& attachment = body["attachments"][0];
  const auto& card = attachment["content"];
  if (attachment["contentType"] != "application/vnd.microsoft.card.adaptive" || card["type"] != "AdaptiveCard" ||
      card["version"] > "1.5")
    return error(400, "InvalidRequestContent");
  std::string text;
  for (const auto& block : card["body"]) {
    if (block["type"] != "RichTextBlock") return error(400, "InvalidRequestContent");
    for (const auto& run : block["inlines"]) text += run["text"].get<std::string>();
    text += "\n";
  }
  for (const auto& action : card["actions"])
    if (action["type"] != "Action.OpenUrl" || !action["url"].get<std::string>().starts_with("https://"))
      return error(400, "InvalidRequestContent");
  cards.push_back(text);
  http::ServerResponse out;
  out.status = 202;
  return out;
}

}  // namespace ward::collector::test
