#include "tests/integration/notify/fake_slack.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ward::collector::test {

using nlohmann::json;

namespace {

constexpr const char* kName = "#database";
constexpr const char* kId = "C0DATABASE";

http::ServerResponse said(const json& body) {
  http::ServerResponse out;
  out.content_type = "application/json; charset=utf-8";
  out.body = body.dump();
  return out;
}

http::ServerResponse error(const std::string& word) { return said({{"ok", false}, {"error", word}}); }

}  // namespace

std::string FakeSlack::shown(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto is = [&](const char* what) { return text.compare(at, std::string_view(what).size(), what) == 0; };
    if (is("<!") || is("<@") || is("<#")) ++mentions;
    if (is("&lt;")) {
      out += '<';
      at += 3;
    } else if (is("&gt;")) {
      out += '>';
      at += 3;
    } else if (is("&amp;")) {
      out += '&';
      at += 4;
    } else {
      out += text[at];
    }
  }
  return out;
}

std::string FakeSlack::problem(const json& body) const {
  if (!body.contains("channel")) return "channel_not_found";
  if (!body.contains("text") && !body.contains("attachments")) return "no_text";
  if (body.value("text", "").size() > 40'000) return "msg_too_long";
  for (const auto& attachment : body.value("attachments", json::array()))
    for (const auto& block : attachment.value("blocks", json::array())) {
      const auto type = block.value("type", "");
      const auto& text = type == "section" ? block["text"] : block["elements"][0];
      const auto length = text.value("text", "").size();
      if ((type != "section" && type != "context") || length == 0 || length > 3'000) return "invalid_attachments";
    }
  return "";
}

void FakeSlack::fill(Posted& posted, const json& body) {
  posted.text = shown(body.value("text", ""));
  posted.body.clear();
  for (const auto& attachment : body.value("attachments", json::array()))
    for (const auto& block : attachment["blocks"])
      if (block["type"] == "section") posted.body += shown(block["text"]["text"].get<std::string>());
}

http::ServerResponse FakeSlack::post(const json& body) {
  if (body["channel"] != kName && body["channel"] != kId) return error("channel_not_found");
  Posted made;
  made.thread_ts = body.value("thread_ts", "");
  made.broadcast = body.value("reply_broadcast", false);
  const auto known = [&](const Posted& m) { return m.ts == made.thread_ts; };
  if (!made.thread_ts.empty() && std::none_of(messages.begin(), messages.end(), known)) return error("thread_not_found");
  made.ts = "1700000000.00" + std::to_string(1'000 + ++clock_);
  fill(made, body);
  messages.push_back(made);
  return said({{"ok", true}, {"channel", kId}, {"ts", made.ts}, {"message", {{"text", made.text}}}});
}

http::ServerResponse FakeSlack::update(const json& body) {
  if (body["channel"] != kId) return error("channel_not_found");  // update takes ids only
  const auto at =
      std::find_if(messages.begin(), messages.end(), [&](const Posted& m) { return m.ts == body.value("ts", ""); });
  if (at == messages.end()) return error("message_not_found");
  fill(*at, body);
  ++at->edits;
  return said({{"ok", true}, {"channel", kId}, {"ts", at->ts}, {"text", at->text}});
}

http::ServerResponse FakeSlack::take(const http::ServerRequest& request, const json& body) {
  if (request.method != "POST") return error("invalid_form_data");
  if (request.header("authorization").empty()) return error("not_authed");
  if (request.header("authorization") != "Bearer " + token_) return error("invalid_auth");
  if (const auto wrong = problem(body); !wrong.empty()) return error(wrong);
  if (request.path == "/api/chat.postMessage") return post(body);
  if (request.path == "/api/chat.update") return update(body);
  return error("unknown_method");
}

}  // namespace ward::collector::test
