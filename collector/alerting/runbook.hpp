#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace ward::collector {

/// Reads a file that rules refer to (a runbook); not_found when there is none.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;

/// What is wrong with a runbook that a rule file names: the file must be there (relative to the rule file), with the heading
/// behind `#`. nullopt: nothing. A URL is the reader's to check.
std::optional<std::string> runbook_flaw(std::string_view runbook, std::string_view rule_file, const ReadFile& read);

/// The anchors of a Markdown text: headings and <a id="..."> names, slugged as GitHub does ("## Fail over!" -> "fail-over",
/// a second one -> "fail-over-1"). Headings inside code fences do not count.
std::vector<std::string> anchors_of(std::string_view markdown);
std::string anchor_slug(std::string_view heading);

}  // namespace ward::collector
