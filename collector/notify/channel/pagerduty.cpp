// pagerduty: Events API v2. One dedup_key, the incident's id, for trigger, acknowledge and resolve, so that an incident is
// one alert there however often it changes. An escalation is another trigger, with the higher severity.
// Source: PagerDuty's documentation of POST /v2/enqueue; facts: rules-and-slo section 4.3.
// Emits: severity by class (executive critical, urgent error, actionable warning, informational info); the page and at most
// 50 alerts in custom_details, far below the limit of 512,000 bytes.
// Errors: 202 is success; 429 and 5xx are asked again; 400 (a wrong key, a wrong event) goes to the fallback.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "collector/notify/channel.hpp"
#include "collector/notify/http_target.hpp"
#include "collector/notify/text.hpp"
#include "common/base/duration.hpp"

namespace ward::collector {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxAlerts = 50;
constexpr std::size_t kMaxSummary = 1'024;
constexpr std::size_t kMaxPage = 8'000;
constexpr std::size_t kMaxName = 240;
constexpr std::size_t kKeyLength = 32;

std::string_view severity(AlertClass c) {
  switch (c) {
    case AlertClass::informational: return "info";
    case AlertClass::actionable: return "warning";
    case AlertClass::urgent: return "error";
    case AlertClass::executive: return "critical";
  }
  return "critical";
}

std::string_view action(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::fire:
    case NoticeKind::update:
    case NoticeKind::escalate: return "trigger";
    case NoticeKind::acknowledge: return "acknowledge";
    case NoticeKind::resolve: return "resolve";
  }
  return "trigger";
}

json details(const Message& message) {
  const auto& i = message.notice.incident;
  auto alerts = json::array();
  for (std::size_t n = 0; n < std::min(i.alerts.size(), kMaxAlerts); ++n) {
    const auto& a = i.alerts[n];
    json one{{"since", format_time(a.active_at)}};
    for (const auto* name : {"alertname", "service", "instance", "node", "tenant", "workflow"})
      if (a.labels.has(name)) one[name] = one_line(a.labels.get(name), kMaxName);
    alerts.push_back(std::move(one));
  }
  return json{{"page", lines(message.page, kMaxPage)},
              {"class", to_string(i.cls)},
              {"owner", one_line(i.owner, kMaxName)},
              {"alerts", alerts},
              {"alerts_left_out", i.alerts.size() - alerts.size()}};
}

json links(const Message& message) {
  auto out = json::array();
  const auto add = [&](const std::string& href, const char* text) {
    if (auto link = safe_link(href); !link.empty()) out.push_back({{"href", std::move(link)}, {"text", text}});
  };
  add(runbook_url(message.notice.incident, message.options), "Runbook");
  add(incident_url(message.notice.incident, message.options), "Incident");
  return out;
}

json payload(const Message& message) {
  const auto& i = message.notice.incident;
  const Labels none;
  const auto& root = i.alerts.empty() ? none : i.alerts.front().labels;
  const auto instance = root.get("instance");
  return json{{"summary", one_line(first_line_of(message.page), kMaxSummary)},
              {"source", one_line(instance.empty() ? i.root_service : instance, kMaxName)},
              {"severity", severity(i.cls)},
              {"timestamp", format_time(i.alerts.empty() ? i.opened_at : i.alerts.front().active_at)},
              {"component", one_line(i.root_service, kMaxName)},
              {"group", one_line(i.owner, kMaxName)},
              {"class", one_line(i.root_alert, kMaxName)},
              {"custom_details", details(message)}};
}

class PagerDuty final : public Channel {
 public:
  PagerDuty(HttpTarget target, Secret routing_key) : target_(std::move(target)), routing_key_(std::move(routing_key)) {}

  [[nodiscard]] Step next(const Message& message, std::span<const Reply> replies) const override {
    if (message.notice.kind == NoticeKind::update) return SendOutcome{};  // a trigger more may wake somebody
    if (!replies.empty()) {
      const auto& reply = replies.front();
      if (reply && reply->status >= 200 && reply->status < 300 && reply->status != 202)
        return stranger(reply->status, "PagerDuty");
      return judge(reply);
    }
    json event{{"routing_key", routing_key_.reveal()},
               {"event_action", action(message.notice.kind)},
               {"dedup_key", message.notice.incident.id}};
    if (calls_for_action(message.notice.kind)) {
      event["payload"] = payload(message);
      event["client"] = "Ward";
      if (const auto url = safe_link(incident_url(message.notice.incident, message.options)); !url.empty())
        event["client_url"] = url;
      event["links"] = links(message);
    }
    return json_post(target_, join_url(target_.url, "v2/enqueue"),
                     event.dump(-1, ' ', false, json::error_handler_t::replace));
  }

 private:
  HttpTarget target_;
  Secret routing_key_;
};

std::shared_ptr<const Channel> read(config::Section& from, const std::string& whose) {
  HttpTarget target;
  auto key = required_secret(from, "routing_key", whose);
  if (!key.empty() && key.reveal().size() != kKeyLength)
    from.problems().add(from.at("routing_key"), "the routing_key of " + whose + " has not 32 characters",
                        "Copy the integration key of an Events API v2 integration from PagerDuty.");
  target.url = read_api_url(from, "https://events.pagerduty.com", whose);
  read_way(from, target);
  from.close();
  return std::make_shared<PagerDuty>(std::move(target), std::move(key));
}

}  // namespace

ChannelKind pagerduty_channel() {
  return {.name = "pagerduty", .help = "PagerDuty's Events API v2: trigger, acknowledge, resolve", .read = read};
}

}  // namespace ward::collector
