#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace ward::collector {

/// The anchors of a Markdown text: headings and <a id="..."> names, slugged as GitHub does ("## Fail over!" -> "fail-over",
/// a second one -> "fail-over-1"). Headings inside code fences do not count.
std::vector<std::string> anchors_of(std::string_view markdown);
std::string anchor_slug(std::string_view heading);

}  // namespace ward::collector
