#include "collector/rulebook/pack.hpp"

#include <algorithm>

#include "collector/promql/parser.hpp"

namespace ward::collector {
namespace {

using config::Node;

const Node* find(const Node& mapping, std::string_view key) {
  for (const auto& [name, value] : mapping.entries())
    if (name == key) return &value;
  return nullptr;
}

const std::vector<Node>& items_of(const Node& mapping, std::string_view key) {
  static const std::vector<Node> kNone;
  const auto* list = find(mapping, key);
  return list == nullptr ? kNone : list->items();
}

std::string text_of(const Node& mapping, std::string_view key) {
  const auto* text = find(mapping, key);
  return text == nullptr ? std::string{} : text->scalar();
}

/// Of `{alertname="X", ...}`, as promtool writes the labels of a sample.
void add_alertname(const std::string& labels, std::set<std::string>& names) {
  const auto matchers = promql::parse_selector(labels);
  if (!matchers) return;
  for (const auto& m : *matchers)
    if (m.name() == "alertname") names.insert(m.value());
}

}  // namespace

bool asks_what_fires(const std::string& expr) {
  return expr.find("ALERTS{") != std::string::npos && expr.find("firing") != std::string::npos;
}

std::string beside_pack(const Pack& pack, const std::string& path) {
  const auto slash = pack.file.rfind('/');
  return path.starts_with('/') || slash == std::string::npos ? path : pack.file.substr(0, slash + 1) + path;
}

Pack read_pack(config::Section& document) {
  Pack pack;
  pack.at = document.at();
  pack.file = pack.at.file;
  document.choice("kind", {"Pack"}, 0);
  document.choice("apiVersion", {"ward/v1"}, 0);
  auto metadata = document.child("metadata");
  pack.name = metadata.text("name");
  metadata.close();
  auto spec = document.child("spec");
  pack.tests = spec.texts("tests");
  spec.close();
  document.close();
  return pack;
}

std::set<std::string> alerts_expected(const Node& body) {
  std::set<std::string> names;
  for (const auto& test : items_of(body, "tests")) {
    for (const auto& alert : items_of(test, "alert_rule_test"))
      if (!items_of(alert, "exp_alerts").empty()) names.insert(text_of(alert, "alertname"));
    for (const auto& query : items_of(test, "promql_expr_test"))
      if (asks_what_fires(text_of(query, "expr")))
        for (const auto& sample : items_of(query, "exp_samples")) add_alertname(text_of(sample, "labels"), names);
    for (const auto& notification : items_of(test, "notification_test"))
      for (const auto& expected : items_of(notification, "exp")) {
        names.insert(text_of(expected, "root"));
        for (const auto& absorbed : items_of(expected, "absorbs")) names.insert(absorbed.scalar());
      }
  }
  return names;
}

/// Of a file of promtool, or of the Test documents of a rule file.
static std::set<std::string> expected_in(const std::vector<Node>& documents) {
  auto out = alerts_expected(documents.front());
  for (const auto& document : documents)
    if (const auto* spec = find(document, "spec"); spec != nullptr && text_of(document, "kind") == "Test")
      out.merge(alerts_expected(*spec));
  return out;
}

std::vector<UntestedAlert> untested(const Pack& pack, const RuleSet& rules, const slo::SloSet& slos,
                                    std::set<std::string> tested, const ReadFile& read, config::Problems& problems) {
  for (const auto& path : pack.tests) {
    const auto full = beside_pack(pack, path);
    const auto text = read(full);
    const auto documents = text ? config::parse_yaml(*text, full) : Result<std::vector<Node>>{fail(text.error())};
    if (documents)
      tested.merge(expected_in(*documents));
    else
      problems.add(pack.at, "test file '" + path + "' cannot be read: " + documents.error().what,
                   "Mend it, or remove it from the pack's tests.");
  }
  std::vector<UntestedAlert> out;
  for (const auto& group : rules.groups) {
    if (group.file != pack.file) continue;
    for (const auto& rule : group.rules)
      if (rule.kind == Rule::Kind::alert && rule.cls >= AlertClass::urgent && !tested.contains(rule.name))
        out.push_back({rule.place, rule.name});
  }
  for (const auto& spec : slos.slos)
    if (spec.file() == pack.file && spec.gravest() >= AlertClass::urgent && !tested.contains(spec.name))
      out.push_back({spec.origin + ": SLO \"" + spec.name + "\": ", spec.name});
  return out;
}

}  // namespace ward::collector
