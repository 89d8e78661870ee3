#include "collector/rulebook/overrides.hpp"

#include <algorithm>

#include "collector/promql/parser.hpp"
#include "collector/promql/rewrite.hpp"

namespace ward::collector {
namespace {

/// The patient-safety workflow of the tenant that cannot work without the service; null without one. A tenant of whom the
/// map says nothing may use all.
const Workflow* safety_over(const ServiceMap& services, std::string_view tenant, const std::string& service) {
  const auto* known = services.tenant(tenant);
  for (const auto& name : services.workflows_over(service)) {
    const auto* workflow = services.workflow(name);
    const bool used = known == nullptr || known->workflows.empty() ||
                      std::find(known->workflows.begin(), known->workflows.end(), name) != known->workflows.end();
    if (used && workflow->criticality == kPatientSafety) return workflow;
  }
  return nullptr;
}

std::string label_of(const Rule& rule, std::string_view name) {
  for (const auto& [label, text] : rule.labels)
    if (label == name) return text.text();
  return {};
}

class Applying {
 public:
  Applying(const ServiceMap& services, const ExpressionCompiler& compiler, config::Problems& problems)
      : services_(services), compiler_(compiler), problems_(problems) {}

  void run(Rule& rule, const AlertOverride& wanted) {
    const auto same = [&](const TenantException& e) { return e.tenant == wanted.tenant; };
    if (std::any_of(rule.exceptions.begin(), rule.exceptions.end(), same)) {
      problems_.add(wanted.at, "tenant '" + wanted.tenant + "' overrides " + rule.name + " twice", "Keep one of the two.");
      return;
    }
    if (!is_allowed(rule, wanted)) return;
    TenantException exception{.tenant = wanted.tenant, .enabled = wanted.enabled, .hold = wanted.hold, .cls = wanted.cls};
    if (wanted.threshold && !set_threshold(rule, wanted, exception)) return;
    rule.exceptions.push_back(std::move(exception));
  }

 private:
  bool is_allowed(const Rule& rule, const AlertOverride& wanted) {
    const bool lowered = !wanted.enabled || (wanted.cls && *wanted.cls < rule.cls);
    if (!lowered) return true;
    const auto* workflow = safety_over(services_, wanted.tenant, label_of(rule, "service"));
    if (workflow == nullptr) return true;
    problems_.add(wanted.at,
                  "tenant '" + wanted.tenant + "' would watch the patient-safety workflow '" + workflow->name +
                      "' less: " + rule.name + " is " + (wanted.enabled ? "of a lower class" : "disabled") + " here",
                  "Remove 'enabled: false' or 'class', or take the tenant's workflow out of patient-safety first.");
    return false;
  }

  bool set_threshold(const Rule& rule, const AlertOverride& wanted, TenantException& exception) {
    const auto expr = promql::parse(rule.expr);
    const auto changed = expr ? promql::with_limit(*expr, *wanted.threshold) : Result<promql::Expr>{fail(expr.error())};
    if (!changed) {
      problems_.add(wanted.at, rule.name + " has no threshold to override: " + changed.error().what, changed.error().fix);
      return false;
    }
    auto compiled = compiler_.compile(promql::to_string(*changed));
    if (!compiled) {
      problems_.add(wanted.at, compiled.error().what, compiled.error().fix);
      return false;
    }
    exception.expression = std::move(*compiled);
    return true;
  }

  const ServiceMap& services_;
  const ExpressionCompiler& compiler_;
  config::Problems& problems_;
};

}  // namespace

void apply_overrides(RuleSet& rules, std::span<const AlertOverride> overrides, const ServiceMap& services,
                     const ExpressionCompiler& compiler, config::Problems& problems) {
  Applying applying(services, compiler, problems);
  for (const auto& wanted : overrides) {
    if (services.tenants() > 0 && services.tenant(wanted.tenant) == nullptr)
      problems.add(wanted.at, "tenant '" + wanted.tenant + "' is not in the service map",
                   "Add it under tenants, or mend its name.");
    bool found = false;
    for (auto& group : rules.groups)
      for (auto& rule : group.rules) {
        if (rule.kind != Rule::Kind::alert || rule.name != wanted.alert) continue;
        found = true;
        applying.run(rule, wanted);
      }
    if (!found)
      problems.add(wanted.at,
                   "tenant '" + wanted.tenant + "' overrides the alert '" + wanted.alert + "', which does not exist",
                   "Name an alert of the loaded rule files.");
  }
}

}  // namespace ward::collector
