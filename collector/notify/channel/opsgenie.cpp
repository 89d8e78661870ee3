// opsgenie: the Alert API, also of Jira Service Management. The alias of an alert is the incident's id, by which it is
// acknowledged and closed; creating it again only counts.
// Source: Opsgenie's documentation of /v2/alerts; facts: rules-and-slo section 4.3.
// Emits: create (priority by class: executive P1, urgent P2, actionable P3, informational P5), acknowledge, close. An
// escalation creates (nothing new when it is there), raises the priority and notes the page.
// Errors: 202 is success; 429 and 5xx are asked again; 401, 403 and 422 go to the fallback.
#include <array>
#include <nlohmann/json.hpp>

#include "collector/notify/channel.hpp"
#include "collector/notify/http_target.hpp"
#include "collector/notify/text.hpp"

namespace ward::collector {
namespace {

using nlohmann::json;
using Kind = SendOutcome::Kind;

// Opsgenie's limits, in characters; ours are in bytes.
constexpr std::size_t kMaxMessage = 130;
constexpr std::size_t kMaxDescription = 15'000;
constexpr std::size_t kMaxEntity = 512;
constexpr std::size_t kMaxTag = 50;
constexpr std::size_t kMaxTags = 20;
constexpr std::size_t kMaxResponders = 50;
constexpr std::size_t kMaxDetail = 500;

std::string_view priority(AlertClass c) {
  switch (c) {
    case AlertClass::informational: return "P5";
    case AlertClass::actionable: return "P3";
    case AlertClass::urgent: return "P2";
    case AlertClass::executive: return "P1";
  }
  return "P1";
}

struct Settings {
  HttpTarget target;
  Secret api_key;
  json responders = json::array();
  std::vector<std::string> tags;
};

class Opsgenie final : public Channel {
 public:
  explicit Opsgenie(Settings settings) : settings_(std::move(settings)) {}

  [[nodiscard]] Step next(const Message& message, std::span<const Reply> replies) const override {
    for (const auto& reply : replies) {
      if (reply && reply->status >= 200 && reply->status < 300 && reply->status != 202)
        return stranger(reply->status, "Opsgenie");
      if (auto outcome = judge(reply); outcome.kind != Kind::delivered) return outcome;
    }
    switch (message.notice.kind) {
      case NoticeKind::fire: return replies.empty() ? Step(create(message)) : Step(SendOutcome{});
      case NoticeKind::escalate: return escalate(message, replies.size());
      case NoticeKind::update: return SendOutcome{};  // any call about an alert may notify
      case NoticeKind::acknowledge: return on_alert(message, replies, "acknowledge");
      case NoticeKind::resolve: return on_alert(message, replies, "close");
    }
    return SendOutcome{};
  }

 private:
  [[nodiscard]] Step escalate(const Message& message, std::size_t done) const {
    if (done == 0) return create(message);
    if (done == 1) {
      auto request = send(path(message, "priority"), json{{"priority", priority(message.notice.incident.cls)}});
      request.method = "PUT";
      return request;
    }
    if (done == 2)
      return send(path(message, "notes"), json{{"source", "Ward"}, {"note", lines(message.page, kMaxDescription)}});
    return SendOutcome{};
  }

  [[nodiscard]] Step on_alert(const Message& message, std::span<const Reply> replies, std::string_view action) const {
    if (!replies.empty()) return SendOutcome{};
    return send(path(message, action), json{{"source", "Ward"}, {"note", lines(message.page, kMaxDescription)}});
  }

  [[nodiscard]] http::Request create(const Message& message) const {
    const auto& i = message.notice.incident;
    json details{{"class", to_string(i.cls)}, {"owner", one_line(i.owner, kMaxDetail)}};
    if (const auto url = safe_link(incident_url(i, message.options)); !url.empty()) details["incident"] = url;
    if (const auto url = safe_link(runbook_url(i, message.options)); !url.empty()) details["runbook"] = url;
    auto tags = settings_.tags;
    tags.emplace_back(to_string(i.cls));
    json body{{"message", one_line(first_line_of(message.page), kMaxMessage)},
              {"alias", i.id},
              {"description", lines(message.page, kMaxDescription)},
              {"priority", priority(i.cls)},
              {"entity", one_line(i.root_service, kMaxEntity)},
              {"source", "Ward"},
              {"tags", tags},
              {"details", details}};
    if (!settings_.responders.empty()) body["responders"] = settings_.responders;
    return send("v2/alerts", body);
  }

  [[nodiscard]] static std::string path(const Message& message, std::string_view action) {
    return "v2/alerts/" + message.notice.incident.id + "/" + std::string(action) + "?identifierType=alias";
  }

  [[nodiscard]] http::Request send(std::string_view path, const json& body) const {
    auto request = json_post(settings_.target, join_url(settings_.target.url, path),
                             body.dump(-1, ' ', false, json::error_handler_t::replace));
    request.headers.emplace_back("Authorization", "GenieKey " + settings_.api_key.reveal());
    return request;
  }

  Settings settings_;
};

void read_responders(config::Section& from, const std::string& whose, json& out) {
  constexpr std::array<std::string_view, 4> kTypes{"team", "user", "escalation", "schedule"};
  for (auto& one : from.children("responders")) {
    const auto type = kTypes.at(one.choice("type", {kTypes[0], kTypes[1], kTypes[2], kTypes[3]}, 0));
    if (!one.has("type"))
      one.problems().add(one.at(), "this responder has no type", "Add 'type': team, user, escalation or schedule.");
    const auto id = one.text("id", "");
    const auto name = one.text("name", "");
    if (id.empty() == name.empty())
      one.problems().add(one.at(), "a responder needs a name or an id, one of the two",
                         "Write {type: team, name: Database}.");
    json entry{{"type", type}};
    entry[!id.empty() ? "id" : type == "user" ? "username" : "name"] = id.empty() ? name : id;
    out.push_back(std::move(entry));
    one.close();
  }
  if (out.size() > kMaxResponders)
    from.problems().add(from.at("responders"), whose + " has more than 50 responders, which Opsgenie refuses",
                        "Name a team instead.");
}

std::shared_ptr<const Channel> read(config::Section& from, const std::string& whose) {
  Settings settings;
  settings.api_key = required_secret(from, "api_key", whose);
  settings.target.url = read_api_url(from, "https://api.opsgenie.com", whose);
  read_responders(from, whose, settings.responders);
  settings.tags = from.texts("tags");
  for (const auto& tag : settings.tags)
    if (tag.empty() || tag.size() > kMaxTag)
      from.problems().add(from.at("tags"), "a tag of " + whose + " is empty or longer than 50 characters", "Shorten it.");
  if (settings.tags.size() >= kMaxTags)
    from.problems().add(from.at("tags"), whose + " has more than 19 tags; one more is the class", "Remove some.");
  read_way(from, settings.target);
  from.close();
  return std::make_shared<Opsgenie>(std::move(settings));
}

}  // namespace

ChannelKind opsgenie_channel() {
  return {.name = "opsgenie", .help = "Opsgenie's Alert API: create, acknowledge, close", .read = read};
}

}  // namespace ward::collector
