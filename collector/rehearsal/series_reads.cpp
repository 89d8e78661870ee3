#include "collector/rehearsal/series_reads.hpp"

#include <algorithm>

#include "collector/promql/engine.hpp"
#include "collector/promql/parser.hpp"
#include "collector/slo/windows.hpp"

namespace ward::collector {
namespace {

constexpr std::string_view kLevelPrefix = "ward_slo_";
/// Tells when a process began: a counter that appears then began at zero.
constexpr const char* kProcessStart = "process_start_time_seconds";

bool matches_all(const SelectorIndex::Selector& selector, const Labels& series) {
  return std::all_of(selector.begin(), selector.end(), [&](const Matcher& m) { return m.matches(series.get(m.name())); });
}

}  // namespace

void SelectorIndex::add(Selector selector) {
  const auto name = std::find_if(selector.begin(), selector.end(), [](const Matcher& m) {
    return m.name() == kNameLabel && m.op() == Matcher::Op::equal && !m.value().empty();
  });
  auto& home = name == selector.end() ? nameless_ : by_name_[name->value()];
  if (std::find(home.begin(), home.end(), selector) == home.end()) home.push_back(std::move(selector));
}

bool SelectorIndex::matches(const Labels& series) const {
  const auto any = [&](const std::vector<Selector>& selectors) {
    return std::any_of(selectors.begin(), selectors.end(), [&](const Selector& s) { return matches_all(s, series); });
  };
  const auto named = by_name_.find(std::string(series.name()));
  return (named != by_name_.end() && any(named->second)) || any(nameless_);
}

bool SelectorIndex::may_match_prefix(std::string_view prefix) const {
  return !nameless_.empty() ||
         std::any_of(by_name_.begin(), by_name_.end(), [&](const auto& entry) { return entry.first.starts_with(prefix); });
}

RuleReads::RuleReads(const RuleSet& rules, const slo::SloSet& slos) {
  for (const auto& group : rules.groups)
    for (const auto& rule : group.rules) {
      hold_ = std::max({hold_, rule.hold, rule.keep_firing});
      if (rule.kind == Rule::Kind::record) written_.insert(rule.name);
      add(rule.expr);
      lookback_ = std::max(lookback_, group.query_offset);
    }
  add(slos);
  reads_levels_ = queries_.may_match_prefix(kLevelPrefix);
}

void RuleReads::add(const std::string& expr) {
  const auto parsed = promql::parse(expr);
  if (!parsed) return;  // it did not load then
  lookback_ = std::max(lookback_, promql::reads_of(*parsed).lookback);
  for (auto& selector : promql::selectors_of(*parsed)) queries_.add(std::move(selector));
}

void RuleReads::add(const slo::SloSet& slos) {
  for (const auto& spec : slos.slos) {
    slos_.insert(spec.name);
    memory_ = std::max<milliseconds>(memory_, slo::plan_windows(spec).longest());
    // One source that is no selector makes all of them queries.
    const auto& sources = spec.indicator.sources;
    const bool counted = std::none_of(sources.begin(), sources.end(), [](const auto& s) { return s.matchers.empty(); });
    for (const auto& source : sources)
      if (counted)
        counted_.add(source.matchers);
      else
        add(source.query);
  }
  if (!slos.slos.empty()) counted_.add({Matcher::make(Matcher::Op::equal, std::string(kNameLabel), kProcessStart).value()});
}

bool RuleReads::wants(const Labels& series) const {
  if (written_.contains(series.name())) return false;
  if (series.name().starts_with(kLevelPrefix) && slos_.contains(series.get("slo"))) return false;
  return queries_.matches(series);
}

bool RuleReads::counts(const Labels& series) const {
  return !slos_.empty() && !written_.contains(series.name()) && counted_.matches(series);
}

}  // namespace ward::collector
