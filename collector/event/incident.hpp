#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collector/event/alert.hpp"

namespace ward::collector {

enum class IncidentPhase : std::uint8_t { open, resolved };

/// What an incident turned out to be, as the people who had it say. acted: somebody had to do something, and did.
/// auto_recovered: it healed by itself. known: it was expected, or is lived with. false_alarm: nothing was wrong.
enum class VerdictKind : std::uint8_t { acted, auto_recovered, known, false_alarm };
std::string_view to_string(VerdictKind v);  ///< "acted", "auto-recovered", "known", "false"
/// Errc::invalid, naming the four.
Result<VerdictKind> parse_verdict(std::string_view text);

struct Verdict {
  VerdictKind kind = VerdictKind::acted;
  std::string by;
  std::string note;
  Time at;
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

/// What one root cause has broken: one id, one page, one timeline, one resolve.
struct Incident {
  std::string id;  ///< 8+ characters of Crockford base32, time-ordered; also the receivers' dedup key
  IncidentPhase phase = IncidentPhase::open;
  AlertClass cls = AlertClass::actionable;  ///< the highest of the members' classes so far
  std::string owner;                        ///< of the root: application, database, platform, security, backup
  std::string root_service;
  std::string root_alert;  ///< alertname of the root
  Labels scope;            ///< the root's scope labels (tenant, cluster, instance...)
  /// Its alerts have only this in common: many began at once without a cause in sight, so none is claimed. Empty otherwise.
  Labels in_common{};
  Time opened_at;
  Time resolved_at;
  std::vector<AlertEvent> alerts;      ///< the root first, then what it explains, in order of arrival
  std::uint32_t reopened = 0;          ///< how often it fired again after its resolve; part of the delivery keys
  std::string merged_into;             ///< id of the older incident that took this one over; "" otherwise
  std::vector<std::string> workflows;  ///< business paths over the root service or its dependants
  std::optional<Verdict> verdict{};    ///< the last one given; none again when it begins anew
  friend bool operator==(const Incident&, const Incident&) = default;
};

/// Why a notification is due. fire and escalate are pages; an update rewrites what those who were told have before them, an
/// acknowledgement says that somebody has taken it on: neither wakes anybody.
enum class NoticeKind : std::uint8_t { fire, escalate, update, acknowledge, resolve };
std::string_view to_string(NoticeKind k);
Result<NoticeKind> parse_notice_kind(std::string_view text);
/// Whether somebody must act on it: a fire or an escalation.
[[nodiscard]] bool calls_for_action(NoticeKind k);

/// incident -> routing: something people must hear about an incident, with the incident as it stood then.
struct Notice {
  NoticeKind kind = NoticeKind::fire;
  Incident incident;
  std::string why{};  ///< for people: what is new, or why they hear of it again; "" when there is nothing to say
  std::vector<std::string> first_steps{};  ///< what the decision tree says, a line each
  std::string readiness{};                 ///< how ready the root's service is to be recovered; "" when nobody asks
  friend bool operator==(const Notice&, const Notice&) = default;
};

/// A line of the incident log: every decision with its reason (`wardctl explain`).
struct Decision {
  Time at;
  std::string incident;  ///< "" when none was opened
  std::string alert;     ///< alert_id
  std::string what;      ///< "opened", "attached", "held", "resolved"...
  std::string why;       ///< one plain sentence
  friend bool operator==(const Decision&, const Decision&) = default;
};

/// routing -> outbox: one message to one receiver. `key` is unique in the outbox and sent as Idempotency-Key.
struct Delivery {
  std::string key;  ///< hash of (incident, kind, class, receiver), and of the cause where it can change
  std::string incident;
  NoticeKind kind = NoticeKind::fire;
  std::string receiver;  ///< name in the configuration
  std::string body;      ///< the notice as JSON (collector/event/json.hpp); the channel words it when it goes out
  Time created_at;
  friend bool operator==(const Delivery&, const Delivery&) = default;
};

}  // namespace ward::collector
