#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "collector/event/state.hpp"
#include "collector/routing/router.hpp"

/// What the collector's records say about alerts and incidents, in words and in figures: calculation only, no I/O.
namespace ward::collector::review {

/// One line, with the time it is about; epoch: none.
struct StoryLine {
  Time at{};
  std::string text;
  friend bool operator==(const StoryLine&, const StoryLine&) = default;
};
struct StorySection {
  std::string title;
  std::vector<StoryLine> lines;
  friend bool operator==(const StorySection&, const StorySection&) = default;
};
/// Why something paged or did not, for somebody who has just been woken: the answer first, then its reasons.
struct Story {
  std::string headline;
  std::vector<StorySection> sections;
  friend bool operator==(const Story&, const Story&) = default;
};

/// What is known of one incident.
struct IncidentEvidence {
  IncidentFile file;
  std::optional<EscalationRecord> progress{};  ///< of an open one
  std::optional<NextStep> next{};              ///< likewise
};
Story tell_incident(const IncidentEvidence& evidence, Time now);

/// A rule that is loaded.
struct RuleFact {
  std::string name;
  std::string group;
  std::string file;
  milliseconds hold{0};      ///< `for`
  Labels labels{};           ///< as written
  std::string last_error{};  ///< "": its last evaluation went well
  Time last_evaluation{};    ///< epoch: none yet
  bool has_runbook = false;
  std::vector<std::string> off_for{};  ///< tenants
};

/// One alert instance that was asked for.
struct AlertCase {
  AlertEvent alert;                            ///< as it stands, or as an incident remembers it
  bool live = false;                           ///< pending or firing now
  std::vector<Decision> decisions{};           ///< that name it
  std::vector<AlertSilence> silences{};        ///< active ones that cover it
  std::optional<IncidentEvidence> incident{};  ///< the one it is in, or was in last
};
struct AlertEvidence {
  std::string asked;
  std::vector<RuleFact> rules{};    ///< of that name
  std::vector<AlertCase> alerts{};  ///< live ones first
  std::size_t more = 0;             ///< alerts beyond those
  std::vector<std::string> near{};  ///< names that look alike, where nothing is known
};
Story tell_alert(const AlertEvidence& evidence, Time now);

}  // namespace ward::collector::review
