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

/// A text as far as it is known before there are series.
struct Said {
  std::string key;  ///< where it is written: "annotation \"decision_tree\""
  bool given = false;
  std::string text;  ///< "" too for a template
};

/// What may wake somebody, a rule or the burning of an SLO, with all that it names.
struct Waker {
  std::string place;
  AlertClass cls = AlertClass::informational;
  /// Refused for what it lacks, and not only warned of: rules are Ward's, OpenSLO documents come from everywhere.
  bool whole = true;
  Said service, workflow, owner, tree, escalation;
  std::optional<Said> runbook;  ///< of an SLO; rules' own are looked into where rules are read
  std::string file;
};

Waker waker_of(const Rule& rule) {
  const auto said = [](const auto& pairs, const std::string& kind, const std::string& name) {
    return Said{kind + " \"" + name + "\"", has(pairs, name), fixed_text(pairs, name)};
  };
  return {.place = rule.place,
          .cls = rule.cls,
          .whole = true,
          .service = said(rule.labels, "label", "service"),
          .workflow = said(rule.labels, "label", "workflow"),
          .owner = said(rule.labels, "label", "owner"),
          .tree = said(rule.annotations, "annotation", "decision_tree"),
          .escalation = said(rule.annotations, "annotation", "escalation"),
          .runbook = std::nullopt,
          .file = {}};
}

Waker waker_of(const slo::SloSpec& spec) {
  const auto said = [](const std::string& key, std::string_view text) {
    return Said{key, !text.empty(), std::string(text)};
  };
  return {.place = spec.origin + ": SLO \"" + spec.name + "\": ",
          .cls = spec.gravest(),
          .whole = false,
          .service = said("service", spec.service),
          .workflow = said("ward.io/workflow", spec.workflow),
          .owner = said("ward.io/owner", spec.alert_labels.get("owner")),
          .tree = said("ward.io/decision-tree", spec.alert_annotations.get("decision_tree")),
          .escalation = said("ward.io/escalation", spec.alert_annotations.get("escalation")),
          .runbook = said("ward.io/runbook", spec.alert_annotations.get("runbook_url")),
          .file = spec.file()};
}

class References {
 public:
  References(const Rulebook& book, const ReadFile& read, std::vector<RuleProblem>& errors,
             std::vector<RuleProblem>& warnings)
      : book_(book),
        read_(read),
        errors_(errors),
        warnings_(warnings),
        services_(book.services.names()),
        fallbacks_(book.routing.fallbacks()) {
    for (const auto& [name, tree] : book.trees) trees_.push_back(name);
    for (const auto& [name, plan] : book.routing.escalations) escalations_.push_back(name);
  }

  void check(const Waker& waker) {
    waker_ = &waker;
    strict_ = waker.cls >= AlertClass::urgent;
    const auto& service = waker.service.text;
    const auto* known = service.empty() ? nullptr : book_.services.find(service);
    if (!service.empty() && known == nullptr && !book_.services.empty())
      add("W040 unknown-service",
          waker.service.key + ": \"" + service + "\" is not in the service map" + meant(service, services_));
    workflow(waker.workflow);
    if (strict_ && !waker.owner.given && known == nullptr)
      lacks("W017 missing-owner", waker.owner.key + ", or a service whose owner the service map names");
    if (waker.runbook) runbook(*waker.runbook);
    decision_tree(waker.tree);
    escalation(waker.escalation, waker.owner.text.empty() && known != nullptr ? known->owner : waker.owner.text);
  }

 private:
  void workflow(const Said& said) {
    if (said.text.empty() || book_.services.empty() || book_.services.workflow(said.text) != nullptr) return;
    add("W041 unknown-workflow", said.key + ": \"" + said.text + "\" is not in the service map");
  }

  void runbook(const Said& said) {
    if (!strict_) return;
    if (!said.given)
      lacks("W012 missing-runbook", said.key);
    else if (const auto flaw = runbook_flaw(said.text, waker_->file, read_))
      add("W013 dead-runbook", said.key + " " + *flaw);
  }

  void decision_tree(const Said& said) {
    if (!said.text.empty() && !book_.trees.contains(said.text))
      add("W045 unknown-decision-tree",
          said.key + ": no Operations document has a tree \"" + said.text + "\"" + meant(said.text, trees_));
    if (strict_ && !said.given) lacks("W044 missing-decision-tree", said.key);
  }

  /// One of its own, or its owner's: someone must hear of a page that nobody acknowledges.
  void escalation(const Said& said, const std::string& owner) {
    const auto& routing = book_.routing;
    if (!said.text.empty() && !routing.escalations.contains(said.text))
      add("W043 unknown-escalation",
          said.key + ": no Operations document has an escalation \"" + said.text + "\"" + meant(said.text, escalations_));
    // Without any owner it is not known here who is told, as when a file is checked by itself.
    if (!strict_ || said.given || routing.owners.empty() || routing.route) return;
    const auto route = routing.owners.find(owner);
    if (route == routing.owners.end() || routing.class_escalations.contains(waker_->cls)) return;
    const auto& receiver = route->second.receiver;
    const bool is_last = receiver == routing.fallback_receiver;  // behind it there is nobody, and that is no rule's fault
    if (!is_last && !fallbacks_.contains(receiver) && !routing.schedules.contains(receiver))
      lacks("W042 missing-escalation",
            said.key + ", or a fallback of its owner \"" + owner + "\", so that somebody hears when nobody answers");
  }

  void lacks(std::string code, const std::string& what) {
    (waker_->whole ? errors_ : warnings_)
        .push_back({std::move(code), waker_->place + "class " + std::string(to_string(waker_->cls)) + " needs " + what});
  }

  void add(std::string code, const std::string& text) {
    (strict_ ? errors_ : warnings_).push_back({std::move(code), waker_->place + text});
  }

  const Rulebook& book_;
  const ReadFile& read_;
  std::vector<RuleProblem>& errors_;
  std::vector<RuleProblem>& warnings_;
  std::vector<std::string> services_;
  std::vector<std::string> trees_;
  std::vector<std::string> escalations_;
  std::map<std::string, std::string> fallbacks_;
  const Waker* waker_ = nullptr;
  bool strict_ = false;
};

}  // namespace

void check_references(const Rulebook& book, const ReadFile& read, std::vector<RuleProblem>& errors,
                      std::vector<RuleProblem>& warnings) {
  References references(book, read, errors, warnings);
  for (const auto& group : book.rules->groups)
    for (const auto& rule : group.rules)
      if (rule.kind == Rule::Kind::alert) references.check(waker_of(rule));
  for (const auto& spec : book.slos.slos) references.check(waker_of(spec));
}

}  // namespace ward::collector
