#include "collector/rulebook/rulebook.hpp"

#include <algorithm>

#include "collector/promql/parser.hpp"
#include "collector/rulebook/baselines.hpp"
#include "collector/rulebook/operations.hpp"
#include "collector/rulebook/overrides.hpp"
#include "collector/rulebook/pack.hpp"
#include "collector/rulebook/references.hpp"
#include "collector/rulebook/route_overrides.hpp"
#include "collector/rulebook/slos.hpp"
#include "collector/slo/slo_document.hpp"

namespace ward::collector {
namespace {

/// Reads the documents beside the groups and joins all of it.
class Reader {
 public:
  Reader(const RuleSet& rules, const ExpressionCompiler& compiler, const RulebookOptions& options, const ReadFile& read,
         RulebookLoad& load)
      : rules_(rules), compiler_(compiler), options_(options), read_(read), load_(load) {}

  void run() {
    auto book = std::make_shared<Rulebook>();
    read_map(*book);
    book->routing = options_.routing;
    for (const auto& document : rules_.others) read(document, *book);
    join(*book);
    check_packs(*book);
    check_references(*book, read_, load_.errors, load_.warnings);
    if (load_.errors.empty()) load_.book = std::move(book);
  }

 private:
  void read_map(Rulebook& book) {
    std::vector<ServiceMapPart> parts;
    config::Problems problems;
    for (const auto& document : rules_.others) {
      if (document.kind != "ServiceMap") continue;
      config::Section section(document.node, "", problems);
      parts.push_back(read_service_map_document(section));
    }
    if (auto map = join_service_map(options_.services, parts, problems)) book.services = std::move(*map);
    tell("W031 bad-service-map", problems);
  }

  void read(const OtherDocument& document, Rulebook& book) {
    if (document.kind == "ServiceMap") return;
    config::Problems problems;
    config::Section section(document.node, "", problems);
    std::string code;
    if (document.kind == "Operations") {
      code = "W032 bad-operations";
      take(read_operations_document(section, checks(document.node.at().file), names_of(book), book.routing), problems);
    } else if (slo::SloDocuments::owns(api_version_of(document.node), document.kind)) {
      code = "W033 bad-slo";
      slo_documents_.read(document.node, problems);
    } else if (document.kind == "Baseline") {
      code = "W037 bad-baseline";
      take(read_baseline_document(section, compiler_), section);
    } else if (document.kind == "Pack") {
      code = "W034 bad-pack";
      packs_.push_back(read_pack(section));
    } else if (document.kind == "Test") {
      // `wardctl test` reads and runs it; here it only counts which alerts it expects.
      if (const auto body = section.raw("spec")) tested_[document.node.at().file].merge(alerts_expected(*body));
    } else {
      code = "W030 unknown-kind";
      problems.add(section.at("kind"), "documents of kind \"" + document.kind + "\" are not known",
                   "Use ServiceMap, Operations, BurnPolicy, Baseline, Pack or Test (apiVersion ward/v1), or OpenSLO's "
                   "(openslo/v1).");
    }
    tell(code, problems);
  }

  void take(RuleGroup baseline, config::Section& section) {
    const bool twice =
        std::any_of(baselines_.begin(), baselines_.end(), [&](const RuleGroup& g) { return g.name == baseline.name; });
    if (twice)
      section.problems().add(section.at(), "there is another Baseline of this name", "Give one of them another name.");
    baselines_.push_back(std::move(baseline));
  }

  OperationsNames names_of(const Rulebook& book) const {
    OperationsNames names{.receivers = options_.receivers, .services = {}};
    if (!book.services.empty()) {
      const auto services = book.services.names();
      names.services.emplace(services.begin(), services.end());
    }
    return names;
  }

  void take(Operations operations, config::Problems& problems) {
    for (const auto& warning : operations.warnings)
      load_.warnings.push_back({"W032 bad-operations", to_string(warning.at) + ": " + warning.what + ". " + warning.fix});
    for (auto& [name, tree] : operations.trees) {
      const auto& place = operations.tree_places.at(name);
      const auto [at, fresh] = tree_places_.emplace(name, place);
      if (!fresh)
        problems.add(place, "decision tree '" + name + "' is defined at " + to_string(at->second) + " too",
                     "Keep one of the two.");
      trees_.emplace(name, std::move(tree));
    }
    for (auto& [service, readiness] : operations.readiness) {
      const auto& place = operations.readiness_places.at(service);
      const auto [at, fresh] = readiness_places_.emplace(service, place);
      if (!fresh)
        problems.add(place, "readiness of '" + service + "' is defined at " + to_string(at->second) + " too",
                     "Keep one of the two.");
      readiness_.emplace(service, std::move(readiness));
    }
    if (operations.correlation) {
      if (correlation_)
        problems.add(operations.correlation_at, "correlation is set at " + to_string(correlation_at_) + " too",
                     "Keep one of the two.");
      correlation_ = operations.correlation;
      correlation_at_ = operations.correlation_at;
    }
    slo_overrides_.insert(slo_overrides_.end(), operations.slo_overrides.begin(), operations.slo_overrides.end());
    owner_overrides_.insert(owner_overrides_.end(), operations.owner_overrides.begin(), operations.owner_overrides.end());
    overrides_.insert(overrides_.end(), operations.overrides.begin(), operations.overrides.end());
  }

  void join(Rulebook& book) {
    book.trees = std::move(trees_);
    book.readiness = std::move(readiness_);
    book.correlation = correlation_.value_or(options_.correlation);
    auto rules = std::make_shared<RuleSet>(rules_);
    // First, so that in a test, where groups are evaluated one after the other, the rest sees what they record.
    rules->groups.insert(rules->groups.begin(), baselines_.begin(), baselines_.end());
    config::Problems in_overrides;
    apply_overrides(*rules, overrides_, book.services, compiler_, in_overrides);
    apply_route_overrides(book.routing, overrides_, owner_overrides_, book.services, options_.receivers, in_overrides);
    join_slos(book, in_overrides);
    tell("W047 bad-override", in_overrides);
    book.rules = std::move(rules);
  }

  void join_slos(Rulebook& book, config::Problems& in_overrides) {
    config::Problems problems, warnings;
    book.slos = slo_documents_.finish(problems, warnings);
    tell("W033 bad-slo", problems);
    for (const auto& warning : warnings.list())
      load_.warnings.push_back({"W033 bad-slo", to_string(warning.at) + ": " + warning.what + ". " + warning.fix});
    apply_slo_overrides(book.slos, slo_overrides_, book.services, in_overrides);
  }

  static std::string api_version_of(const config::Node& document) {
    for (const auto& [name, value] : document.entries())
      if (name == "apiVersion") return value.scalar();
    return {};
  }

  void check_packs(const Rulebook& book) {
    for (const auto& pack : packs_) {
      config::Problems problems;
      for (const auto& alert : untested(pack, *book.rules, book.slos, tested_[pack.file], read_, problems))
        load_.errors.push_back({"W049 untested-urgent", alert.place + "no test of pack \"" + pack.name +
                                                            "\" expects it to fire; add one to " +
                                                            (pack.tests.empty() ? "a Test document" : pack.tests.front())});
      tell("W034 bad-pack", problems);
    }
  }

  TreeChecks checks(const std::string& file) const {
    return {.flaw_of_query = [this](const std::string& query) -> std::optional<std::string> {
              const auto compiled = compiler_.compile(query);
              return compiled ? std::nullopt : std::optional{compiled.error().what};
            },
            .flaw_of_runbook = [this, file](const std::string& runbook) -> std::optional<std::string> {
              if (runbook.find('#') == std::string::npos) return "runbook \"" + runbook + "\" names no heading";
              const auto flaw = runbook_flaw(runbook, file, read_);
              return flaw ? std::optional{"runbook " + *flaw} : std::nullopt;
            }};
  }

  void tell(const std::string& code, const config::Problems& problems) {
    for (const auto& problem : problems.list())
      load_.errors.push_back({code, to_string(problem.at) + ": " + problem.what + ". " + problem.fix});
  }

  const RuleSet& rules_;
  const ExpressionCompiler& compiler_;
  const RulebookOptions& options_;
  const ReadFile& read_;
  RulebookLoad& load_;
  std::vector<RuleGroup> baselines_;
  std::vector<Pack> packs_;
  std::map<std::string, std::set<std::string>> tested_;  ///< alerts that Test documents of a file expect
  std::map<std::string, DecisionTree, std::less<>> trees_;
  std::map<std::string, config::Position, std::less<>> tree_places_;
  std::map<std::string, Readiness, std::less<>> readiness_;
  std::map<std::string, config::Position, std::less<>> readiness_places_;
  std::vector<AlertOverride> overrides_;
  std::vector<OwnerOverride> owner_overrides_;
  slo::SloDocuments slo_documents_;
  std::vector<SloOverride> slo_overrides_;
  std::optional<EngineOptions> correlation_;
  config::Position correlation_at_;
};

RulebookLoad joined(RuleLoad rules, const ExpressionCompiler& compiler, const RulebookOptions& options,
                    const ReadFile& read) {
  RulebookLoad load;
  load.errors = std::move(rules.errors);
  load.warnings = std::move(rules.warnings);
  load.coverage = rules.coverage;
  load.texts = std::move(rules.texts);
  if (rules.rules) Reader(*rules.rules, compiler, options, read, load).run();
  return load;
}

}  // namespace

Error RulebookLoad::to_error() const {
  std::string what;
  for (const auto& problem : errors) what += (what.empty() ? "" : "\n") + to_string(problem);
  return {Errc::invalid, std::move(what), "Mend the rule files."};
}

RulebookLoad load_rulebook(std::span<const std::string> patterns, const ExpressionCompiler& compiler,
                           const RulebookOptions& options) {
  return joined(load_rules(patterns, compiler, options.rules), compiler, options, read_rule_file);
}

RulebookLoad parse_rulebook(std::span<const RuleText> files, const ExpressionCompiler& compiler,
                            const RulebookOptions& options, const ReadFile& read) {
  return joined(parse_rules(files, compiler, options.rules, read), compiler, options, read);
}

}  // namespace ward::collector
