#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "collector/event/escalation.hpp"
#include "collector/event/incident.hpp"
#include "collector/routing/targets.hpp"
#include "collector/routing/time_interval.hpp"
#include "common/config/node.hpp"

namespace ward::collector {

struct EscalationStep {
  milliseconds after{0};      ///< since the incident was first told, or its cause, owner or class changed
  bool unless_acked = false;  ///< passed over when somebody has acknowledged
  std::string to;             ///< a receiver or an on-call schedule
  ActiveTimes times{};
  friend bool operator==(const EscalationStep&, const EscalationStep&) = default;
};

/// Who is told when. A state of it is an EscalationRecord.
struct EscalationPlan {
  std::string name;                   ///< "" = the owner's receiver or the route tree
  std::vector<EscalationStep> steps;  ///< by `after`
  milliseconds repeat{0};             ///< a page that nobody acknowledges is told again this often; 0 = never
  friend bool operator==(const EscalationPlan&, const EscalationPlan&) = default;
};

using Escalations = std::map<std::string, EscalationPlan, std::less<>>;

/// What is due of a plan, at most: each entry is one message to one receiver or schedule.
struct EscalationDue {
  enum class Why : std::uint8_t { first, step, hour, repeat };
  Why why = Why::first;
  std::string to;
  std::uint32_t step = 0;
  std::uint32_t repeat = 0;
  friend bool operator==(const EscalationDue&, const EscalationDue&) = default;
};

/// Moves the record on to `now` and returns what is due; deterministic, and due only once per step whatever the clock
/// does. After a long absence every step that has passed is due at once, and one repetition.
std::vector<EscalationDue> advance(EscalationRecord& record, const EscalationPlan& plan, Time now);
/// When advance() will change something next; Time::max() when never.
Time next_due(const EscalationRecord& record, const EscalationPlan& plan, Time now);
/// Begins the plan anew at `now`; an acknowledgement stays.
void restart(EscalationRecord& record, Time now);

/// Only urgent and executive incidents page people, and page again.
[[nodiscard]] constexpr bool pages(AlertClass cls) { return cls >= AlertClass::urgent; }

/// Reads `escalations: {NAME: [{after: 10m, unless: acked, to: X}]}`, or `{NAME: {steps: [...], repeat: 30m}}`.
Escalations read_escalations(config::Section& section, const NamedIntervals& intervals, const Targets& targets);

}  // namespace ward::collector
