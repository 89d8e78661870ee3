#pragma once
#include <string>

#include "collector/event/incident.hpp"

namespace ward::collector {

struct PageOptions {
  std::string external_url;  ///< of the collector, "https://ward.example"; "" = no link
  std::string runbook_base;  ///< what relative runbook_url annotations are relative to; "" = shown as written
};

/// What a person reads at night (design section 11): what is broken and for whom, since when, how bad, why, what to do,
/// what was held back, the incident's id. One idea a line, plain words, nothing we do not know, at most about 1,200 bytes.
/// Reads the root's annotations summary, description, impact, runbook_url and decision_tree. Times are UTC; `at` is when
/// the notice was made.
std::string page_text(const Notice& notice, Time at, const PageOptions& options);

/// The first line's core: the root's summary, or its alert and place.
std::string headline(const Incident& incident);
/// The root's runbook as a link where it can be one: a relative annotation behind runbook_base.
std::string runbook_url(const Incident& incident, const PageOptions& options);
/// "https://ward.example/api/ward/v1/incidents?id=01JD3M7Q8K2M4N"; "" without external_url.
std::string incident_url(const Incident& incident, const PageOptions& options);

}  // namespace ward::collector
