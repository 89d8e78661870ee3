#include "collector/api/rule_facts.hpp"

namespace ward::collector::api {

std::vector<review::RuleFact> alerting_rules(const View& view, const std::optional<std::string>& name) {
  std::vector<review::RuleFact> out;
  for (const auto& group : view.rule_groups())
    for (const auto& rule : group.rules)
      if (rule.alerting && (!name || rule.name == *name))
        out.push_back({.name = rule.name,
                       .group = group.name,
                       .file = group.file,
                       .hold = rule.hold,
                       .labels = rule.labels,
                       .last_error = rule.last_error,
                       .last_evaluation = rule.last_evaluation,
                       .has_runbook = rule.annotations.has("runbook_url"),
                       .off_for = rule.off_for});
  return out;
}

}  // namespace ward::collector::api
