#pragma once
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "collector/alerting/rule.hpp"
#include "collector/slo/slo.hpp"
#include "common/base/time.hpp"
#include "common/model/labels.hpp"

namespace ward::collector {

/// Selectors, found by the metric they name.
class SelectorIndex {
 public:
  using Selector = std::vector<Matcher>;
  /// Twice the same is once.
  void add(Selector selector);
  [[nodiscard]] bool matches(const Labels& series) const;
  /// Whether any selector may match series whose name begins so.
  [[nodiscard]] bool may_match_prefix(std::string_view prefix) const;

 private:
  std::unordered_map<std::string, std::vector<Selector>> by_name_;
  std::vector<Selector> nameless_;
};

/// Which series rules and SLOs read. Those that they write themselves (recorded series, ALERTS, ward_slo_* of these SLOs)
/// are not wanted: stored ones are what other rules once made of the same samples.
class RuleReads {
 public:
  explicit RuleReads(const RuleSet& rules, const slo::SloSet& slos = {});
  /// Series that PromQL, a rule's or an indicator's, looks up in the store.
  [[nodiscard]] bool wants(const Labels& series) const;
  /// Series that indicators count sample by sample.
  [[nodiscard]] bool counts(const Labels& series) const;
  /// Whether PromQL reads what SLOs write, and of it this series.
  [[nodiscard]] bool reads_levels() const { return reads_levels_; }
  [[nodiscard]] bool reads(const Labels& series) const { return queries_.matches(series); }
  /// How far back any rule looks.
  [[nodiscard]] milliseconds lookback() const { return lookback_; }
  /// The longest `for`.
  [[nodiscard]] milliseconds hold() const { return hold_; }
  /// How far back the counts of indicators matter: the longest window or period; zero without SLOs.
  [[nodiscard]] milliseconds memory() const { return memory_; }

 private:
  void add(const std::string& expr);
  void add(const slo::SloSet& slos);

  SelectorIndex queries_;
  SelectorIndex counted_;
  std::set<std::string, std::less<>> written_{"ALERTS", "ALERTS_FOR_STATE"};
  std::set<std::string, std::less<>> slos_;
  bool reads_levels_ = false;
  milliseconds lookback_{0};
  milliseconds hold_{0};
  milliseconds memory_{0};
};

}  // namespace ward::collector
