// slack: one message an incident, changed in place as the incident changes, with a reply in its thread for each change.
// With a bot token: chat.postMessage, chat.update. With an incoming webhook's address: a new message each time.
// Source: Slack's documentation of chat.postMessage, chat.update, rate limits and incoming webhooks.
// Emits: the page's first line as text without markup, the rest as plain_text; &, < and > as entities; links to incident and
// runbook. An escalation's reply is shown in the channel too, because a changed message notifies nobody.
// Errors: HTTP 200 with {"ok":false}: "ratelimited" and Slack's own troubles are asked again, everything else goes to the
// fallback; a message that is gone or may not be changed any more is posted anew.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "collector/notify/channel.hpp"
#include "collector/notify/http_target.hpp"
#include "collector/notify/text.hpp"

namespace ward::collector {
namespace {

using nlohmann::json;
using Kind = SendOutcome::Kind;

constexpr std::size_t kMaxText = 2'900;  // of a text object: 3,000

/// Slack's control characters as entities; at most `max_bytes`, never within an entity or a character.
std::string escape(std::string_view text, std::size_t max_bytes) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
    const auto c = text.substr(at, end - at);
    const auto piece = c == "&" ? "&amp;" : c == "<" ? "&lt;" : c == ">" ? "&gt;" : c;
    if (out.size() + piece.size() + 3 > max_bytes) return out + "...";
    out += piece;
    at = end;
  }
  return out;
}

std::string_view color(const Notice& notice) {
  switch (notice.kind) {
    case NoticeKind::resolve: return "#2eb67d";
    case NoticeKind::acknowledge: return "#1d9bd1";
    case NoticeKind::fire:
    case NoticeKind::update:
    case NoticeKind::escalate: break;
  }
  switch (notice.incident.cls) {
    case AlertClass::informational: return "#8d8d8d";
    case AlertClass::actionable: return "#ecb22e";
    case AlertClass::urgent: return "#e01e5a";
    case AlertClass::executive: return "#8b0000";
  }
  return "#e01e5a";
}

std::string links(const Message& message) {
  std::string out;
  const auto add = [&](const std::string& url, const std::string& text) {
    const auto link = safe_link(url);
    if (link.empty()) return;
    out += (out.empty() ? "<" : "  <") + escape(link, 2 * kMaxText) + "|" + escape(text, 100) + ">";
  };
  add(incident_url(message.notice.incident, message.options), "Incident " + message.notice.incident.id);
  add(runbook_url(message.notice.incident, message.options), "Runbook");
  return out;
}

/// What both ways of sending have in common.
json card(const Message& message) {
  auto blocks = json::array();
  if (const auto rest = lines(after_first_line(message.page), kMaxText); !rest.empty())
    blocks.push_back(
        {{"type", "section"}, {"text", {{"type", "plain_text"}, {"text", escape(rest, kMaxText)}, {"emoji", false}}}});
  if (const auto text = links(message); !text.empty())
    blocks.push_back({{"type", "context"}, {"elements", json::array({{{"type", "mrkdwn"}, {"text", text}}})}});
  json out{{"text", escape(one_line(first_line_of(message.page), kMaxText), kMaxText)}, {"mrkdwn", false}};
  out["attachments"] = json::array();
  if (!blocks.empty()) out["attachments"].push_back({{"color", color(message.notice)}, {"blocks", std::move(blocks)}});
  return out;
}

/// Where an incident's message is.
struct Place {
  std::string channel;
  std::string ts;
};

// "C0123ABC 1700000000.000100": nothing else may get into a request.
std::optional<Place> place_of(std::string_view remembered) {
  const auto blank = remembered.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const auto good = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
  };
  Place place{std::string(remembered.substr(0, blank)), std::string(remembered.substr(blank + 1))};
  const bool ok = !place.channel.empty() && !place.ts.empty() && place.channel.size() < 64 && place.ts.size() < 64 &&
                  std::all_of(place.channel.begin(), place.channel.end(), good) &&
                  std::all_of(place.ts.begin(), place.ts.end(), good);
  return ok ? std::optional(place) : std::nullopt;
}

/// The answer of a method of Slack's Web API.
struct Said {
  SendOutcome outcome;
  std::string error;  ///< Slack's own word
  std::string place;  ///< of the message, as place_of() reads it
};

Said said_by(const Reply& reply) {
  Said out{judge(reply), "", ""};
  if (!reply || reply->status != 200) return out;
  const auto body = json::parse(reply->body, nullptr, false);
  if (!body.is_object() || !body.contains("ok") || !body["ok"].is_boolean())
    return {stranger(reply->status, "Slack"), "", ""};
  const auto text = [&](const char* key) {
    return body.contains(key) && body[key].is_string() ? body[key].get<std::string>() : std::string();
  };
  if (body["ok"].get<bool>()) {
    out.place = text("channel") + " " + text("ts");
    return out;
  }
  out.error = one_line(text("error"), 80);
  constexpr std::array<std::string_view, 7> kPassing{"ratelimited",      "rate_limited",        "internal_error",
                                                     "fatal_error",      "service_unavailable", "request_timeout",
                                                     "team_added_to_org"};
  const bool passes = std::find(kPassing.begin(), kPassing.end(), out.error) != kPassing.end();
  out.outcome = {.kind = passes ? Kind::retry : Kind::refused, .error = "Slack answered '" + out.error + "'"};
  // judge_status() knows how to read the wish; only a 429 has one by HTTP's rules, and Slack sends it with both.
  if (passes) out.outcome.retry_after = judge_status(429, reply->header("retry-after")).retry_after;
  return out;
}

bool must_post_anew(const Said& said) {
  constexpr std::array<std::string_view, 4> kGone{"message_not_found", "cant_update_message", "edit_window_closed",
                                                  "thread_not_found"};
  return std::find(kGone.begin(), kGone.end(), said.error) != kGone.end();
}

class SlackBot final : public Channel {
 public:
  SlackBot(HttpTarget target, std::string channel) : target_(std::move(target)), channel_(std::move(channel)) {}

  [[nodiscard]] Step next(const Message& message, std::span<const Reply> replies) const override {
    const auto place = place_of(message.remembered);
    if (!place) return posted(message, replies);
    if (replies.empty()) return update(message, *place);
    const auto updated = said_by(replies[0]);
    if (must_post_anew(updated)) return posted(message, replies.subspan(1));
    if (updated.outcome.kind != Kind::delivered) return updated.outcome;
    if (replies.size() == 1) return answer(message, *place);
    auto told = said_by(replies[1]);
    // The message itself is changed already; asking again would only change it again.
    if (must_post_anew(told)) return posted(message, replies.subspan(2));
    return told.outcome;
  }

 private:
  [[nodiscard]] Step posted(const Message& message, std::span<const Reply> replies) const {
    if (replies.empty()) {
      auto body = card(message);
      body["channel"] = channel_;
      return call("chat.postMessage", std::move(body));
    }
    auto said = said_by(replies.front());
    // Without the place (which Slack always tells) the message stands, and the next is a new one.
    if (said.outcome.kind == Kind::delivered && place_of(said.place)) said.outcome.remembered = said.place;
    return said.outcome;
  }

  [[nodiscard]] http::Request update(const Message& message, const Place& place) const {
    auto body = card(message);
    body["channel"] = place.channel;
    body["ts"] = place.ts;
    return call("chat.update", std::move(body));
  }

  [[nodiscard]] http::Request answer(const Message& message, const Place& place) const {
    json body{{"channel", place.channel},
              {"thread_ts", place.ts},
              {"text", escape(one_line(first_line_of(message.page), kMaxText), kMaxText)},
              {"mrkdwn", false}};
    if (calls_for_action(message.notice.kind)) body["reply_broadcast"] = true;
    return call("chat.postMessage", std::move(body));
  }

  [[nodiscard]] http::Request call(std::string_view method, json body) const {
    body["unfurl_links"] = false;
    body["unfurl_media"] = false;
    auto request =
        json_post(target_, join_url(target_.url, method), body.dump(-1, ' ', false, json::error_handler_t::replace));
    request.headers.front().second = "application/json; charset=utf-8";  // else Slack warns in each answer
    request.headers.emplace_back("Authorization", "Bearer " + target_.token.reveal());
    return request;
  }

  HttpTarget target_;
  std::string channel_;
};

class SlackWebhook final : public Channel {
 public:
  SlackWebhook(HttpTarget target, Secret address) : target_(std::move(target)), address_(std::move(address)) {}

  [[nodiscard]] Step next(const Message& message, std::span<const Reply> replies) const override {
    if (replies.empty())
      return json_post(target_, address_.reveal(), card(message).dump(-1, ' ', false, json::error_handler_t::replace));
    const auto& reply = replies.front();
    if (reply && reply->status == 200 && reply->body != "ok") return stranger(reply->status, "a Slack webhook");
    return judge(reply);
  }

 private:
  HttpTarget target_;
  Secret address_;
};

std::shared_ptr<const Channel> read(config::Section& from, const std::string& whose) {
  HttpTarget target;
  read_way(from, target);
  auto address = from.secret("webhook_url");
  if (from.has("webhook_url")) {
    check_url(from, "webhook_url", address.reveal(), whose, Carries::secret);
    if (from.has("token") || from.has("channel"))
      from.problems().add(from.at("webhook_url"), whose + " has a webhook_url beside a token or channel",
                          "Keep token and channel (one message an incident, changed in place), or webhook_url alone.");
    from.secret("token");
    from.text("channel", "");
    from.text("url", "");
    from.close();
    return std::make_shared<SlackWebhook>(std::move(target), std::move(address));
  }
  target.token = required_secret(from, "token", whose);
  auto channel = from.text("channel");
  target.url = read_api_url(from, "https://slack.com/api", whose);
  from.close();
  return std::make_shared<SlackBot>(std::move(target), std::move(channel));
}

}  // namespace

ChannelKind slack_channel() {
  return {.name = "slack", .help = "Slack: one message an incident, changed in place; or an incoming webhook", .read = read};
}

}  // namespace ward::collector
