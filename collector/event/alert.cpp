#include "collector/event/alert.hpp"

#include <array>

namespace ward::collector {

std::string_view to_string(AlertClass c) {
  switch (c) {
    case AlertClass::informational: return "informational";
    case AlertClass::actionable: return "actionable";
    case AlertClass::urgent: return "urgent";
    case AlertClass::executive: return "executive";
  }
  return "actionable";
}

Result<AlertClass> parse_class(std::string_view text) {
  for (const auto c : {AlertClass::informational, AlertClass::actionable, AlertClass::urgent, AlertClass::executive})
    if (to_string(c) == text) return c;
  return fail(Errc::invalid, "class '" + std::string(text) + "' does not exist",
              "Use informational, actionable, urgent or executive.");
}

std::string_view to_string(AlertPhase p) {
  switch (p) {
    case AlertPhase::pending: return "pending";
    case AlertPhase::firing: return "firing";
    case AlertPhase::resolved: return "resolved";
  }
  return "pending";
}

std::string alert_id(const AlertEvent& alert) { return fingerprint(alert.labels); }

AlertClass class_of(const Labels& labels) { return parse_class(labels.get("class")).value_or(AlertClass::actionable); }

}  // namespace ward::collector
