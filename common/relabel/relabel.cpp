#include "common/relabel/relabel.hpp"

#include <algorithm>
#include <re2/re2.h>

#include "common/base/parse.hpp"
#include "common/base/utf8.hpp"

namespace ward {
namespace {

constexpr std::string_view kAnything = "(.*)";

/// Go wraps the expression in ^(?s:...)$.
RE2::Options dot_matches_newline() {
  RE2::Options options;
  options.set_dot_nl(true);
  options.set_log_errors(false);
  return options;
}

bool matches(const RE2& regex, std::string_view text) { return RE2::FullMatch(text, regex); }

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/// The name of a group behind a '$', taken off `text`; empty when there is none.
std::string_view take_group(std::string_view& text) {
  const bool braces = text.starts_with('{');
  const auto name = text.substr(braces ? 1 : 0);
  const auto length = static_cast<std::size_t>(std::find_if_not(name.begin(), name.end(), is_word) - name.begin());
  if (length == 0 || (braces && (length == name.size() || name[length] != '}'))) return {};
  text.remove_prefix(length + (braces ? 2 : 0));
  return name.substr(0, length);
}

std::string_view group_of(std::string_view name, const RE2& regex, const std::vector<std::string_view>& groups) {
  std::size_t index = groups.size();
  if (const auto number = to_u64(name)) {
    index = static_cast<std::size_t>(std::min<std::uint64_t>(*number, groups.size()));
  } else {
    const auto& named = regex.NamedCapturingGroups();
    if (const auto at = named.find(std::string(name)); at != named.end()) index = static_cast<std::size_t>(at->second);
  }
  return index < groups.size() ? groups[index] : std::string_view{};
}

void replace(const RelabelRule& rule, const std::string& text, Labels& series) {
  const auto& regex = *rule.regex;
  const auto count = regex.NumberOfCapturingGroups() + 1;
  std::vector<re2::StringPiece> found(static_cast<std::size_t>(count));
  if (!regex.Match(text, 0, text.size(), RE2::ANCHOR_BOTH, found.data(), count)) return;
  std::vector<std::string_view> groups;
  groups.reserve(found.size());
  for (const auto& piece : found) groups.emplace_back(piece.data() == nullptr ? "" : piece.data(), piece.size());
  const auto name = expand(rule.target_label, regex, groups);
  if (name.empty() || !is_utf8(name)) return;
  const auto value = expand(rule.replacement, regex, groups);
  series.set(name, value);
}

bool apply(const RelabelRule& rule, Labels& series) {
  std::string text;
  for (std::size_t i = 0; i < rule.source_labels.size(); ++i) {
    if (i > 0) text += rule.separator;
    text += series.get(rule.source_labels[i]);
  }
  const auto erase_where = [&](bool match) {
    std::vector<std::string> gone;
    for (const auto& [name, value] : series)
      if (matches(*rule.regex, name) == match) gone.push_back(name);
    for (const auto& name : gone) series.erase(name);
  };
  switch (rule.action) {
    case RelabelRule::Action::replace: replace(rule, text, series); return true;
    case RelabelRule::Action::keep: return matches(*rule.regex, text);
    case RelabelRule::Action::drop: return !matches(*rule.regex, text);
    case RelabelRule::Action::labeldrop: erase_where(true); return true;
    case RelabelRule::Action::labelkeep: erase_where(false); return true;
  }
  return true;
}

RelabelRule read_rule(config::Section& section) {
  RelabelRule rule;
  const auto action = section.choice("action", {"replace", "keep", "drop", "labeldrop", "labelkeep"}, 0);
  rule.action = static_cast<RelabelRule::Action>(action);
  rule.source_labels = section.texts("source_labels");
  rule.separator = section.text("separator", rule.separator);
  rule.target_label = section.text("target_label", "");
  rule.replacement = section.text("replacement", rule.replacement);
  const auto regex = section.text("regex", std::string(kAnything));
  rule.regex = std::make_shared<const RE2>(regex, dot_matches_newline());
  if (!rule.regex->ok())
    section.problems().add(section.at("regex"), "'regex' is not a regular expression: " + rule.regex->error(),
                           "Use RE2 syntax; it must match the whole text.");
  const bool replaces = rule.action == RelabelRule::Action::replace;
  const bool of_names = rule.action == RelabelRule::Action::labeldrop || rule.action == RelabelRule::Action::labelkeep;
  if (replaces && rule.target_label.empty())
    section.problems().add(section.at(), "'target_label' is missing", "Name the label that 'replace' writes.");
  if (of_names && (section.has("source_labels") || section.has("separator")))
    section.problems().add(section.at(), "labeldrop and labelkeep look at names, they have no 'source_labels'",
                           "Keep 'regex' alone.");
  if (!replaces && (section.has("target_label") || section.has("replacement")))
    section.problems().add(section.at(), "only 'replace' has 'target_label' and 'replacement'", "Remove them.");
  if ((rule.action == RelabelRule::Action::keep || rule.action == RelabelRule::Action::drop) && rule.source_labels.empty())
    section.problems().add(section.at(), "'source_labels' is missing", "Name the labels to look at, such as [__name__].");
  section.close();
  return rule;
}

}  // namespace

std::string expand(std::string_view text, const RE2& regex, const std::vector<std::string_view>& groups) {
  std::string out;
  while (!text.empty()) {
    const auto dollar = std::min(text.find('$'), text.size());
    out += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.empty()) break;
    text.remove_prefix(1);
    if (text.starts_with('$')) {
      out += '$';
      text.remove_prefix(1);
    } else if (const auto name = take_group(text); !name.empty()) {
      out += group_of(name, regex, groups);
    } else {
      out += '$';
    }
  }
  return out;
}

std::vector<RelabelRule> read_relabelling(config::Section& target, std::string_view key) {
  std::vector<RelabelRule> rules;
  for (auto& section : target.children(key)) rules.push_back(read_rule(section));
  return rules;
}

bool relabel(const std::vector<RelabelRule>& rules, Labels& series) {
  return std::all_of(rules.begin(), rules.end(), [&](const RelabelRule& rule) { return apply(rule, series); });
}

}  // namespace ward
