#include "collector/advice.hpp"

#include "collector/rulebook/ask.hpp"

namespace ward::collector {
namespace {

constexpr milliseconds kAdviseWithin{1'000};  // beside the one check that may be under way

template <class Map>
const auto* find(const Map& map, std::string_view name) {
  const auto at = map.find(name);
  return at == map.end() ? nullptr : &at->second;
}

}  // namespace

std::vector<Advice> advice_for(std::vector<Notice>& notices, const Rulebook& book) {
  std::vector<Advice> out;
  for (auto& notice : notices) {
    if (!calls_for_action(notice.kind)) continue;
    const auto& incident = notice.incident;
    const auto tree = incident.alerts.empty() ? "" : incident.alerts.front().annotations.get("decision_tree");
    const Advice one{&notice, find(book.trees, tree), find(book.readiness, incident.root_service)};
    if (one.tree != nullptr || one.readiness != nullptr) out.push_back(one);
  }
  return out;
}

void give(const std::vector<Advice>& advice, const ExpressionCompiler& compiler, const Clock& clock, Time now) {
  const auto until = clock.mono() + kAdviseWithin;
  for (const auto& [notice, tree, readiness] : advice) {
    if (clock.mono() >= until) return;
    const auto ask = ask_store(compiler, notice->incident.scope, now);
    if (tree != nullptr) notice->first_steps = {in_words(*tree, walk(*tree, ask))};
    if (readiness != nullptr) notice->readiness = in_words(*readiness, ask);
  }
}

}  // namespace ward::collector
