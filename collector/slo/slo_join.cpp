// The second half of SloDocuments: documents that name each other become SLOs.
#include <algorithm>
#include <set>
#include <utility>

#include "collector/slo/slo_document.hpp"
#include "common/base/duration.hpp"
#include "common/config/suggest.hpp"

namespace ward::collector::slo {
namespace {

template <class Map>
std::string fix_for(const std::string& name, const Map& known, const std::string& kind) {
  std::vector<std::string> names;
  for (const auto& [key, value] : known) names.push_back(key);
  const auto near = config::closest(name, names);
  return near ? "Did you mean '" + *near + "'?" : "Add a document of kind " + kind + " with this name, or correct it.";
}

}  // namespace

SloSet SloDocuments::finish(config::Problems& problems, config::Problems& warnings) {
  SloSet set;
  for (auto& draft : drafts_) join(draft, set, problems, warnings);
  std::sort(set.slos.begin(), set.slos.end(), [](const SloSpec& a, const SloSpec& b) { return a.name < b.name; });
  set.services = services_;
  check_paths(set, problems);
  return set;
}

bool SloDocuments::join_indicator(const IndicatorUse& use, const Draft& draft, SloSpec& spec, config::Problems& problems) {
  if (use.written) {
    spec.indicator = *use.written;
  } else {
    const auto known = indicators_.find(use.ref);
    if (known == indicators_.end()) {
      problems.add(use.at, "there is no SLI '" + use.ref + "'", fix_for(use.ref, indicators_, "SLI"));
      return false;
    }
    spec.indicator = known->second;
  }
  if (draft.up && !spec.indicator.sources.empty()) spec.indicator.sources.push_back(*draft.up);
  return true;
}

void SloDocuments::join(Draft& draft, SloSet& into, config::Problems& problems, config::Problems& warnings) {
  const auto own_indicators = std::count_if(draft.objectives.begin(), draft.objectives.end(),
                                            [](const Objective& o) { return o.indicator.given(); });
  join_burn(draft, draft.spec, problems, warnings);
  if (!draft.composite.empty() || own_indicators > 0) return join_path(draft, draft.spec, into, problems);
  if (!draft.indicator.given()) {
    problems.add(draft.at, "SLO '" + draft.spec.name + "' has no indicator",
                 "Add 'indicator', 'indicatorRef', or for a path the annotation ward.io/composite.");
    return;
  }
  std::set<std::string> names;
  for (const auto& objective : draft.objectives) {
    auto spec = draft.spec;
    if (draft.objectives.size() > 1) spec.name += "/" + objective.name;
    if (!names.insert(spec.name).second || (draft.objectives.size() > 1 && objective.name.empty()))
      problems.add(objective.at, "several objectives need a name each", "Give each a 'displayName' of its own.");
    if (!join_indicator(objective.indicator.given() ? objective.indicator : draft.indicator, draft, spec, problems))
      continue;
    const bool threshold = std::any_of(spec.indicator.sources.begin(), spec.indicator.sources.end(),
                                       [](const SliSource& s) { return s.role == SliRole::threshold; });
    if (threshold != objective.op.has_value())
      problems.add(objective.at,
                   threshold ? "a thresholdMetric is compared with nothing"
                             : "'op' and 'value' are for a thresholdMetric, and the indicator is a ratio",
                   threshold ? "Add 'op: lte' and 'value' to the objective." : "Remove them.");
    spec.indicator.op = objective.op.value_or(Comparison::lte);
    spec.indicator.limit = objective.value;
    spec.target = objective.target;
    spec.slice_target = objective.slice_target;
    spec.slice = objective.slice;
    for (const auto& pair : spec.burn)
      if (pair.factor * (1 - spec.target) >= 1)
        warnings.add(objective.at,
                     "SLO '" + spec.name + "': its window pair of " + format_duration(pair.long_window) +
                         " can never burn, because with this target even 100% bad events stay below its limit",
                     "Raise the target or lower the pair's budget.");
    into.slos.push_back(std::move(spec));
  }
}

void SloDocuments::join_path(const Draft& draft, SloSpec spec, SloSet& into, config::Problems& problems) {
  if (draft.indicator.given())
    problems.add(draft.indicator.at, "a composite SLO has parts instead of an indicator", "Remove the indicator.");
  spec.target = draft.objectives.empty() ? 0.99 : draft.objectives.front().target;
  if (!draft.composite.empty()) {
    if (draft.objectives.size() != 1)
      problems.add(draft.at, "a path (ward.io/composite) has exactly one objective", "Leave one of them.");
    for (const auto& name : draft.composite) spec.components.push_back({name, 1});
    into.slos.push_back(std::move(spec));
    return;
  }
  // OpenSLO's composite: each objective brings its own indicator and a weight. The strictest target is the whole's.
  spec.composition = Composition::weighted;
  std::size_t number = 0;
  for (const auto& objective : draft.objectives) {
    auto part = draft.spec;
    part.name += "/" + (objective.name.empty() ? std::to_string(++number) : objective.name);
    part.burn.clear();
    part.freeze = false;
    spec.target = std::max(spec.target, objective.target);
    if (!objective.indicator.given()) {
      problems.add(objective.at, "some objectives of this SLO have an indicator and this one has none",
                   "Give each one its own.");
      continue;
    }
    if (!join_indicator(objective.indicator, draft, part, problems)) continue;
    part.indicator.op = objective.op.value_or(Comparison::lte);
    part.indicator.limit = objective.value;
    part.target = objective.target;
    part.slice_target = objective.slice_target;
    part.slice = objective.slice;
    spec.components.push_back({part.name, objective.weight});
    into.slos.push_back(std::move(part));
  }
  into.slos.push_back(std::move(spec));
}

void SloDocuments::join_burn(const Draft& draft, SloSpec& spec, config::Problems& problems, config::Problems& warnings) {
  std::vector<BurnCondition> pairs;
  const auto use = [&](const BurnPolicySpec& policy) {
    pairs.insert(pairs.end(), policy.windows.begin(), policy.windows.end());
    for (const auto& name : policy.condition_names) {
      const auto known = conditions_.find(name);
      if (known == conditions_.end())
        problems.add(policy.at, "there is no AlertCondition '" + name + "'", fix_for(name, conditions_, "AlertCondition"));
      else
        pairs.push_back(known->second);
    }
  };
  for (std::size_t i = 0; i < draft.policy_names.size(); ++i) {
    const auto known = policies_.find(draft.policy_names[i]);
    if (known == policies_.end())
      problems.add(draft.policy_places[i], "there is no BurnPolicy or AlertPolicy '" + draft.policy_names[i] + "'",
                   fix_for(draft.policy_names[i], policies_, "BurnPolicy"));
    else
      use(known->second);
  }
  for (const auto& policy : draft.policies) use(policy);
  const auto period = nominal_length(spec.period);
  for (const auto& pair : pairs) {
    if (pair.long_window > period) {
      problems.add(pair.at,
                   "the long window of " + format_duration(pair.long_window) + " is longer than the period of SLO '" +
                       spec.name + "'",
                   "Use windows up to " + format_period(spec.period) + ".");
      continue;
    }
    if (pair.short_window < draft.scrape_interval * 4)
      warnings.add(pair.at,
                   "the short window of " + format_duration(pair.short_window) +
                       " is shorter than four scrape intervals of SLO '" + spec.name + "' (" +
                       format_duration(draft.scrape_interval) + ")",
                   "Lengthen it, or scrape more often.");
    const auto ratio = static_cast<double>(milliseconds{period}.count()) / static_cast<double>(pair.long_window.count());
    const auto factor = pair.budget ? *pair.budget * ratio : pair.factor;
    spec.burn.push_back({pair.long_window, pair.short_window, factor, pair.cls, pair.after});
  }
}

void SloDocuments::check_paths(SloSet& set, config::Problems& problems) {
  const auto find = [&](const std::string& name) {
    return std::find_if(set.slos.begin(), set.slos.end(), [&](const SloSpec& s) { return s.name == name; });
  };
  for (const auto& slo : set.slos) {
    const auto place = places_.find(slo.name);
    const auto at = place == places_.end() ? config::Position{} : place->second;
    std::map<std::string, bool> all;
    for (const auto& other : set.slos) all[other.name] = true;
    for (const auto& part : slo.components) {
      const auto known = find(part.slo);
      if (known == set.slos.end()) {
        problems.add(at, "the path of SLO '" + slo.name + "' names SLO '" + part.slo + "', which does not exist",
                     fix_for(part.slo, all, "SLO"));
      } else if (!known->components.empty()) {
        problems.add(at, "SLO '" + part.slo + "' in the path of '" + slo.name + "' is a path itself",
                     "Name its parts instead.");
      } else if (slo.composition == Composition::all && slo.target > known->target) {
        problems.add(at,
                     "SLO '" + slo.name + "' promises more than its part '" + part.slo +
                         "' does: no path is better than its weakest part",
                     "Lower its target, or raise that of '" + part.slo + "'.");
      }
    }
  }
}

}  // namespace ward::collector::slo
