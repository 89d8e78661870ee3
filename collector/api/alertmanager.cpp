#include "collector/api/alertmanager.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "collector/api/desk.hpp"
#include "collector/api/endpoint.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::api::alertmanager {
namespace {

using Json = nlohmann::ordered_json;

// A firing alert says until when it holds if nothing more is heard; Prometheus says four of its intervals.
constexpr std::chrono::minutes kHolds{5};

const AlertEvent* root_of(const std::vector<Incident>& incidents, const std::string& id) {
  for (const auto& incident : incidents)
    if (incident.id == id && !incident.alerts.empty()) return &incident.alerts.front();
  return nullptr;
}

using ByMember = std::unordered_map<Labels, const Incident*>;

ByMember by_member(const std::vector<Incident>& incidents) {
  ByMember out;
  for (const auto& incident : incidents)
    for (const auto& member : incident.alerts) out.emplace(member.labels, &incident);
  return out;
}

AlertStatus status_of(const AlertEvent& alert, const std::vector<Incident>& incidents, const ByMember& members,
                      const Desk& desk) {
  AlertStatus out;
  out.alert = alert;
  auto labels = alert.labels;
  if (const auto at = members.find(alert.labels); at != members.end()) {
    const auto* incident = at->second;
    out.incident = incident->id;
    labels = labels.with("ward_incident", incident->id);
    labels.set("ward_class", to_string(incident->cls));
    labels.set("ward_owner", incident->owner);
    labels.set("ward_service", incident->root_service);
    labels.set("ward_alert", incident->root_alert);
    const auto& root = incident->alerts.front();
    if (root.labels != alert.labels) out.inhibited_by.push_back(fingerprint(root.labels));
    const auto record = desk.escalation(incident->id);
    if (record && record->mute == MuteKind::inhibited)
      if (const auto* above = root_of(incidents, record->muted_by)) out.inhibited_by.push_back(fingerprint(above->labels));
    for (const auto& receiver : desk.told(incident->id)) out.receivers.push_back(receiver);
  }
  out.silenced_by = desk.silenced_by(labels);
  return out;
}

std::string_view state_of(const AlertStatus& alert) {
  if (!alert.silenced_by.empty() || !alert.inhibited_by.empty()) return "suppressed";
  return alert.incident.empty() ? "unprocessed" : "active";
}

bool wanted(const http::ServerRequest& request, std::string_view name) { return parameter(request, name) != "false"; }

}  // namespace

http::ServerResponse answer(const Json& body) {
  http::ServerResponse out;
  out.body = body.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  return out;
}

http::ServerResponse refused(int status, const std::string& why) {
  auto out = answer(Json(why));
  out.status = status;
  return out;
}

http::ServerResponse refused(const Error& error) {
  switch (error.code) {
    case Errc::invalid: return refused(400, describe(error));
    case Errc::not_found: return refused(404, describe(error));
    case Errc::denied: return refused(403, describe(error));
    case Errc::overloaded:
    case Errc::unavailable:
    case Errc::timed_out:
    case Errc::cancelled:
    case Errc::full: return refused(503, describe(error));
    case Errc::corrupt:
    case Errc::internal: break;
  }
  return refused(500, describe(error));
}

Json json_of(const AlertSilence& silence, Time now) {
  auto matchers = Json::array();
  for (const auto& m : silence.matchers)
    matchers.push_back({{"isEqual", m.is_equal}, {"isRegex", m.is_regex}, {"name", m.name}, {"value", m.value}});
  return {{"id", silence.id},
          {"status", {{"state", to_string(collector::state_of(silence, now))}}},
          {"updatedAt", format_time(silence.updated_at)},
          {"comment", silence.comment},
          {"createdBy", silence.created_by},
          {"endsAt", format_time(silence.ends_at)},
          {"matchers", std::move(matchers)},
          {"startsAt", format_time(silence.starts_at)}};
}

Result<AlertSilence> silence_from(const std::string& body) {
  const auto refuse = [](const std::string& what) -> Result<AlertSilence> {
    return fail(Errc::invalid, "the silence " + what,
                R"(Send {"matchers": [{"name", "value", "isRegex"}], "startsAt", "endsAt", "createdBy", "comment"}.)");
  };
  const auto json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return refuse("is no JSON object");
  AlertSilence out;
  try {
    out.id = json.value("id", "");
    out.created_by = json.at("createdBy").get<std::string>();
    out.comment = json.at("comment").get<std::string>();
    for (const auto& m : json.at("matchers"))
      out.matchers.push_back({.name = m.at("name").get<std::string>(),
                              .value = m.at("value").get<std::string>(),
                              .is_regex = m.at("isRegex").get<bool>(),
                              .is_equal = m.value("isEqual", true)});
    const auto starts = parse_time(json.at("startsAt").get<std::string>());
    const auto ends = parse_time(json.at("endsAt").get<std::string>());
    if (!starts || !ends) return refuse("has a time that is not RFC 3339");
    out.starts_at = *starts;
    out.ends_at = *ends;
  } catch (const Json::exception&) {
    return refuse("lacks a field, or one is of the wrong kind");
  }
  return out;
}

Result<std::vector<PostedAlert>> posted_from(const std::string& body) {
  const auto refuse = [](const std::string& what) -> Result<std::vector<PostedAlert>> {
    return fail(Errc::invalid, "the alerts " + what,
                R"(Send [{"labels": {"alertname": ...}, "annotations", "startsAt", "endsAt", "generatorURL"}].)");
  };
  const auto json = Json::parse(body, nullptr, false);
  if (!json.is_array()) return refuse("are no JSON array");
  // Prometheus leaves a time out, or sends that of year 1, when it has none to tell.
  const auto time_of = [](const Json& alert, const char* key) -> Result<std::optional<Time>> {
    const auto text = alert.value(key, "");
    if (text.empty() || text.starts_with("0001-01-01")) return std::optional<Time>{};
    auto time = parse_time(text);
    if (!time) return fail(time.error());
    return std::optional{*time};
  };
  const auto pairs_of = [](const Json& alert, const char* key) {
    Labels out;
    if (const auto at = alert.find(key); at != alert.end() && !at->is_null())
      for (const auto& [name, value] : at->items()) out.set(name, value.get<std::string>());
    return out;
  };
  std::vector<PostedAlert> out;
  try {
    for (const auto& alert : json) {
      const auto starts = time_of(alert, "startsAt"), ends = time_of(alert, "endsAt");
      if (!starts || !ends) return refuse("have a time that is not RFC 3339");
      out.push_back({.labels = pairs_of(alert, "labels"),
                     .annotations = pairs_of(alert, "annotations"),
                     .starts_at = *starts,
                     .ends_at = *ends,
                     .generator_url = alert.value("generatorURL", "")});
    }
  } catch (const Json::exception&) {
    return refuse("have a field of the wrong kind");
  }
  return out;
}

Result<std::vector<LabelCondition>> filters(const http::ServerRequest& request) {
  std::vector<LabelCondition> out;
  for (const auto& text : http::form_values(request.query, "filter")) {
    auto one = LabelCondition::parse(text);
    if (!one) return fail(one.error());
    out.push_back(std::move(*one));
  }
  return out;
}

Result<std::vector<AlertStatus>> alerts(const View& view, const http::ServerRequest& request) {
  const auto conditions = filters(request);
  if (!conditions) return fail(conditions.error());
  const auto receiver_pattern = parameter(request, "receiver");
  const auto receiver = LabelCondition::make("receiver", LabelCondition::Op::regex, receiver_pattern);
  if (!receiver) return fail(receiver.error());
  const auto incidents = view.incidents();
  const auto members = by_member(incidents);
  std::vector<AlertStatus> out;
  for (const auto& alert : view.alerts()) {
    if (alert.phase != AlertPhase::firing || !all_hold(*conditions, alert.labels)) continue;
    auto one = status_of(alert, incidents, members, *view.desk());
    const auto state = state_of(one);
    if (!wanted(request, "silenced") && !one.silenced_by.empty()) continue;
    if (!wanted(request, "inhibited") && !one.inhibited_by.empty()) continue;
    if (!wanted(request, "active") && state == "active") continue;
    if (!wanted(request, "unprocessed") && state == "unprocessed") continue;
    const bool heard =
        receiver_pattern.empty() || std::any_of(one.receivers.begin(), one.receivers.end(), [&](const std::string& r) {
          return receiver->holds(Labels{{"receiver", r}});
        });
    if (heard) out.push_back(std::move(one));
  }
  return out;
}

Json json_of(const AlertStatus& alert, Time now) {
  auto receivers = Json::array();
  for (const auto& name : alert.receivers) receivers.push_back({{"name", name}});
  auto labels = Json::object();
  for (const auto& [name, value] : alert.alert.labels) labels[name] = value;
  auto annotations = Json::object();
  for (const auto& [name, value] : alert.alert.annotations) annotations[name] = value;
  return {{"annotations", std::move(annotations)},
          {"endsAt", format_time(now + kHolds)},
          {"fingerprint", fingerprint(alert.alert.labels)},
          {"receivers", std::move(receivers)},
          {"startsAt", format_time(alert.alert.fired_at)},
          {"status", {{"inhibitedBy", alert.inhibited_by}, {"silencedBy", alert.silenced_by}, {"state", state_of(alert)}}},
          {"updatedAt", format_time(now)},
          {"generatorURL", ""},
          {"labels", std::move(labels)}};
}

}  // namespace ward::collector::api::alertmanager
