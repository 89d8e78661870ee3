// The only file here that sees nlohmann's JSON.
#include "collector/alerting/alert_rows.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace ward::collector {
namespace {

using nlohmann::json;

json write_labels(const Labels& labels) {
  auto out = json::object();
  for (const auto& [name, value] : labels) out[name] = value;
  return out;
}

Labels read_labels(const json& j, const char* key) {
  std::vector<Label> labels;
  if (const auto at = j.find(key); at != j.end())
    for (const auto& [name, value] : at->items()) labels.emplace_back(name, value.get<std::string>());
  return Labels(std::move(labels));
}

// JSON has no infinities; an alert's value may be one (a division by zero).
json write_value(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v > 0 ? "+Inf" : "-Inf";
  return v;
}

double read_value(const json& j) {
  const auto at = j.find("value");
  if (at == j.end()) return 0;
  if (at->is_number()) return at->get<double>();
  const auto text = at->get<std::string>();
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  return std::numeric_limits<double>::quiet_NaN();
}

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
  const json data{{"labels", write_labels(s.labels)},         {"annotations", write_labels(s.annotations)},
                  {"phase", std::string(to_string(s.phase))}, {"value", write_value(s.value)},
                  {"active_at", to_ms(s.active_at)},          {"fired_at", to_ms(s.fired_at)},
                  {"resolved_at", to_ms(s.resolved_at)},      {"keep_firing_since", to_ms(s.keep_firing_since)},
                  {"evaluated_at", to_ms(s.evaluated_at)}};
  // A label may hold bytes that are no UTF-8: replaced rather than thrown on.
  return {row_key(s), data.dump(-1, ' ', false, json::error_handler_t::replace)};
}

Result<AlertState> from_row(const AlertRow& row) try {
  const auto j = json::parse(row.data);
  AlertState s;
  s.group = row.key.group;
  s.rule = row.key.rule;
  s.labels = read_labels(j, "labels");
  s.annotations = read_labels(j, "annotations");
  s.phase = read_phase(j.value("phase", std::string{}));
  s.value = read_value(j);
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
