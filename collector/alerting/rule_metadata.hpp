#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collector/alerting/rule_file.hpp"

namespace ward::collector {

/// A rule's labels or annotations as written.
using TextPairs = std::vector<std::pair<std::string, std::string>>;

/// Ward's own demands on an alert rule; each problem is a code and a sentence without the place.
std::vector<RuleProblem> check_metadata(const TextPairs& labels, const TextPairs& annotations, std::string_view rule_file,
                                        const ReadFile& read);

}  // namespace ward::collector
