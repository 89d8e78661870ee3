#pragma once
#include <optional>
#include <string>
#include <vector>

#include "collector/slo/slo.hpp"
#include "common/config/node.hpp"

namespace ward::collector::slo {

/// A pair of windows as written: the factor follows from the budget and the period of the SLO that uses it.
struct BurnCondition {
  std::optional<double> budget;  ///< share of the period's budget that is gone when the pair burns through its long window
  double factor = 0;             ///< when no budget is given
  milliseconds long_window{0};
  milliseconds short_window{0};
  AlertClass cls = AlertClass::actionable;
  milliseconds after{0};
  config::Position at;
};

struct BurnPolicySpec {
  std::string name;
  std::vector<BurnCondition> windows;
  std::vector<std::string> condition_names;  ///< AlertConditions of other documents
  bool when_no_data = false;                 ///< alertWhenNoData
  config::Position at;
};

/// ward/v1 BurnPolicy: spec.windows[] with budget or factor, long, short (default long / 12), class, after.
BurnPolicySpec read_burn_policy(config::Section& spec, std::string name);
/// openslo/v1 AlertPolicy. Ward tells every burn and every end: alertWhenBreaching and alertWhenResolved must be true.
BurnPolicySpec read_alert_policy(config::Section& spec, std::string name);
/// openslo/v1 AlertCondition of kind burnrate. Annotations ward.io/short-window and ward.io/class say what OpenSLO cannot.
BurnCondition read_alert_condition(config::Section& spec, config::Section& annotations);
/// "2%" or 0.02.
std::optional<double> parse_share(const std::string& text);
/// Asks for all keys of other owners, so that only Ward's can be unknown.
void accept_foreign(config::Section& annotations, const config::Node& node);

}  // namespace ward::collector::slo
