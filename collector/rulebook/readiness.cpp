#include "collector/rulebook/readiness.hpp"

namespace ward::collector {

Readiness read_readiness(const std::string& service, config::Section& section, const TreeChecks& checks) {
  Readiness out;
  for (auto& [what, check] : section.text_map(service)) {
    if (const auto flaw = checks.flaw_of_query(check))
      section.problems().add(section.at(service),
                             "readiness of '" + service + "', '" + what + "': could not parse expression: " + *flaw,
                             "Write it in PromQL.");
    out.push_back({std::move(what), std::move(check)});
  }
  if (out.empty())
    section.problems().add(section.at(service), "readiness of '" + service + "' asks for nothing",
                           "Write WHAT: PROMQL, or remove it.");
  return out;
}

std::string in_words(const Readiness& readiness, const Ask& ask) {
  std::size_t hold = 0;
  std::string failing, unknown;
  for (const auto& [what, check] : readiness) {
    const auto holds = ask(check);
    if (holds.value_or(false)) {
      ++hold;
      continue;
    }
    auto& list = holds ? failing : unknown;
    list += (list.empty() ? "" : "; ") + what;
  }
  auto out = std::to_string(hold) + " of " + std::to_string(readiness.size()) + " hold";
  if (!failing.empty()) out += ". Not: " + failing;
  if (!unknown.empty()) out += ". No data: " + unknown;
  return out;
}

}  // namespace ward::collector
