#include "collector/event/routing_json.hpp"

#include <nlohmann/json.hpp>

namespace ward::collector {
namespace {

using nlohmann::json;

Time time_at(const json& j, const char* key) { return from_ms(j.value(key, std::int64_t{0})); }

// What people type may be no UTF-8.
std::string dump(const json& j) { return j.dump(-1, ' ', false, json::error_handler_t::replace); }

MuteKind read_mute(const std::string& text) {
  for (const auto m : {MuteKind::inhibited, MuteKind::silenced, MuteKind::maintenance})
    if (to_string(m) == text) return m;
  return MuteKind::none;
}

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

std::string to_json(const EscalationRecord& r) {
  json out{{"incident", r.incident},  {"class", std::string(to_string(r.cls))},
           {"owner", r.owner},        {"plan", r.plan},
           {"since", to_ms(r.since)}, {"done", r.done},
           {"repeats", r.repeats},    {"round", r.round},
           {"owed", r.owed},          {"mute", std::string(to_string(r.mute))},
           {"muted_by", r.muted_by},  {"muted_at", to_ms(r.muted_at)}};
  if (r.ack)
    out["ack"] = {{"by", r.ack->by}, {"note", r.ack->note}, {"at", to_ms(r.ack->at)}, {"reminded", r.ack->reminded}};
  return dump(out);
}

Result<EscalationRecord> escalation_record_from_json(std::string_view text) {
  return parsed<EscalationRecord>(text, "escalation", [](const json& j) {
    EscalationRecord r;
    r.incident = j.at("incident").get<std::string>();
    r.cls = parse_class(j.value("class", "")).value_or(AlertClass::actionable);
    r.owner = j.value("owner", "");
    r.plan = j.value("plan", "");
    r.since = time_at(j, "since");
    r.done = j.value("done", std::uint32_t{0});
    r.repeats = j.value("repeats", std::uint32_t{0});
    r.round = j.value("round", std::uint32_t{0});
    r.owed = j.value("owed", r.owed);
    r.mute = read_mute(j.value("mute", ""));
    r.muted_by = j.value("muted_by", "");
    r.muted_at = time_at(j, "muted_at");
    if (const auto ack = j.find("ack"); ack != j.end())
      r.ack = Acknowledgement{.by = ack->value("by", ""),
                              .note = ack->value("note", ""),
                              .at = time_at(*ack, "at"),
                              .reminded = ack->value("reminded", false)};
    return r;
  });
}

std::string to_json(const AlertSilence& s) {
  auto matchers = json::array();
  for (const auto& m : s.matchers)
    matchers.push_back({{"name", m.name}, {"value", m.value}, {"is_regex", m.is_regex}, {"is_equal", m.is_equal}});
  return dump(json{{"id", s.id},
                   {"matchers", std::move(matchers)},
                   {"starts_at", to_ms(s.starts_at)},
                   {"ends_at", to_ms(s.ends_at)},
                   {"updated_at", to_ms(s.updated_at)},
                   {"created_by", s.created_by},
                   {"comment", s.comment},
                   {"ended", s.ended}});
}

Result<AlertSilence> silence_from_json(std::string_view text) {
  return parsed<AlertSilence>(text, "silence", [](const json& j) {
    AlertSilence s;
    s.id = j.at("id").get<std::string>();
    for (const auto& m : j.at("matchers"))
      s.matchers.push_back({.name = m.at("name").get<std::string>(),
                            .value = m.at("value").get<std::string>(),
                            .is_regex = m.value("is_regex", false),
                            .is_equal = m.value("is_equal", true)});
    s.starts_at = time_at(j, "starts_at");
    s.ends_at = time_at(j, "ends_at");
    s.updated_at = time_at(j, "updated_at");
    s.created_by = j.value("created_by", "");
    s.comment = j.value("comment", "");
    s.ended = j.value("ended", false);
    return s;
  });
}

}  // namespace ward::collector
