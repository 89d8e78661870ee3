#include "collector/alerting/rule_file.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include "collector/alerting/rule_metadata.hpp"
#include "common/base/duration.hpp"
#include "common/config/suggest.hpp"

namespace ward::collector {
namespace {

using config::Node;

constexpr std::array<std::string_view, 1> kTopKeys{"groups"};
constexpr std::array<std::string_view, 6> kGroupKeys{"name", "interval", "query_offset", "limit", "labels", "rules"};
constexpr std::array<std::string_view, 7> kRuleKeys{"record", "alert",           "expr",       "labels",
                                                    "for",    "keep_firing_for", "annotations"};

bool is_name(std::string_view text, std::string_view also) {
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text.front())) != 0) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || also.find(c) != std::string_view::npos;
  });
}
bool is_metric_name(std::string_view text) { return is_name(text, ":"); }
bool is_label_name(std::string_view text) { return is_name(text, ""); }

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

const Node* find(const Node& mapping, std::string_view key) {
  for (const auto& [name, value] : mapping.entries())
    if (name == key) return &value;
  return nullptr;
}

std::string base_name(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

class FileReader {
 public:
  FileReader(const RuleText& file, const ExpressionCompiler& compiler, const RuleOptions& options, const ReadFile& read,
             RuleLoad& load, RuleSet& set)
      : file_(file), compiler_(compiler), options_(options), read_(read), load_(load), set_(set) {}

  void run() {
    auto documents = config::parse_yaml(file_.text, file_.file);
    if (!documents) return load_.errors.push_back({"W001 bad-yaml", documents.error().what});
    for (std::size_t i = 0; i < documents->size(); ++i) document((*documents)[i], i);
  }

 private:
  void document(const Node& doc, std::size_t number) {
    if (doc.kind() == Node::Kind::null) return;
    if (!expect(doc, Node::Kind::mapping, "groups of rules (`groups: [...]`)")) return;
    const Node* kind = find(doc, "kind");
    const Node* groups = find(doc, "groups");
    if (kind != nullptr && groups == nullptr) {
      set_.others.push_back({kind->scalar(), doc});
      return;
    }
    if (number > 0) {
      return add(
          "W020 late-groups", doc.at(),
          "groups stand in document " + std::to_string(number + 1) + "; Prometheus reads only the first document of a file");
    }
    keys(doc, kTopKeys, "a rule file");
    if (groups == nullptr || groups->kind() == Node::Kind::null) return;
    if (!expect(*groups, Node::Kind::sequence, "a list of groups")) return;
    for (const auto& item : groups->items())
      if (expect(item, Node::Kind::mapping, "a group of rules")) group(item);
  }

  void group(const Node& node) {
    keys(node, kGroupKeys, "a group");
    RuleGroup group;
    group.file = file_.file;
    group.name = text_of(node, "name");
    if (group.name.empty()) add("W003 missing-group-name", node.at(), "Groupname must not be empty");
    if (!names_.insert(group.name).second)
      add("W004 repeated-group", node.at(), "groupname: " + quoted(group.name) + " is repeated in the same file");
    group_ = group.name;
    const std::string where = "group " + quoted(group.name) + ": ";
    group.interval = duration_of(node, "interval", options_.default_interval, where);
    if (group.interval <= milliseconds{0}) group.interval = options_.default_interval;
    group.query_offset = duration_of(node, "query_offset", options_.default_query_offset, where);
    group.limit = limit_of(node, where);
    const auto shared = pairs_of(node, "labels");
    const Node* rules = find(node, "rules");
    if (rules != nullptr && rules->kind() != Node::Kind::null && expect(*rules, Node::Kind::sequence, "a list of rules")) {
      int number = 0;
      for (const auto& item : rules->items()) {
        ++number;
        if (expect(item, Node::Kind::mapping, "a rule")) rule(item, number, shared, group);
      }
    }
    set_.groups.push_back(std::move(group));
  }

  void rule(const Node& node, int number, const TextPairs& shared, RuleGroup& group) {
    keys(node, kRuleKeys, "a rule");
    Rule rule;
    const std::string record = text_of(node, "record");
    const std::string alert = text_of(node, "alert");
    rule.kind = alert.empty() && !record.empty() ? Rule::Kind::record : Rule::Kind::alert;
    rule.name = alert.empty() ? record : alert;
    rule.expr = text_of(node, "expr");
    where_ = "group " + quoted(group_) + ", rule " + std::to_string(number) + ", " + quoted(rule.name) + ": ";
    rule.generator = base_name(file_.file) + ": group " + quoted(group_) + ", rule " + quoted(rule.name);
    rule.place = to_string(node.at()) + ": " + where_;
    rule.hold = duration_of(node, "for", milliseconds{0}, where_);
    rule.interval = group.interval;
    rule.keep_firing = duration_of(node, "keep_firing_for", milliseconds{0}, where_);

    shape(node, record, alert);
    expression(node, rule);
    TextPairs labels = pairs_of(node, "labels");
    for (const auto& label : shared)
      if (std::none_of(labels.begin(), labels.end(), [&](const auto& own) { return own.first == label.first; }))
        labels.push_back(label);
    const TextPairs annotations = pairs_of(node, "annotations");
    texts(node, rule, labels, annotations);
    identify(node, rule, labels, group);
    if (rule.kind == Rule::Kind::alert) {
      for (const auto& p : check_metadata(labels, annotations, file_.file, read_)) add(p.code, node.at(), where_ + p.text);
      for (const auto& [name, value] : labels)
        if (name == "class") rule.cls = parse_class(value).value_or(AlertClass::actionable);
    }
    group.rules.push_back(std::move(rule));
  }

  /// What a rule must and must not have.
  void shape(const Node& node, const std::string& record, const std::string& alert) {
    if (!record.empty() && !alert.empty())
      add("W005 record-or-alert", at(node, "alert"), where_ + "only one of 'record' and 'alert' must be set");
    if (record.empty() && alert.empty())
      add("W005 record-or-alert", at(node, "record"), where_ + "one of 'record' or 'alert' must be set");
    if (record.empty()) return;
    const auto forbidden = [&](const char* key) {
      const Node* value = find(node, key);
      if (value == nullptr || value->kind() == Node::Kind::null) return;
      add("W009 not-for-recording", at(node, "record"), where_ + "invalid field '" + key + "' in recording rule");
    };
    forbidden("annotations");
    forbidden("for");
    forbidden("keep_firing_for");
    if (!is_metric_name(record))
      add("W008 bad-record-name", at(node, "record"), where_ + "invalid recording rule name: " + record);
  }

  void expression(const Node& node, Rule& rule) {
    if (rule.expr.empty()) return add("W006 missing-expr", at(node, "expr"), where_ + "field 'expr' must be set in rule");
    auto compiled = compiler_.compile(rule.expr);
    if (compiled)
      rule.expression = std::move(*compiled);
    else
      add("W007 bad-expr", at(node, "expr"), where_ + "could not parse expression: " + compiled.error().what);
  }

  void texts(const Node& node, Rule& rule, const TextPairs& labels, const TextPairs& annotations) {
    const bool alert = rule.kind == Rule::Kind::alert;
    const auto parse = [&](const std::string& what, const TextPairs& from, auto& into) {
      // Labels of the whole group have no line in the rule.
      const Node* pairs = find(node, what + "s");
      for (const auto& [name, text] : from) {
        const auto where = pairs == nullptr ? node.at() : at(*pairs, name);
        if (!is_label_name(name) || name == kNameLabel) {
          add("W010 bad-label-name", where, where_ + "invalid " + what + " name: " + name);
          continue;
        }
        // Labels of recording rules are plain text: Prometheus expands templates on alerts only.
        auto parsed = alert ? Template::parse(rule.name, text) : Result<Template>{Template::plain(text)};
        if (!parsed)
          add("W011 bad-template", where, where_ + what + " " + quoted(name) + ": " + parsed.error().what);
        else
          into.emplace_back(name, std::move(*parsed));
      }
    };
    parse("label", labels, rule.labels);
    if (alert) parse("annotation", annotations, rule.annotations);
  }

  void identify(const Node& node, Rule& rule, const TextPairs& labels, const RuleGroup& group) {
    const Labels sorted{std::vector<Label>(labels.begin(), labels.end())};
    // Identities are stored: fingerprints are the same in every release.
    rule.identity = rule.name + "/" + fingerprint(Labels{{"expr", rule.expr}, {"labels", fingerprint(sorted)}});
    const auto same = std::count_if(group.rules.begin(), group.rules.end(), [&](const Rule& earlier) {
      return earlier.identity == rule.identity || earlier.identity.starts_with(rule.identity + "#");
    });
    if (same == 0) return;
    rule.identity += "#" + std::to_string(same + 1);
    load_.warnings.push_back(
        {"W018 duplicate-rule", to_string(node.at()) + ": " + where_ + "the same rule stands in this group already"});
  }

  // Values. A value of the wrong kind is reported and read as absent.

  std::string text_of(const Node& mapping, std::string_view key) {
    const Node* node = find(mapping, key);
    if (node == nullptr || node->kind() == Node::Kind::null) return {};
    return expect(*node, Node::Kind::scalar, "text") ? node->scalar() : std::string{};
  }

  TextPairs pairs_of(const Node& mapping, std::string_view key) {
    TextPairs pairs;
    const Node* node = find(mapping, key);
    if (node == nullptr || node->kind() == Node::Kind::null ||
        !expect(*node, Node::Kind::mapping, "a mapping of names to texts"))
      return pairs;
    for (const auto& [name, value] : node->entries()) {
      if (value.kind() != Node::Kind::null && !expect(value, Node::Kind::scalar, "text")) continue;
      pairs.emplace_back(name, value.kind() == Node::Kind::null ? std::string{} : value.scalar());
    }
    return pairs;
  }

  milliseconds duration_of(const Node& mapping, std::string_view key, milliseconds fallback, const std::string& where) {
    const std::string text = text_of(mapping, key);
    if (text.empty()) return fallback;
    const auto parsed = parse_duration(text);
    if (parsed) return *parsed;
    add("W019 bad-duration", at(mapping, key), where + "not a valid duration string: " + quoted(text));
    return fallback;
  }

  std::size_t limit_of(const Node& mapping, const std::string& where) {
    const std::string text = text_of(mapping, "limit");
    if (text.empty()) return 0;
    const bool digits = text.find_first_not_of("0123456789") == std::string::npos && text.size() < 10;
    if (digits) return static_cast<std::size_t>(std::stoul(text));
    add("W021 bad-limit", at(mapping, "limit"), where + "limit must be a whole number: " + quoted(text));
    return 0;
  }

  bool expect(const Node& node, Node::Kind kind, const std::string& wanted) {
    if (node.kind() == kind) return true;
    std::string seen = "a mapping";
    if (node.kind() == Node::Kind::sequence) seen = "a list";
    if (node.kind() == Node::Kind::null) seen = "nothing";
    if (node.kind() == Node::Kind::scalar) seen = quoted(node.scalar());
    add("W002 unknown-field", node.at(), wanted + " must stand here, not " + seen);
    return false;
  }

  void keys(const Node& node, std::span<const std::string_view> known, const std::string& owner) {
    const std::vector<std::string> candidates(known.begin(), known.end());
    for (const auto& [name, value] : node.entries()) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      const auto meant = config::closest(name, candidates);
      add("W002 unknown-field", node.key_at(name),
          "unknown key " + quoted(name) + " in " + owner + (meant ? "; did you mean " + quoted(*meant) + "?" : ""));
    }
  }

  static config::Position at(const Node& mapping, std::string_view key) {
    const Node* node = find(mapping, key);
    return node == nullptr ? mapping.at() : node->at();
  }
  void add(std::string code, const config::Position& where, const std::string& text) {
    load_.errors.push_back({std::move(code), to_string(where) + ": " + text});
  }

  const RuleText& file_;
  const ExpressionCompiler& compiler_;
  const RuleOptions& options_;
  const ReadFile& read_;
  RuleLoad& load_;
  RuleSet& set_;
  std::set<std::string> names_;
  std::string group_;
  std::string where_;
};

}  // namespace

std::string to_string(const RuleProblem& problem) { return problem.text + " [" + problem.code + "]"; }

std::string RuleGroup::key() const { return base_name(file) + ";" + name; }

Error RuleLoad::to_error() const {
  std::string what;
  for (const auto& problem : errors) what += (what.empty() ? "" : "\n") + to_string(problem);
  return {Errc::invalid, std::move(what), "Mend the rule files."};
}

RuleLoad parse_rules(std::span<const RuleText> files, const ExpressionCompiler& compiler, const RuleOptions& options,
                     const ReadFile& read) {
  RuleLoad load;
  auto set = std::make_shared<RuleSet>();
  for (const auto& file : files) FileReader(file, compiler, options, read, load, *set).run();
  if (load.errors.empty()) load.rules = std::move(set);
  return load;
}

}  // namespace ward::collector
