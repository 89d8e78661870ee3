#pragma once
#include <optional>
#include <string>
#include <vector>

#include "collector/api/view.hpp"
#include "collector/review/story.hpp"

namespace ward::collector::api {

/// The alerting rules that are loaded, in the order of their files; only those called `name`, where it is given.
std::vector<review::RuleFact> alerting_rules(const View& view, const std::optional<std::string>& name = std::nullopt);

}  // namespace ward::collector::api
