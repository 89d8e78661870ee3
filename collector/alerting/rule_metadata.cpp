#include "collector/alerting/rule_metadata.hpp"

#include <algorithm>
#include <array>

#include "collector/alerting/runbook.hpp"

namespace ward::collector {
namespace {

constexpr std::array<std::string_view, 4> kClasses{"informational", "actionable", "urgent", "executive"};
constexpr std::array<std::string_view, 5> kLayers{"user_experience", "application", "data", "platform", "governance"};
constexpr std::array<std::string_view, 5> kOwners{"application", "database", "platform", "security", "backup"};

const std::string* find(const TextPairs& pairs, std::string_view name) {
  const auto it = std::find_if(pairs.begin(), pairs.end(), [&](const auto& p) { return p.first == name; });
  return it == pairs.end() ? nullptr : &it->second;
}

std::string listed(std::span<const std::string_view> names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i)
    out += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + std::string(names[i]);
  return out;
}

class Checker {
 public:
  Checker(const TextPairs& labels, const TextPairs& annotations, std::string_view file, const ReadFile& read)
      : labels_(labels), annotations_(annotations), file_(file), read_(read) {}

  std::vector<RuleProblem> run() {
    one_of("class", kClasses, "W014 unknown-class");
    one_of("layer", kLayers, "W015 unknown-layer");
    one_of("owner", kOwners, "W016 unknown-owner");
    const auto* cls = find(labels_, "class");
    if (cls == nullptr || (*cls != "urgent" && *cls != "executive")) return std::move(problems_);
    const auto* url = find(annotations_, "runbook_url");
    if (url == nullptr || url->empty())
      add("W012 missing-runbook", "class " + *cls + " needs annotation \"runbook_url\"");
    else if (const auto flaw = runbook_flaw(*url, file_, read_))
      add("W013 dead-runbook", "runbook_url " + *flaw);
    return std::move(problems_);
  }

 private:
  void one_of(std::string_view label, std::span<const std::string_view> names, const std::string& code) {
    const auto* value = find(labels_, label);
    if (value == nullptr || std::find(names.begin(), names.end(), *value) != names.end()) return;
    add(code, "label \"" + std::string(label) + "\": \"" + *value + "\" does not exist; use " + listed(names));
  }

  void add(std::string code, std::string text) { problems_.push_back({std::move(code), std::move(text)}); }

  const TextPairs& labels_;
  const TextPairs& annotations_;
  std::string_view file_;
  const ReadFile& read_;
  std::vector<RuleProblem> problems_;
};

}  // namespace

std::vector<RuleProblem> check_metadata(const TextPairs& labels, const TextPairs& annotations, std::string_view rule_file,
                                        const ReadFile& read) {
  return Checker(labels, annotations, rule_file, read).run();
}

}  // namespace ward::collector
