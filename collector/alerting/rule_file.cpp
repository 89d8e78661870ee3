#include "collector/alerting/rule_file.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include "collector/alerting/rule_metadata.hpp"
#include "common/base/duration.hpp"

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

std::string place(const config::Position& p) { return std::to_string(p.line) + ":" + std::to_string(p.column) + ": "; }

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
    if (!unknown_.empty())
      load_.errors.push_back({"W002 unknown-field", file_.file + ": yaml: unmarshal errors:" + unknown_});
  }

 private:
  void document(const Node& doc, std::size_t number) {
    if (doc.kind() == Node::Kind::null) return;
    if (!expect(doc, Node::Kind::mapping, "rulefmt.RuleGroups")) return;
    const Node* kind = find(doc, "kind");
    const Node* groups = find(doc, "groups");
    if (kind != nullptr && groups == nullptr) {
      set_.others.push_back({kind->scalar(), doc});
      return;
    }
    if (number > 0) {
      return add("W020 late-groups", place(doc.at()) + "groups stand in document " + std::to_string(number + 1) +
                                         "; Prometheus reads only the first document of a file");
    }
    keys(doc, kTopKeys, "rulefmt.RuleGroups");
    if (groups == nullptr || groups->kind() == Node::Kind::null) return;
    if (!expect(*groups, Node::Kind::sequence, "[]rulefmt.RuleGroup")) return;
    for (const auto& item : groups->items())
      if (expect(item, Node::Kind::mapping, "rulefmt.RuleGroup")) group(item);
  }

  void group(const Node& node) {
    keys(node, kGroupKeys, "rulefmt.RuleGroup");
    RuleGroup group;
    group.file = file_.file;
    group.name = text_of(node, "name");
    if (group.name.empty()) add("W003 missing-group-name", place(node.at()) + "Groupname must not be empty");
    if (!names_.insert(group.name).second)
      add("W004 repeated-group", place(node.at()) + "groupname: " + quoted(group.name) + " is repeated in the same file");
    group_ = group.name;
    const std::string where = "group " + quoted(group.name) + ": ";
    group.interval = duration_of(node, "interval", options_.default_interval, where);
    if (group.interval <= milliseconds{0}) group.interval = options_.default_interval;
    group.query_offset = duration_of(node, "query_offset", options_.default_query_offset, where);
    group.limit = limit_of(node, where);
    const auto shared = pairs_of(node, "labels");
    const Node* rules = find(node, "rules");
    if (rules != nullptr && rules->kind() != Node::Kind::null &&
        expect(*rules, Node::Kind::sequence, "[]rulefmt.RuleNode")) {
      int number = 0;
      for (const auto& item : rules->items()) {
        ++number;
        if (expect(item, Node::Kind::mapping, "rulefmt.RuleNode")) rule(item, number, shared, group);
      }
    }
    set_.groups.push_back(std::move(group));
  }

  void rule(const Node& node, int number, const TextPairs& shared, RuleGroup& group) {
    keys(node, kRuleKeys, "rulefmt.RuleNode");
    Rule rule;
    const std::string record = text_of(node, "record");
    const std::string alert = text_of(node, "alert");
    rule.kind = alert.empty() && !record.empty() ? Rule::Kind::record : Rule::Kind::alert;
    rule.name = alert.empty() ? record : alert;
    rule.expr = text_of(node, "expr");
    where_ = "group " + quoted(group_) + ", rule " + std::to_string(number) + ", " + quoted(rule.name) + ": ";
    rule.generator = base_name(file_.file) + ": group " + quoted(group_) + ", rule " + quoted(rule.name);
    rule.hold = duration_of(node, "for", milliseconds{0}, where_);
    rule.keep_firing = duration_of(node, "keep_firing_for", milliseconds{0}, where_);

    shape(node, record, alert);
    expression(node, rule);
    TextPairs labels = pairs_of(node, "labels");
    for (const auto& label : shared)
      if (std::none_of(labels.begin(), labels.end(), [&](const auto& own) { return own.first == label.first; }))
        labels.push_back(label);
    const TextPairs annotations = pairs_of(node, "annotations");
    texts(rule, labels, annotations);
    identify(rule, labels, group);
    if (rule.kind == Rule::Kind::alert) {
      for (const auto& p : check_metadata(labels, annotations, file_.file, read_)) add(p.code, where_ + p.text);
      for (const auto& [name, value] : labels)
        if (name == "class") rule.cls = parse_class(value).value_or(AlertClass::actionable);
    }
    group.rules.push_back(std::move(rule));
  }

  /// What a rule must and must not have.
  void shape(const Node& node, const std::string& record, const std::string& alert) {
    if (!record.empty() && !alert.empty())
      add("W005 record-or-alert",
          at(node, "record") + at(node, "alert") + where_ + "only one of 'record' and 'alert' must be set");
    if (record.empty() && alert.empty())
      add("W005 record-or-alert", at(node, "record") + where_ + "one of 'record' or 'alert' must be set");
    if (record.empty()) return;
    const auto forbidden = [&](const char* key) {
      const Node* value = find(node, key);
      if (value == nullptr || value->kind() == Node::Kind::null) return;
      add("W009 not-for-recording", at(node, "record") + where_ + "invalid field '" + key + "' in recording rule");
    };
    forbidden("annotations");
    forbidden("for");
    forbidden("keep_firing_for");
    if (!is_metric_name(record))
      add("W008 bad-record-name", at(node, "record") + where_ + "invalid recording rule name: " + record);
  }

  void expression(const Node& node, Rule& rule) {
    if (rule.expr.empty()) return add("W006 missing-expr", at(node, "expr") + where_ + "field 'expr' must be set in rule");
    auto compiled = compiler_.compile(rule.expr);
    if (compiled)
      rule.expression = std::move(*compiled);
    else
      add("W007 bad-expr", at(node, "expr") + where_ + "could not parse expression: " + compiled.error().what);
  }

  void texts(Rule& rule, const TextPairs& labels, const TextPairs& annotations) {
    const bool alert = rule.kind == Rule::Kind::alert;
    const auto parse = [&](const char* what, const TextPairs& from, auto& into) {
      for (const auto& [name, text] : from) {
        if (!is_label_name(name) || name == kNameLabel) {
          add("W010 bad-label-name", where_ + "invalid " + what + " name: " + name);
          continue;
        }
        // Labels of recording rules are plain text: Prometheus expands templates on alerts only.
        auto parsed = alert ? Template::parse(rule.name, text) : Result<Template>{Template::plain(text)};
        if (!parsed)
          add("W011 bad-template", where_ + what + " " + quoted(name) + ": " + parsed.error().what);
        else
          into.emplace_back(name, std::move(*parsed));
      }
    };
    parse("label", labels, rule.labels);
    if (alert) parse("annotation", annotations, rule.annotations);
  }

  void identify(Rule& rule, const TextPairs& labels, const RuleGroup& group) {
    const Labels sorted{std::vector<Label>(labels.begin(), labels.end())};
    // Identities are stored: fingerprints are the same in every release.
    rule.identity = rule.name + "/" + fingerprint(Labels{{"expr", rule.expr}, {"labels", fingerprint(sorted)}});
    const auto same = std::count_if(group.rules.begin(), group.rules.end(), [&](const Rule& earlier) {
      return earlier.identity == rule.identity || earlier.identity.starts_with(rule.identity + "#");
    });
    if (same == 0) return;
    rule.identity += "#" + std::to_string(same + 1);
    load_.warnings.push_back(
        {"W018 duplicate-rule", file_.file + ": " + where_ + "the same rule stands in this group already"});
  }

  // Values. A value of the wrong kind is reported in the words of Go's YAML decoder.

  std::string text_of(const Node& mapping, std::string_view key) {
    const Node* node = find(mapping, key);
    if (node == nullptr || node->kind() == Node::Kind::null) return {};
    return expect(*node, Node::Kind::scalar, "string") ? node->scalar() : std::string{};
  }

  TextPairs pairs_of(const Node& mapping, std::string_view key) {
    TextPairs pairs;
    const Node* node = find(mapping, key);
    if (node == nullptr || node->kind() == Node::Kind::null || !expect(*node, Node::Kind::mapping, "map[string]string"))
      return pairs;
    for (const auto& [name, value] : node->entries()) {
      if (value.kind() != Node::Kind::null && !expect(value, Node::Kind::scalar, "string")) continue;
      pairs.emplace_back(name, value.kind() == Node::Kind::null ? std::string{} : value.scalar());
    }
    return pairs;
  }

  milliseconds duration_of(const Node& mapping, std::string_view key, milliseconds fallback, const std::string& where) {
    const std::string text = text_of(mapping, key);
    if (text.empty()) return fallback;
    const auto parsed = parse_duration(text);
    if (parsed) return *parsed;
    add("W019 bad-duration", at(mapping, key) + where + "not a valid duration string: " + quoted(text));
    return fallback;
  }

  std::size_t limit_of(const Node& mapping, const std::string& where) {
    const std::string text = text_of(mapping, "limit");
    if (text.empty()) return 0;
    const bool digits = text.find_first_not_of("0123456789") == std::string::npos && text.size() < 10;
    if (digits) return static_cast<std::size_t>(std::stoul(text));
    add("W021 bad-limit", at(mapping, "limit") + where + "limit must be a whole number: " + quoted(text));
    return 0;
  }

  bool expect(const Node& node, Node::Kind kind, const std::string& type) {
    if (node.kind() == kind) return true;
    std::string seen = "!!map";
    if (node.kind() == Node::Kind::sequence) seen = "!!seq";
    if (node.kind() == Node::Kind::null) seen = "!!null";
    if (node.kind() == Node::Kind::scalar) seen = "`" + node.scalar() + "`";
    unknown_ += "\n  line " + std::to_string(node.at().line) + ": cannot unmarshal " + seen + " into " + type;
    return false;
  }

  void keys(const Node& node, std::span<const std::string_view> known, const std::string& type) {
    for (const auto& [name, value] : node.entries()) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      unknown_ += "\n  line " + std::to_string(node.key_at(name).line) + ": field " + name + " not found in type " + type;
    }
  }

  static std::string at(const Node& mapping, std::string_view key) {
    const Node* node = find(mapping, key);
    return node == nullptr ? "0:0: " : place(node->at());
  }
  void add(std::string code, const std::string& text) {
    load_.errors.push_back({std::move(code), file_.file + ": " + text});
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
  std::string unknown_;
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
