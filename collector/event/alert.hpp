#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/model/labels.hpp"

namespace ward::collector {

/// How far an alert goes; ordered. Only urgent and executive wake people.
enum class AlertClass : std::uint8_t { informational, actionable, urgent, executive };
std::string_view to_string(AlertClass c);
Result<AlertClass> parse_class(std::string_view text);

enum class AlertPhase : std::uint8_t { pending, firing, resolved };
std::string_view to_string(AlertPhase p);

/// One transition (or the current state) of one alert instance, on its way from alerting to incident.
/// `labels` hold alertname, class, layer, owner, service and the series' labels; `annotations` are rendered.
struct AlertEvent {
  Labels labels;
  Labels annotations;
  AlertPhase phase = AlertPhase::pending;
  Time active_at;    ///< first tick at which the expression held
  Time fired_at;     ///< pending -> firing; epoch while pending
  Time resolved_at;  ///< epoch unless resolved
  double value = 0;
  milliseconds interval{0};  ///< between evaluations of its rule; 0: not known
  /// How long it may fire on after its cause is gone: keep_firing_for, and what its expression looks back.
  milliseconds reach{0};
  bool of_absence = false;  ///< it fires because something is missing: where nobody can look, that says nothing
  bool silent = false;      ///< what it watches has fallen silent: it fires as far as is known
  std::string generator;    ///< "pack.yaml: group \"g\", rule \"R\"", for explain
  friend bool operator==(const AlertEvent&, const AlertEvent&) = default;
};

/// Identity of an alert instance: the fingerprint of its labels.
std::string alert_id(const AlertEvent& alert);
/// From the `class` label; actionable when absent or unknown.
AlertClass class_of(const Labels& labels);

}  // namespace ward::collector
