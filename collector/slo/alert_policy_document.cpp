#include "collector/slo/alert_policy_document.hpp"

#include <algorithm>
#include <utility>

#include "common/base/parse.hpp"

namespace ward::collector::slo {
namespace {

constexpr milliseconds kShortest{std::chrono::minutes{1}};

AlertClass read_class(config::Section& from, std::string_view key, AlertClass fallback) {
  static constexpr AlertClass kClasses[] = {AlertClass::informational, AlertClass::actionable, AlertClass::urgent,
                                            AlertClass::executive};
  return kClasses[from.choice(key, {"informational", "actionable", "urgent", "executive"},
                              static_cast<std::size_t>(fallback))];
}

/// As SLO tools name severities, and as Ward does.
AlertClass class_of_severity(config::Section& spec) {
  const auto severity = spec.text("severity", "ticket");
  if (severity == "page" || severity == "critical") return AlertClass::urgent;
  if (severity == "ticket" || severity == "warning") return AlertClass::actionable;
  if (severity == "info") return AlertClass::informational;
  if (const auto own = parse_class(severity)) return *own;
  spec.problems().add(spec.at("severity"), "the severity is '" + severity + "'",
                      "Use page or ticket, or one of Ward's classes: informational, actionable, urgent, executive.");
  return AlertClass::actionable;
}

void check_pair(const BurnCondition& pair, config::Section& from) {
  if (pair.long_window.count() > 0 && pair.short_window >= pair.long_window)
    from.problems().add(from.at(), "the short window is not shorter than the long one", "Use a twelfth of the long window.");
}

std::optional<BurnCondition> read_condition_use(config::Section& item, BurnPolicySpec& policy) {
  if (item.has("conditionRef")) {
    policy.condition_names.push_back(item.text("conditionRef"));
    item.close();
    return std::nullopt;
  }
  item.choice("kind", {"AlertCondition"}, 0);
  item.text("apiVersion", "");
  auto metadata = item.child("metadata");
  metadata.text("name", "");
  metadata.text("displayName", "");
  metadata.raw("labels");
  auto annotations = metadata.child("annotations");
  if (const auto node = metadata.raw("annotations")) accept_foreign(annotations, *node);
  auto spec = item.child("spec");
  auto pair = read_alert_condition(spec, annotations);
  annotations.close();
  metadata.close();
  item.close();
  return pair;
}

}  // namespace

std::optional<double> parse_share(const std::string& text) {
  std::string_view number = text;
  const bool percent = number.ends_with('%');
  if (percent) number.remove_suffix(1);
  const auto value = to_double(trim(number));
  if (!value) return std::nullopt;
  const auto share = percent ? *value / 100 : *value;
  return share > 0 && share <= 1 ? std::optional{share} : std::nullopt;
}

void accept_foreign(config::Section& annotations, const config::Node& node) {
  if (node.kind() != config::Node::Kind::mapping) return;
  for (const auto& [key, value] : node.entries())
    if (!key.starts_with("ward.io/")) annotations.raw(key);
}

BurnPolicySpec read_burn_policy(config::Section& spec, std::string name) {
  BurnPolicySpec policy;
  policy.name = std::move(name);
  policy.at = spec.at();
  spec.text("description", "");
  for (auto& from : spec.children("windows")) {
    BurnCondition pair;
    pair.at = from.at();
    const bool by_budget = from.has("budget");
    if (by_budget == from.has("factor"))
      from.problems().add(
          from.at(),
          by_budget ? "a window pair has both 'budget' and 'factor'" : "a window pair has neither 'budget' nor 'factor'",
          "Give one: 'budget: 2%' of the error budget, or 'factor: 14.4'.");
    if (by_budget) {
      const auto text = from.text("budget");
      pair.budget = parse_share(text);
      if (!pair.budget)
        from.problems().add(from.at("budget"), "'budget' is '" + text + "', no share of the error budget",
                            "Write it like 2% or 0.02.");
      from.raw("factor");
    } else {
      pair.factor = from.real("factor", 1);
      from.raw("budget");
      if (pair.factor <= 0) from.problems().add(from.at("factor"), "'factor' must be above 0", "Use 14.4, 6, 3 or 1.");
    }
    if (!from.has("long")) from.problems().add(from.at(), "a window pair has no 'long' window", "Add it, like 'long: 1h'.");
    pair.long_window = from.duration("long", std::chrono::hours{1}, kShortest * 2);
    pair.short_window = from.duration("short", std::max(kShortest, pair.long_window / 12), kShortest);
    pair.cls = read_class(from, "class", AlertClass::actionable);
    pair.after = from.duration("after", milliseconds{0});
    check_pair(pair, from);
    from.close();
    policy.windows.push_back(pair);
  }
  if (policy.windows.empty())
    spec.problems().add(spec.at(), "a BurnPolicy without windows tells nothing", "Add spec.windows.");
  spec.close();
  return policy;
}

BurnCondition read_alert_condition(config::Section& spec, config::Section& annotations) {
  BurnCondition pair;
  pair.at = spec.at();
  spec.text("description", "");
  pair.cls = class_of_severity(spec);
  if (annotations.has("ward.io/class")) pair.cls = read_class(annotations, "ward.io/class", pair.cls);
  auto condition = spec.child("condition");
  condition.choice("kind", {"burnrate"}, 0);
  // OpenSLO's newest drafts add the rest; burning is always "more than".
  if (condition.has("op") && condition.choice("op", {"gt", "gte"}, 0) > 1) pair.factor = 0;
  pair.factor = condition.real("threshold", 0);
  if (pair.factor <= 0)
    condition.problems().add(condition.at("threshold"), "the burn rate's 'threshold' must be above 0",
                             "Use 14.4, 6, 3 or 1.");
  if (!condition.has("lookbackWindow"))
    condition.problems().add(condition.at(), "the condition has no 'lookbackWindow'", "Add it, like 'lookbackWindow: 1h'.");
  pair.long_window = condition.duration("lookbackWindow", std::chrono::hours{1}, kShortest * 2);
  pair.after = condition.duration("alertAfter", milliseconds{0});
  condition.close();
  pair.short_window = annotations.duration("ward.io/short-window", std::max(kShortest, pair.long_window / 12), kShortest);
  check_pair(pair, spec);
  spec.close();
  return pair;
}

BurnPolicySpec read_alert_policy(config::Section& spec, std::string name) {
  BurnPolicySpec policy;
  policy.name = std::move(name);
  policy.at = spec.at();
  spec.text("description", "");
  policy.when_no_data = spec.flag("alertWhenNoData", false);
  for (const auto* key : {"alertWhenResolved", "alertWhenBreaching"})
    if (!spec.flag(key, true))
      spec.problems().add(spec.at(key),
                          "'" + std::string(key) + "' is false, but Ward tells the beginning and the end of every burn",
                          "Remove it, and let the route say who hears of it.");
  for (auto& item : spec.children("conditions"))
    if (auto pair = read_condition_use(item, policy)) policy.windows.push_back(*pair);
  // Owners and routes decide who is told.
  spec.raw("notificationTargets");
  if (policy.windows.empty() && policy.condition_names.empty())
    spec.problems().add(spec.at(), "an AlertPolicy without conditions tells nothing", "Add spec.conditions.");
  spec.close();
  return policy;
}

}  // namespace ward::collector::slo
