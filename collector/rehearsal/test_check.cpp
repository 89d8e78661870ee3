#include "collector/rehearsal/test_check.hpp"

#include <algorithm>
#include <filesystem>

#include "collector/rehearsal/test_file.hpp"
#include "collector/rulebook/pack.hpp"
#include "common/base/parse.hpp"
#include "common/config/suggest.hpp"

namespace ward::collector {
namespace {

std::string place_of(const std::string& file) { return std::filesystem::absolute(file).lexically_normal().string(); }

std::string kind_of(const config::Node& document) {
  for (const auto& [key, value] : document.entries())
    if (key == "kind") return value.scalar();
  return {};
}

class Checker {
 public:
  Checker(std::span<const std::string> rule_files, const Rulebook* book, const ExpressionCompiler& compiler,
          const ReadFile& read)
      : book_(book), compiler_(compiler), read_(read) {
    for (const auto& file : rule_files) loaded_.insert(place_of(file));
    if (book_ != nullptr) name_alerts();
  }

  void rule_file(const std::string& file) {
    const auto text = read_(file);
    if (!text) return;  // told by whoever loads the rules
    const auto documents = config::parse_yaml(*text, file);
    if (!documents) return;
    bool has_tests = false;
    for (const auto& document : *documents) {
      has_tests = has_tests || kind_of(document) == "Test";
      if (kind_of(document) == "Pack") pack(document);
    }
    if (has_tests) tests(*text, file);
  }

  TestCheck result() && {
    if (book_ != nullptr) cover();
    return std::move(out_);
  }

 private:
  void name_alerts() {
    alerts_ = {std::string(slo::kNoDataAlert), std::string(slo::kSpentAlert)};
    for (const auto& group : book_->rules->groups)
      for (const auto& rule : group.rules)
        if (rule.kind == Rule::Kind::alert) alerts_.insert(rule.name);
    for (const auto& spec : book_->slos.slos) alerts_.insert(spec.name);
  }

  void pack(const config::Node& document) {
    config::Problems ignored;  // told by whoever loads the rules
    config::Section section(document, "", ignored);
    const auto pack = read_pack(section);
    for (const auto& path : pack.tests) {
      const auto file = beside_pack(pack, path);
      if (const auto text = read_(file)) tests(*text, file);
    }
  }

  void tests(const std::string& text, const std::string& file) {
    if (!seen_.insert(place_of(file)).second) return;
    const auto parsed = parse_test_file(text, file);
    if (!parsed) {
      std::string_view lines = parsed.error().what;
      for (std::string_view line; next_line(lines, line);) out_.errors.push_back({"W035 bad-test", std::string(line)});
      return;
    }
    for (const auto& warning : parsed->warnings) out_.warnings.push_back({"W035 bad-test", warning});
    for (const auto& plan : parsed->plans) check(plan);
  }

  void check(const TestPlan& plan) {
    out_.tests += plan.groups.size();
    // Of rules that are not loaded here it is not known what they are called.
    const auto files = rule_paths(plan.rule_files);
    const bool known = book_ != nullptr && std::all_of(files.begin(), files.end(), [&](const std::string& file) {
                         return loaded_.contains(place_of(file));
                       });
    for (const auto& group : plan.groups) {
      for (const auto& test : group.query_cases) query(test);
      if (known) names(group);
      expect(group);
    }
  }

  void query(const QueryCase& test) {
    const auto compiled = compiler_.compile(test.expr);
    if (!compiled)
      out_.errors.push_back({"W035 bad-test", to_string(test.at) + ": expr '" + test.expr + "': " + compiled.error().what});
  }

  void names(const TestGroup& group) {
    auto alerts = alerts_;
    for (const auto& alert : group.alerts) alerts.emplace(alert.labels.get("alertname"));
    const auto look = [&](const config::Position& at, const std::string& key, const std::string& name) {
      if (alerts.contains(name)) return;
      const std::vector<std::string> all(alerts.begin(), alerts.end());
      const auto near = config::closest(name, all);
      out_.warnings.push_back({"W036 unknown-in-test", to_string(at) + ": " + key + " is '" + name +
                                                           "', but no rule, SLO or input_alert is named so" +
                                                           (near ? "; did you mean '" + *near + "'?" : "")});
    };
    for (const auto& test : group.alert_cases) look(test.at, "alertname", test.alertname);
    for (const auto& test : group.notification_cases)
      for (const auto& expected : test.expected) {
        if (expected.root) look(expected.at, "root", *expected.root);
        for (const auto& name : expected.absorbs.value_or(std::vector<std::string>{})) look(expected.at, "absorbs", name);
      }
  }

  void expect(const TestGroup& group) {
    for (const auto& test : group.alert_cases)
      if (!test.expected.empty()) expected_.insert(test.alertname);
    for (const auto& test : group.query_cases) {
      if (!asks_what_fires(test.expr)) continue;
      for (const auto& sample : test.expected) expected_.emplace(sample.labels.get("alertname"));
    }
    for (const auto& test : group.notification_cases)
      for (const auto& one : test.expected) {
        if (one.root) expected_.insert(*one.root);
        if (one.absorbs) expected_.insert(one.absorbs->begin(), one.absorbs->end());
      }
  }

  void cover() {
    const auto add = [this](CoveredRule rule) {
      if (rule.cls < AlertClass::urgent) return;
      rule.fired = expected_.contains(rule.rule);
      out_.urgent.push_back(std::move(rule));
    };
    for (const auto& group : book_->rules->groups)
      for (const auto& rule : group.rules)
        if (rule.kind == Rule::Kind::alert)
          add({.file = group.file, .group = group.name, .rule = rule.name, .cls = rule.cls});
    for (const auto& spec : book_->slos.slos)
      add({.file = spec.file(),
           .group = "",
           .rule = spec.name,
           .cls = spec.gravest(),
           .fired = false,
           .kind = CoveredRule::Kind::slo});
  }

  const Rulebook* book_;
  const ExpressionCompiler& compiler_;
  const ReadFile& read_;
  std::set<std::string> loaded_;    // rule files
  std::set<std::string> seen_;      // test files
  std::set<std::string> alerts_;    // that rules and SLOs make
  std::set<std::string> expected_;  // that tests expect to fire
  TestCheck out_;
};

}  // namespace

TestCheck check_tests(std::span<const std::string> rule_files, const Rulebook* book, const ExpressionCompiler& compiler,
                      const ReadFile& read) {
  Checker checker(rule_files, book, compiler, read);
  for (const auto& file : rule_files) checker.rule_file(file);
  return std::move(checker).result();
}

}  // namespace ward::collector
