#pragma once
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "collector/event/state.hpp"
#include "collector/review/bad_time.hpp"
#include "collector/review/story.hpp"
#include "collector/review/surroundings.hpp"
#include "common/timezone/timezone.hpp"

/// The monthly review of alerts (facts: rules-and-slo section 7): what was told, whether it was worth it, what was missed.
namespace ward::collector::review {

/// Half and nine tenths of what was measured; nearest rank.
struct Spread {
  std::size_t count = 0;
  milliseconds p50{0};
  milliseconds p90{0};
  friend bool operator==(const Spread&, const Spread&) = default;
};
Spread spread_of(std::vector<milliseconds> values);

/// Figures of a rule, an owner, a tenant, or of all. A page is a message about an urgent or executive incident that calls
/// for action, to its first receiver or a later one; what took over for a receiver that refused is the same page. An
/// incident that was merged into another counts there.
struct AlertFigures {
  std::size_t incidents = 0;
  std::size_t paged = 0;  ///< incidents that paged somebody
  std::size_t pages = 0;
  std::size_t night_pages = 0;  ///< 22:00 to 07:00 where the tenant lives
  double shift_mean = 0;        ///< paged incidents in 12 hours, from 08:00 and 20:00
  std::size_t shift_p95 = 0;
  std::map<VerdictKind, std::size_t> verdicts;
  std::size_t without_verdict = 0;  ///< that are over
  std::size_t precise = 0;          ///< paged, and a service level was bad meanwhile or somebody had to act
  std::size_t imprecise = 0;        ///< paged, and neither; where there is no way to tell it is none of the two
  Spread acknowledged;              ///< from the first page to the first acknowledgement
  std::size_t unacknowledged = 0;   ///< paged, over, and nobody took it on
  std::size_t noise = 0;            ///< paged, and over within 5 minutes without anybody
  std::size_t flaps = 0;            ///< flapped, or began again soon after the end
  std::size_t later_steps = 0;      ///< paged, and went on to another step of its escalation
  std::size_t late_roots = 0;
  std::size_t residual_roots = 0;
  std::size_t merged = 0;      ///< split at first: into another incident later
  std::size_t suppressed = 0;  ///< alerts that came with an incident and did not page
  std::size_t muted = 0;       ///< incidents that were silenced, inhibited or in maintenance, and told nobody
  std::optional<double> pages_per_incident() const;
  std::optional<double> actionability() const;  ///< acted, of all with a verdict
  std::optional<double> precision() const;
  friend bool operator==(const AlertFigures&, const AlertFigures&) = default;
};

/// A bad stretch that was worth at least one percent of the budget and that nobody was paged for.
struct Missed {
  std::string slo;
  Labels group;
  BadStretch stretch;
  friend bool operator==(const Missed&, const Missed&) = default;
};
/// How far pages found what users felt.
struct Detection {
  std::size_t stretches = 0;  ///< worth at least one percent
  std::size_t paged = 0;
  Spread delay;  ///< from the beginning of a stretch to the first page
  Spread reset;  ///< from its end to the end of the incident
  std::vector<Missed> missed;
  std::optional<double> recall() const;
  friend bool operator==(const Detection&, const Detection&) = default;
};

/// A silence as the audit remembers it, for silences themselves are forgotten five days after their end.
struct PastSilence {
  std::string id;
  std::string matchers;  ///< `alertname="X"`
  std::string by;
  Time from;
  Time to;  ///< as it ended in the end
  friend bool operator==(const PastSilence&, const PastSilence&) = default;
};
/// By id. Records that tell of no silence, or of one that was taken back before it began, yield none.
std::vector<PastSilence> silences_of(std::span<const AuditRecord> audit);
struct Hygiene {
  double silence_hours = 0;
  std::vector<PastSilence> long_silences;  ///< longer than 7 days
  std::vector<std::string> never_fired;    ///< in the time the log holds
  milliseconds log_holds{0};
  std::vector<std::string> without_owner;
  std::vector<std::string> without_runbook;
  std::vector<std::string> without_test;  ///< urgent and executive ones
  friend bool operator==(const Hygiene&, const Hygiene&) = default;
};

/// What to do about one rule.
struct Proposal {
  enum class Action : std::uint8_t { keep, tune, remove };
  Action action = Action::keep;
  std::string rule;
  std::string reason;
  std::string change;                  ///< of tune: what to write
  std::optional<milliseconds> hold{};  ///< of tune: `for`, when that is the change; what a backtest can try
  friend bool operator==(const Proposal&, const Proposal&) = default;
};
std::string_view to_string(Proposal::Action action);  ///< "keep", "tune", "delete"

struct AlertReport {
  Time from;
  Time to;  ///< excluded
  AlertFigures all;
  std::map<std::string, AlertFigures> by_rule;  ///< of the root
  std::map<std::string, AlertFigures> by_owner;
  std::map<std::string, AlertFigures> by_tenant;  ///< "" = none
  Detection detection;
  Hygiene hygiene;
  std::vector<Proposal> proposals;  ///< deletes, tunes, keeps
  std::vector<std::string> notes;   ///< what the reader must know to judge the rest
  friend bool operator==(const AlertReport&, const AlertReport&) = default;
};

struct AlertReportInput {
  Time from;
  Time to;  ///< excluded; not after now
  Time now;
  std::vector<IncidentFile> files{};  ///< opened in [from, to)
  std::vector<PastSilence> silences{};
  std::vector<RuleFact> rules{};  ///< alerting ones that are loaded
  std::set<std::string> fired{};  ///< names of all alerts in the log, and of those that fire
  Time log_from{};                ///< the oldest time the log still knows
  std::vector<SloTime> slos{};    ///< of [from, to)
  Surroundings around{};
  std::set<std::string> tested{};  ///< names
  TimeZone zone{};                 ///< of shifts, and of nights where a tenant has none
};
AlertReport review_alerts(const AlertReportInput& input);

}  // namespace ward::collector::review
