// webhook: a POST with Alertmanager's webhook body, version 4, which Grafana OnCall, Keep, GoAlert and many others take.
// Source: Alertmanager's documentation of webhook_config; facts: rules-and-slo section 4.3.
// Emits: groupKey = incident id, for ever the same; alerts[] with the root first, at most 50; the incident's own words in
// commonLabels (ward_incident, ward_class, ward_owner, ward_service, ward_kind) and commonAnnotations (ward_page).
#include <algorithm>
#include <nlohmann/json.hpp>

#include "collector/notify/channel.hpp"
#include "collector/notify/http_target.hpp"
#include "common/base/duration.hpp"

namespace ward::collector {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxAlerts = 50;
// Go's zero time: what Alertmanager writes for an end that is not known yet.
constexpr const char* kNoEnd = "0001-01-01T00:00:00Z";

json object(const Labels& labels) {
  auto out = json::object();
  for (const auto& [name, value] : labels) out[name] = value;
  return out;
}

json alert_entry(const AlertEvent& alert, const Message& message) {
  const auto& incident = message.notice.incident;
  const bool over = message.notice.kind == NoticeKind::resolve || alert.phase == AlertPhase::resolved;
  const auto end = alert.resolved_at != Time{} ? alert.resolved_at : incident.resolved_at;
  return json{{"status", over ? "resolved" : "firing"},
              {"labels", object(alert.labels)},
              {"annotations", object(alert.annotations)},
              {"startsAt", format_time(alert.active_at)},
              {"endsAt", over ? format_time(end) : std::string(kNoEnd)},
              {"generatorURL", incident_url(incident, message.options)},
              {"fingerprint", fingerprint(alert.labels)}};
}

json common_labels(const Notice& notice) {
  const auto& i = notice.incident;
  auto out = json::object();
  if (!i.alerts.empty())
    for (const auto& label : i.alerts.front().labels) {
      const auto has_it = [&label](const AlertEvent& a) { return a.labels.get(label.first) == label.second; };
      if (std::all_of(i.alerts.begin(), i.alerts.end(), has_it)) out[label.first] = label.second;
    }
  out["ward_incident"] = i.id;
  out["ward_class"] = to_string(i.cls);
  out["ward_owner"] = i.owner;
  out["ward_service"] = i.root_service;
  out["ward_kind"] = to_string(notice.kind);
  return out;
}

json common_annotations(const Message& message) {
  const auto& i = message.notice.incident;
  json out{{"summary", headline(i)}, {"ward_page", message.page}};
  if (i.alerts.empty()) return out;
  if (const auto text = i.alerts.front().annotations.get("description"); !text.empty()) out["description"] = text;
  if (const auto url = runbook_url(i, message.options); !url.empty()) out["runbook_url"] = url;
  return out;
}

std::string body_of(const Message& message) {
  const auto& i = message.notice.incident;
  auto alerts = json::array();
  for (std::size_t n = 0; n < std::min(i.alerts.size(), kMaxAlerts); ++n)
    alerts.push_back(alert_entry(i.alerts[n], message));
  const json body{{"version", "4"},
                  {"groupKey", i.id},
                  {"truncatedAlerts", i.alerts.size() - alerts.size()},
                  {"receiver", message.receiver},
                  {"status", message.notice.kind == NoticeKind::resolve ? "resolved" : "firing"},
                  {"alerts", alerts},
                  {"groupLabels", {{"ward_incident", i.id}}},
                  {"commonLabels", common_labels(message.notice)},
                  {"commonAnnotations", common_annotations(message)},
                  {"externalURL", message.options.external_url}};
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

class Webhook final : public Channel {
 public:
  explicit Webhook(HttpTarget target) : target_(std::move(target)) {}

  [[nodiscard]] Step next(const Message& message, std::span<const Reply> replies) const override {
    if (!replies.empty()) return judge(replies.front());
    auto request = json_post(target_, target_.url, body_of(message));
    request.headers.emplace_back("Idempotency-Key", message.key);
    if (!target_.token.empty()) request.headers.emplace_back("Authorization", "Bearer " + target_.token.reveal());
    return request;
  }

 private:
  HttpTarget target_;
};

std::shared_ptr<const Channel> read(config::Section& from, const std::string& whose) {
  HttpTarget target;
  target.url = from.text("url");
  target.token = from.secret("token");
  read_way(from, target);
  check_url(from, "url", target.url, whose, target.token.empty() ? Carries::nothing : Carries::secret);
  from.close();
  return std::make_shared<Webhook>(std::move(target));
}

}  // namespace

ChannelKind webhook_channel() {
  return {.name = "webhook", .help = "POST of Alertmanager's webhook body, version 4", .read = read};
}

}  // namespace ward::collector
