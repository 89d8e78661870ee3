#include "collector/event/json.hpp"

#include <nlohmann/json.hpp>

#include "collector/event/json_values.hpp"

namespace ward::collector {
namespace {

using nlohmann::json;

std::int64_t ms(Time t) { return to_ms(t); }
Time time_at(const json& j, const char* key) { return from_ms(j.value(key, std::int64_t{0})); }

json write(const AlertEvent& a) {
  return json{{"labels", json_of(a.labels)},
              {"annotations", json_of(a.annotations)},
              {"phase", std::string(to_string(a.phase))},
              {"active_at", ms(a.active_at)},
              {"fired_at", ms(a.fired_at)},
              {"resolved_at", ms(a.resolved_at)},
              {"value", json_of(a.value)},
              {"interval", a.interval.count()},
              {"reach", a.reach.count()},
              {"of_absence", a.of_absence},
              {"silent", a.silent},
              {"generator", a.generator}};
}

AlertPhase read_phase(const std::string& text) {
  for (const auto p : {AlertPhase::firing, AlertPhase::resolved})
    if (to_string(p) == text) return p;
  return AlertPhase::pending;
}

AlertEvent read_alert(const json& j) {
  AlertEvent a;
  a.labels = labels_at(j, "labels");
  a.annotations = labels_at(j, "annotations");
  a.phase = read_phase(j.value("phase", ""));
  a.active_at = time_at(j, "active_at");
  a.fired_at = time_at(j, "fired_at");
  a.resolved_at = time_at(j, "resolved_at");
  a.value = number_of(j.at("value"));
  a.interval = milliseconds{j.value("interval", std::int64_t{0})};
  a.reach = milliseconds{j.value("reach", std::int64_t{0})};
  a.of_absence = j.value("of_absence", false);
  a.silent = j.value("silent", false);
  a.generator = j.value("generator", "");
  return a;
}

/// What another release may have said is no reason to lose the incident.
std::optional<Verdict> read_verdict(const json& j) {
  const auto at = j.find("verdict");
  if (at == j.end()) return std::nullopt;
  const auto kind = parse_verdict(at->value("kind", ""));
  if (!kind) return std::nullopt;
  return Verdict{.kind = *kind, .by = at->value("by", ""), .note = at->value("note", ""), .at = time_at(*at, "at")};
}

json write(const Incident& i) {
  auto alerts = json::array();
  for (const auto& a : i.alerts) alerts.push_back(write(a));
  json out{{"id", i.id},
           {"phase", i.phase == IncidentPhase::open ? "open" : "resolved"},
           {"class", std::string(to_string(i.cls))},
           {"owner", i.owner},
           {"root_service", i.root_service},
           {"root_alert", i.root_alert},
           {"scope", json_of(i.scope)},
           {"in_common", json_of(i.in_common)},
           {"opened_at", ms(i.opened_at)},
           {"resolved_at", ms(i.resolved_at)},
           {"alerts", std::move(alerts)},
           {"reopened", i.reopened},
           {"merged_into", i.merged_into},
           {"workflows", i.workflows}};
  if (i.verdict)
    out["verdict"] = {{"kind", std::string(to_string(i.verdict->kind))},
                      {"by", i.verdict->by},
                      {"note", i.verdict->note},
                      {"at", ms(i.verdict->at)}};
  return out;
}

Incident read_incident(const json& j) {
  Incident i;
  i.id = j.at("id").get<std::string>();
  i.phase = j.value("phase", "open") == "open" ? IncidentPhase::open : IncidentPhase::resolved;
  i.cls = parse_class(j.value("class", "")).value_or(AlertClass::actionable);
  i.owner = j.value("owner", "");
  i.root_service = j.value("root_service", "");
  i.root_alert = j.value("root_alert", "");
  i.scope = labels_at(j, "scope");
  i.in_common = labels_at(j, "in_common");
  i.opened_at = time_at(j, "opened_at");
  i.resolved_at = time_at(j, "resolved_at");
  for (const auto& a : j.value("alerts", json::array())) i.alerts.push_back(read_alert(a));
  i.reopened = j.value("reopened", std::uint32_t{0});
  i.merged_into = j.value("merged_into", "");
  i.workflows = j.value("workflows", std::vector<std::string>{});
  i.verdict = read_verdict(j);
  return i;
}

// Label values come from targets: bytes that are no UTF-8 are shown as U+FFFD rather than lost with the whole incident.
std::string dump(const json& j) { return j.dump(-1, ' ', false, json::error_handler_t::replace); }

template <class T, class Read>
Result<T> parsed(std::string_view text, const char* thing, Read read) {
  try {
    return read(json::parse(text));
  } catch (const json::exception&) {
    return fail(Errc::corrupt, std::string("a stored ") + thing + " cannot be read as JSON of this release",
                "Run the release of Ward that wrote this store, or restore the store from its backup.");
  }
}

}  // namespace

std::string to_json(const IncidentRecord& r) {
  auto transitions = json::array();
  for (const auto t : r.transitions) transitions.push_back(ms(t));
  return dump(json{{"incident", write(r.incident)},
                   {"transitions", std::move(transitions)},
                   {"flapping", r.flapping},
                   {"quiet_since", ms(r.quiet_since)},
                   {"root_quiet_since", ms(r.root_quiet_since)}});
}

Result<IncidentRecord> incident_record_from_json(std::string_view text) {
  return parsed<IncidentRecord>(text, "incident", [](const json& j) {
    IncidentRecord r;
    r.incident = read_incident(j.at("incident"));
    for (const auto& t : j.value("transitions", json::array())) r.transitions.push_back(from_ms(t.get<std::int64_t>()));
    r.flapping = j.value("flapping", false);
    r.quiet_since = time_at(j, "quiet_since");
    r.root_quiet_since = time_at(j, "root_quiet_since");
    return r;
  });
}

std::string to_json(const WatchedAlert& w) { return dump(json{{"alert", write(w.alert)}, {"seen_at", ms(w.seen_at)}}); }

Result<WatchedAlert> watched_alert_from_json(std::string_view text) {
  return parsed<WatchedAlert>(text, "alert", [](const json& j) {
    return WatchedAlert{.alert = read_alert(j.at("alert")), .seen_at = time_at(j, "seen_at")};
  });
}

std::string to_json(const Notice& n) {
  json out{{"kind", std::string(to_string(n.kind))}, {"incident", write(n.incident)}};
  if (!n.why.empty()) out["why"] = n.why;
  if (!n.first_steps.empty()) out["first_steps"] = n.first_steps;
  if (!n.readiness.empty()) out["readiness"] = n.readiness;
  return dump(out);
}

Result<Notice> notice_from_json(std::string_view text) {
  return parsed<Notice>(text, "notice", [](const json& j) {
    Notice n;
    if (const auto kind = parse_notice_kind(j.at("kind").get<std::string>())) n.kind = *kind;
    n.incident = read_incident(j.at("incident"));
    n.why = j.value("why", "");
    n.first_steps = j.value("first_steps", std::vector<std::string>{});
    n.readiness = j.value("readiness", "");
    return n;
  });
}

}  // namespace ward::collector
