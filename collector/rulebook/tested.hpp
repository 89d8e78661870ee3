#pragma once
#include <set>
#include <string>

#include "collector/alerting/rule_file.hpp"

namespace ward::collector {

/// Names of the alerts that a Test document of the rule files, or a test file of a Pack, expects to fire. What cannot be
/// read expects nothing: loading said so. Blocking, for `read` reads files.
std::set<std::string> tested_alerts(const RuleSet& rules, const ReadFile& read);

}  // namespace ward::collector
