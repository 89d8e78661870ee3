#include <re2/re2.h>

#include "collector/promql/function/call_frame.hpp"
#include "collector/promql/lexer.hpp"

// label_replace and label_join.

namespace ward::promql {
namespace {

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/// A replacement text with $1, ${1}, $name, ${name} and $$, as Go's Regexp.Expand reads it.
class Template {
 public:
  Template(std::string_view text, const re2::RE2& regex) {
    while (!text.empty()) {
      const auto dollar = text.find('$');
      parts_.push_back({std::string(text.substr(0, dollar)), -1});
      if (dollar == std::string_view::npos) return;
      text.remove_prefix(dollar + 1);
      take_reference(text, regex);
    }
  }
  [[nodiscard]] std::string expand(const std::vector<re2::StringPiece>& groups) const {
    std::string out;
    for (const auto& part : parts_) {
      out += part.text;
      if (part.group >= 0)
        out.append(groups[static_cast<std::size_t>(part.group)].data(), groups[static_cast<std::size_t>(part.group)].size());
    }
    return out;
  }

 private:
  struct Part {
    std::string text;
    int group;  ///< -1: text only
  };
  void take_reference(std::string_view& text, const re2::RE2& regex) {
    if (text.starts_with('$')) {
      parts_.push_back({"$", -1});
      text.remove_prefix(1);
      return;
    }
    const bool braced = text.starts_with('{');
    std::size_t end = braced ? 1 : 0;
    while (end < text.size() && is_word(text[end])) ++end;
    const auto name = text.substr(braced ? 1 : 0, end - (braced ? 1 : 0));
    if (name.empty() || (braced && (end == text.size() || text[end] != '}'))) {
      parts_.push_back({"$", -1});  // not a reference: the dollar stands for itself
      return;
    }
    text.remove_prefix(end + (braced ? 1 : 0));
    parts_.push_back({"", group_of(name, regex)});
  }
  static int group_of(std::string_view name, const re2::RE2& regex) {
    const auto& names = regex.NamedCapturingGroups();
    if (const auto at = names.find(std::string(name)); at != names.end()) return at->second;
    constexpr std::size_t kMaxDigits = 4;
    int group = 0;
    for (const char c : name) {
      if (c < '0' || c > '9' || name.size() > kMaxDigits) return -1;
      group = group * 10 + (c - '0');
    }
    return group <= regex.NumberOfCapturingGroups() ? group : -1;
  }
  std::vector<Part> parts_;
};

tl::unexpected<Error> bad_label(std::string_view function, const std::string& label) {
  return fail(Errc::invalid, "invalid destination label name in " + std::string(function) + "(): " + label, "Name a label.");
}

}  // namespace

Result<Operand> eval_label_replace(CallFrame& frame) {
  const auto target = frame.string(1);
  const auto replacement = frame.string(2);
  const auto source = frame.string(3);
  const auto pattern = frame.string(4);
  for (const auto* text : {&target, &replacement, &source, &pattern})
    if (!*text) return fail(text->error());
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  const re2::RE2 regex{*pattern, options};
  if (!regex.ok())
    return fail(Errc::invalid, "invalid regular expression in label_replace(): " + *pattern, "Write an RE2 expression.");
  if (target->empty()) return bad_label("label_replace", *target);
  const Template expansion{*replacement, regex};
  auto input = frame.vector(0);
  if (!input) return fail(input.error());
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(regex.NumberOfCapturingGroups()) + 1);
  for (auto& s : *input) {
    const auto value = frame.labels().get(s.labels, *source);
    const re2::StringPiece text{value.data(), value.size()};
    if (!regex.Match(text, 0, text.size(), re2::RE2::ANCHOR_BOTH, groups.data(), static_cast<int>(groups.size()))) continue;
    s.labels = frame.labels().with(s.labels, *target, expansion.expand(groups));
    if (*target == kNameLabel) s.drop_name = false;
  }
  if (auto ok = join_alike(*input); !ok) return fail(ok.error());
  return Operand{std::move(*input)};
}

Result<Operand> eval_label_join(CallFrame& frame) {
  const auto target = frame.string(1);
  if (!target) return fail(target.error());
  const auto separator = frame.string(2);
  if (!separator) return fail(separator.error());
  if (target->empty()) return bad_label("label_join", *target);
  std::vector<std::string> sources;
  for (std::size_t n = 3; n < frame.args(); ++n) {
    auto source = frame.string(n);
    if (!source) return fail(source.error());
    if (source->empty())
      return fail(Errc::invalid, "invalid source label name in label_join(): " + *source, "Name a label.");
    sources.push_back(std::move(*source));
  }
  auto input = frame.vector(0);
  if (!input) return fail(input.error());
  for (auto& s : *input) {
    std::string joined;
    for (std::size_t n = 0; n < sources.size(); ++n) {
      if (n != 0) joined += *separator;
      joined += frame.labels().get(s.labels, sources[n]);
    }
    s.labels = frame.labels().with(s.labels, *target, joined);
    if (*target == kNameLabel) s.drop_name = false;
  }
  if (auto ok = join_alike(*input); !ok) return fail(ok.error());
  return Operand{std::move(*input)};
}

}  // namespace ward::promql
