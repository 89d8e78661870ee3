#pragma once
#include <optional>

#include "collector/review/alert_report.hpp"

/// Private to the report: what its files share.
namespace ward::collector::review {

/// One incident, with what the report asks of its file.
struct Reviewed {
  const IncidentFile* file = nullptr;
  std::vector<Time> pages;  ///< oldest first
  std::optional<Time> acknowledged;
  bool muted = false;
  bool flapped = false;
  bool later_step = false;
  std::size_t late_roots = 0;
  std::size_t residual_roots = 0;
  bool acted = false;
  bool related = false;  ///< there is a service level to judge it by
  bool felt = false;     ///< and it was bad meanwhile
  [[nodiscard]] const Incident& incident() const { return file->incident; }
  [[nodiscard]] bool over() const { return incident().phase == IncidentPhase::resolved; }
  [[nodiscard]] bool merged() const { return !incident().merged_into.empty(); }
};
std::vector<Reviewed> read_files(const AlertReportInput& input);
/// Whether an incident can be what a service level suffered from: no label says otherwise, and the service is the same or
/// cannot work without the incident's.
bool relates(const Incident& incident, const SloTime& slo, const Surroundings& around);
/// Whether a stretch and an incident were at the same time; alerts come minutes late and go minutes late.
bool together(const Incident& incident, const BadStretch& stretch, Time now);

Detection detect(const AlertReportInput& input, const std::vector<Reviewed>& reviewed);
Hygiene tidy(const AlertReportInput& input);
std::vector<Proposal> propose(const AlertReportInput& input, const std::vector<Reviewed>& reviewed,
                              const AlertReport& report);

/// A notice that somebody was told of at a later step of the escalation, as the router words it.
bool is_later_step(const Decision& decision);

}  // namespace ward::collector::review
