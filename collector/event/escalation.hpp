#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "collector/event/alert.hpp"

namespace ward::collector {

/// Somebody has taken an incident on.
struct Acknowledgement {
  std::string by;
  std::string note;
  Time at;
  bool reminded = false;  ///< those who know of it have been told that it still fires
  friend bool operator==(const Acknowledgement&, const Acknowledgement&) = default;
};

/// Why nobody is told of an open incident now.
enum class MuteKind : std::uint8_t { none, inhibited, silenced, maintenance };
std::string_view to_string(MuteKind m);

/// How far an open incident has come in being told. Steps count from `since`; a new cause, owner or class begins anew.
struct EscalationRecord {
  std::string incident;
  AlertClass cls = AlertClass::actionable;
  std::string owner;
  std::string plan;  ///< name of the escalation; "" = the owner's receiver
  Time since;
  std::uint32_t done = 0;     ///< steps that are told or passed over
  std::uint32_t repeats = 0;  ///< how often the page has been repeated
  std::uint32_t round = 0;    ///< how often it began anew for the same cause: part of the delivery keys
  /// Receivers or schedules that could not be told at their step because of the hour, with the step.
  std::map<std::string, std::uint32_t> owed;
  std::optional<Acknowledgement> ack;
  MuteKind mute = MuteKind::none;
  std::string muted_by;  ///< id of the silence or incident, or the words for a maintenance window
  Time muted_at;
  friend bool operator==(const EscalationRecord&, const EscalationRecord&) = default;
};

}  // namespace ward::collector
