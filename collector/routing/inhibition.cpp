#include "collector/routing/inhibition.hpp"

#include <algorithm>
#include <tuple>

namespace ward::collector {
namespace {

const Labels& root_labels(const Incident& incident) {
  static const Labels kNone;
  return incident.alerts.empty() ? kNone : incident.alerts.front().labels;
}

bool holds_back(const InhibitRule& rule, const Labels& source, const Labels& target) {
  if (!all_hold(rule.target, target) || !all_hold(rule.source, source)) return false;
  if (all_hold(rule.source, target) && all_hold(rule.target, source)) return false;
  return std::all_of(rule.equal.begin(), rule.equal.end(), [&](const auto& l) { return target.get(l) == source.get(l); });
}

bool holds_back(const std::vector<InhibitRule>& rules, const Incident& source, const Incident& target) {
  return std::any_of(rules.begin(), rules.end(),
                     [&](const InhibitRule& r) { return holds_back(r, root_labels(source), root_labels(target)); });
}

std::vector<LabelCondition> read_conditions(config::Section& rule, const std::string& side) {
  std::vector<LabelCondition> out;
  const auto add = [&](const std::string& key, Result<LabelCondition> one) {
    if (one)
      out.push_back(std::move(*one));
    else
      rule.problems().add(rule.at(key), one.error().what, one.error().fix);
  };
  const auto key = side + "_matchers";
  for (const auto& text : rule.texts(key)) add(key, LabelCondition::parse(text));
  for (auto& [name, value] : rule.text_map(side + "_match"))
    add(side + "_match", LabelCondition::make(name, LabelCondition::Op::equal, value));
  for (auto& [name, value] : rule.text_map(side + "_match_re"))
    add(side + "_match_re", LabelCondition::make(name, LabelCondition::Op::regex, value));
  // Without a condition every incident would match, and silence everything.
  if (out.empty())
    rule.problems().add(rule.at(), "this inhibit rule has no valid " + key,
                        "Add one, for example '" + key + ": [alertname=NodeDown]'.");
  return out;
}

}  // namespace

const Incident* inhibitor(const std::vector<InhibitRule>& rules, const Incident& target, std::span<const Incident> open) {
  // Most incidents are no target: in a storm each need not be held against each.
  const bool is_target =
      std::any_of(rules.begin(), rules.end(), [&](const InhibitRule& r) { return all_hold(r.target, root_labels(target)); });
  if (!is_target) return nullptr;
  for (const auto& source : open) {
    if (source.id == target.id || !holds_back(rules, source, target)) continue;
    const bool target_is_older = std::tie(target.opened_at, target.id) < std::tie(source.opened_at, source.id);
    if (!target_is_older || !holds_back(rules, target, source)) return &source;
  }
  return nullptr;
}

std::vector<InhibitRule> read_inhibit_rules(config::Section& section) {
  std::vector<InhibitRule> out;
  for (auto& rule : section.children("inhibit_rules")) {
    out.push_back({.source = read_conditions(rule, "source"),
                   .target = read_conditions(rule, "target"),
                   .equal = rule.texts("equal")});
    rule.text("name", "");
    rule.close();
  }
  return out;
}

}  // namespace ward::collector
