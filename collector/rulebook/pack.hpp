#pragma once
#include <set>
#include <string>
#include <vector>

#include "collector/alerting/rule_file.hpp"
#include "collector/slo/slo.hpp"
#include "common/config/node.hpp"

namespace ward::collector {

/// A Pack document makes its file a pack that is shipped to others: every alert rule of class urgent or executive in it, and
/// every SLO whose burning is told as such, needs a test that expects it to fire.
struct Pack {
  std::string file;
  std::string name;
  std::vector<std::string> tests;  ///< test files, relative to the pack's
  config::Position at;
};
Pack read_pack(config::Section& document);
/// A path of its `tests`, as read from where the pack is.
std::string beside_pack(const Pack& pack, const std::string& path);

/// Whether an expression test looks at ALERTS that fire.
bool asks_what_fires(const std::string& expr);

/// Names of the alerts that a body of promtool's test format expects to fire: by alert_rule_test, by an expression test of
/// ALERTS{alertstate="firing"}, or by Ward's notification_test in it, as root or absorbed. What is no
/// such body yields none: `wardctl test` says what is wrong with it.
std::set<std::string> alerts_expected(const config::Node& body);

/// The alerts of the pack that no test expects. `tested` are those of Test documents in its file; problems are test files
/// that cannot be read.
struct UntestedAlert {
  std::string place;  ///< Rule::place, or the SLO's
  std::string name;
};
std::vector<UntestedAlert> untested(const Pack& pack, const RuleSet& rules, const slo::SloSet& slos,
                                    std::set<std::string> tested, const ReadFile& read, config::Problems& problems);

}  // namespace ward::collector
