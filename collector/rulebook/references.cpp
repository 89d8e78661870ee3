#include "collector/rulebook/references.hpp"

#include "common/config/suggest.hpp"

namespace ward::collector {
namespace {

/// Nothing for what is missing, and for a template, which names another thing with every series.
std::string fixed_text(const std::vector<std::pair<std::string, Template>>& pairs, std::string_view name) {
  for (const auto& [key, text] : pairs)
    if (key == name) return text.text().find("{{") == std::string::npos ? text.text() : std::string{};
  return {};
}

bool has(const std::vector<std::pair<std::string, Template>>& pairs, std::string_view name) {
  for (const auto& [key, text] : pairs)
    if (key == name) return !text.text().empty();
  return false;
}

std::string meant(const std::string& name, const std::vector<std::string>& names) {
  const auto near = config::closest(name, names);
  return near ? "; did you mean \"" + *near + "\"?" : "";
}

class References {
 public:
  References(const Rulebook& book, std::vector<RuleProblem>& errors, std::vector<RuleProblem>& warnings)
      : book_(book),
        errors_(errors),
        warnings_(warnings),
        services_(book.services.names()),
        fallbacks_(book.routing.fallbacks()) {
    for (const auto& [name, tree] : book.trees) trees_.push_back(name);
    for (const auto& [name, plan] : book.routing.escalations) escalations_.push_back(name);
  }

  void check(const Rule& rule) {
    strict_ = rule.cls >= AlertClass::urgent;
    place_ = rule.place;
    cls_ = to_string(rule.cls);
    const auto service = fixed_text(rule.labels, "service");
    const auto* known = service.empty() ? nullptr : book_.services.find(service);
    if (!service.empty() && known == nullptr && !book_.services.empty())
      add("W040 unknown-service",
          "label \"service\": \"" + service + "\" is not in the service map" + meant(service, services_));
    if (strict_ && !has(rule.labels, "owner") && known == nullptr)
      add("W017 missing-owner", "class " + cls_ + " needs label \"owner\", or a service whose owner the service map names");
    decision_tree(rule);
    const auto owner = fixed_text(rule.labels, "owner");
    escalation(rule, owner.empty() && known != nullptr ? known->owner : owner);
  }

 private:
  void decision_tree(const Rule& rule) {
    const auto tree = fixed_text(rule.annotations, "decision_tree");
    if (!tree.empty() && !book_.trees.contains(tree))
      add("W045 unknown-decision-tree",
          "annotation \"decision_tree\": no Operations document has a tree \"" + tree + "\"" + meant(tree, trees_));
    if (strict_ && !has(rule.annotations, "decision_tree"))
      add("W044 missing-decision-tree", "class " + cls_ + " needs annotation \"decision_tree\"");
  }

  /// One of the rule's own, or its owner's: someone must hear of a page that nobody acknowledges.
  void escalation(const Rule& rule, const std::string& owner) {
    const auto name = fixed_text(rule.annotations, "escalation");
    const auto& routing = book_.routing;
    if (!name.empty() && !routing.escalations.contains(name))
      add("W043 unknown-escalation", "annotation \"escalation\": no Operations document has an escalation \"" + name + "\"" +
                                         meant(name, escalations_));
    // Without any owner it is not known here who is told, as when a file is checked by itself.
    if (!strict_ || has(rule.annotations, "escalation") || routing.owners.empty() || routing.route) return;
    const auto route = routing.owners.find(owner);
    if (route == routing.owners.end() || routing.class_escalations.contains(rule.cls)) return;
    const auto& receiver = route->second.receiver;
    const bool is_last = receiver == routing.fallback_receiver;  // behind it there is nobody, and that is no rule's fault
    if (!is_last && !fallbacks_.contains(receiver) && !routing.schedules.contains(receiver))
      add("W042 missing-escalation", "class " + cls_ + " needs annotation \"escalation\", or a fallback of its owner \"" +
                                         owner + "\", so that somebody hears when nobody answers");
  }

  void add(std::string code, const std::string& text) {
    (strict_ ? errors_ : warnings_).push_back({std::move(code), place_ + text});
  }

  const Rulebook& book_;
  std::vector<RuleProblem>& errors_;
  std::vector<RuleProblem>& warnings_;
  std::vector<std::string> services_;
  std::vector<std::string> trees_;
  std::vector<std::string> escalations_;
  std::map<std::string, std::string> fallbacks_;
  bool strict_ = false;
  std::string place_;
  std::string cls_;
};

}  // namespace

void check_references(const Rulebook& book, std::vector<RuleProblem>& errors, std::vector<RuleProblem>& warnings) {
  References references(book, errors, warnings);
  for (const auto& group : book.rules->groups)
    for (const auto& rule : group.rules)
      if (rule.kind == Rule::Kind::alert) references.check(rule);
}

}  // namespace ward::collector
