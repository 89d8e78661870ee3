// The only file here that sees nlohmann's JSON.
#include "collector/alerting/alert_rows.hpp"

#include <nlohmann/json.hpp>

#include "collector/event/json_values.hpp"

namespace ward::collector {
namespace {

using nlohmann::json;

Time read_time(const json& j, const char* key) { return from_ms(j.value(key, std::int64_t{0})); }

AlertPhase read_phase(const std::string& text) {
  for (const auto phase : {AlertPhase::firing, AlertPhase::resolved})
    if (to_string(phase) == text) return phase;
  return AlertPhase::pending;
}

}  // namespace

AlertRowKey row_key(const AlertState& state) {
  return {.group = state.group, .rule = state.rule, .instance = fingerprint(state.labels)};
}

AlertRow to_row(const AlertState& s) {
  const json data{{"labels", json_of(s.labels)},
                  {"annotations", json_of(s.annotations)},
                  {"phase", std::string(to_string(s.phase))},
                  {"value", json_of(s.value)},
                  {"active_at", to_ms(s.active_at)},
                  {"fired_at", to_ms(s.fired_at)},
                  {"resolved_at", to_ms(s.resolved_at)},
                  {"keep_firing_since", to_ms(s.keep_firing_since)},
                  {"evaluated_at", to_ms(s.evaluated_at)}};
  // A label may hold bytes that are no UTF-8: replaced rather than thrown on.
  return {row_key(s), data.dump(-1, ' ', false, json::error_handler_t::replace)};
}

Result<AlertState> from_row(const AlertRow& row) try {
  const auto j = json::parse(row.data);
  AlertState s;
  s.group = row.key.group;
  s.rule = row.key.rule;
  s.labels = labels_at(j, "labels");
  s.annotations = labels_at(j, "annotations");
  s.phase = read_phase(j.value("phase", std::string{}));
  s.value = j.contains("value") ? number_of(j["value"]) : 0;
  s.active_at = read_time(j, "active_at");
  s.fired_at = read_time(j, "fired_at");
  s.resolved_at = read_time(j, "resolved_at");
  s.keep_firing_since = read_time(j, "keep_firing_since");
  s.evaluated_at = read_time(j, "evaluated_at");
  return s;
} catch (const json::exception&) {
  return fail(Errc::corrupt, "the stored state of an alert of rule '" + row.key.rule + "' cannot be read",
              "Nothing to do: the alert starts over with the next evaluation.");
}

}  // namespace ward::collector
