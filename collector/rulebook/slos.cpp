#include "collector/rulebook/slos.hpp"

#include <algorithm>

#include "collector/routing/maintenance.hpp"
#include "collector/rulebook/overrides.hpp"
#include "collector/rulebook/rulebook.hpp"

namespace ward::collector {
namespace {

bool guards_patients(const slo::SloSpec& spec, const ServiceMap& services) {
  const auto* workflow = services.workflow(spec.workflow);
  return workflow != nullptr && workflow->criticality == kPatientSafety;
}

void apply(slo::SloSpec& spec, const SloOverride& wanted, const ServiceMap& services, config::Problems& problems) {
  if (wanted.target <= 0 || wanted.target >= 1) {
    problems.add(wanted.at, "the target of '" + wanted.slo + "' for tenant '" + wanted.tenant + "' is not between 0 and 1",
                 "Write the good share, for example 'target: 0.9995'.");
  } else if (wanted.target < spec.target && guards_patients(spec, services)) {
    problems.add(wanted.at,
                 "tenant '" + wanted.tenant + "' would ask less of the patient-safety workflow '" + spec.workflow +
                     "': the target of '" + wanted.slo + "' is lower here",
                 "Set a target at least as high as the SLO's own.");
  } else if (!spec.tenant_targets.emplace(wanted.tenant, wanted.target).second) {
    problems.add(wanted.at, "tenant '" + wanted.tenant + "' overrides the target of '" + wanted.slo + "' twice",
                 "Keep one of the two.");
  }
}

}  // namespace

void apply_slo_overrides(slo::SloSet& set, std::span<const SloOverride> overrides, const ServiceMap& services,
                         config::Problems& problems) {
  for (auto& spec : set.slos)
    if (const auto* service = services.find(spec.service); service != nullptr && !spec.alert_labels.has("owner"))
      spec.alert_labels.set("owner", service->owner);
  for (const auto& wanted : overrides) {
    const auto spec =
        std::find_if(set.slos.begin(), set.slos.end(), [&](const slo::SloSpec& s) { return s.name == wanted.slo; });
    if (spec == set.slos.end())
      problems.add(wanted.at, "tenant '" + wanted.tenant + "' overrides the SLO '" + wanted.slo + "', which does not exist",
                   "Name an SLO of the loaded rule files.");
    else
      apply(*spec, wanted, services, problems);
  }
}

bool is_excluded(const Rulebook& book, const std::string& service, Time at) {
  const auto needs = [&](const std::string& who, const std::string& on) { return book.services.needs(who, on); };
  const auto* window = in_maintenance(book.routing.maintenance, needs, service, at);
  return window != nullptr && window->slo == Maintenance::Slo::exclude;
}

}  // namespace ward::collector
