#include "cli/proposal_backtest.hpp"

#include <algorithm>
#include <memory>

namespace ward::cli {
namespace {

using collector::Rule;
using collector::Rulebook;
using collector::RuleSet;

/// The rules with the change; null when none has its name.
std::shared_ptr<const Rulebook> with(const Rulebook& book, const RuleChange& change) {
  auto rules = std::make_shared<RuleSet>(*book.rules);
  bool found = false;
  const auto meant = [&](const Rule& rule) { return rule.kind == Rule::Kind::alert && rule.name == change.rule; };
  for (auto& group : rules->groups) {
    if (change.remove) {
      found = std::erase_if(group.rules, meant) > 0 || found;
      continue;
    }
    for (auto& rule : group.rules) {
      if (!meant(rule) || !change.hold) continue;
      rule.hold = *change.hold;
      found = true;
    }
  }
  if (!found) return nullptr;
  auto out = std::make_shared<Rulebook>(book);
  out->rules = std::move(rules);
  return out;
}

std::size_t pages_of(const std::vector<collector::PagedIncident>& incidents) {
  std::size_t out = 0;
  for (const auto& one : incidents) out += one.pages;
  return out;
}

TriedChange compared(const std::string& rule, const collector::BacktestResult& before,
                     const collector::BacktestResult& after) {
  TriedChange out{.rule = rule,
                  .pages_before = pages_of(before.incidents),
                  .pages_after = pages_of(after.incidents),
                  .incidents_before = before.incidents.size(),
                  .incidents_after = after.incidents.size()};
  for (const auto& row : collector::compare_incidents(after.incidents, before.incidents)) {
    out.gone += row.kind == collector::BacktestRow::Kind::gone ? 1 : 0;
    out.fresh += row.kind == collector::BacktestRow::Kind::added ? 1 : 0;
  }
  return out;
}

}  // namespace

Result<std::vector<TriedChange>> try_changes(const TrialSetting& setting, const std::vector<RuleChange>& changes,
                                             collector::SampleSource& samples) {
  collector::Sandbox sandbox;
  auto loaded = collector::load_rulebook(setting.patterns, sandbox.compiler(), setting.options);
  if (!loaded.book) return fail(loaded.to_error());
  if (!collector::has_receivers(loaded.book->routing))
    return fail(Errc::invalid, "nobody would be told of anything: no owner has a receiver",
                "Add --config collector.yaml, or a document 'kind: Operations' with owners to the rule files.");
  const auto play = [&](const std::shared_ptr<const Rulebook>& book) {
    return collector::backtest(
        sandbox, {.rules = book->rules, .external_labels = {}, .external_url = setting.external_url, .book = book}, samples,
        setting.time);
  };
  std::optional<collector::BacktestResult> before;
  std::vector<TriedChange> out;
  for (const auto& change : changes) {
    const auto book = with(*loaded.book, change);
    if (!book) continue;
    if (!before) {
      auto as_is = play(loaded.book);
      if (!as_is) return fail(as_is.error());
      before = std::move(*as_is);
    }
    const auto after = play(book);
    if (!after) return fail(after.error());
    out.push_back(compared(change.rule, *before, *after));
  }
  return out;
}

}  // namespace ward::cli
