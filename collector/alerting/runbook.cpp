#include "collector/alerting/runbook.hpp"

#include <cctype>
#include <map>

#include "common/base/parse.hpp"

namespace ward::collector {
namespace {

/// The text of `## Heading`; empty when the line is none.
std::string_view heading_of(std::string_view line) {
  std::size_t level = 0;
  while (level < line.size() && line[level] == '#') ++level;
  if (level == 0 || level > 6 || level >= line.size() || line[level] != ' ') return {};
  return trim(line.substr(level));
}

/// The name in `<a id="name">` or `<a name="name">`; empty when there is none.
std::string_view named_anchor(std::string_view line) {
  for (const std::string_view opening : {"<a id=\"", "<a name=\""}) {
    const auto at = line.find(opening);
    if (at == std::string_view::npos) continue;
    const auto rest = line.substr(at + opening.size());
    return rest.substr(0, rest.find('"'));
  }
  return {};
}

}  // namespace

std::string anchor_slug(std::string_view heading) {
  std::string out;
  for (const char c : heading) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || (c & 0x80) != 0)
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (c == ' ')
      out += '-';
  }
  return out;
}

std::vector<std::string> anchors_of(std::string_view markdown) {
  std::vector<std::string> anchors;
  std::map<std::string, int> seen;
  bool fenced = false;
  std::string_view line;
  while (next_line(markdown, line)) {
    const auto text = trim(line);
    if (text.starts_with("```") || text.starts_with("~~~")) fenced = !fenced;
    if (fenced) continue;
    if (const auto name = named_anchor(line); !name.empty()) anchors.emplace_back(name);
    const auto heading = heading_of(text);
    if (heading.empty()) continue;
    std::string slug = anchor_slug(heading);
    const int earlier = seen[slug]++;
    anchors.push_back(earlier == 0 ? slug : slug + "-" + std::to_string(earlier));
  }
  return anchors;
}

std::optional<std::string> runbook_flaw(std::string_view runbook, std::string_view rule_file, const ReadFile& read) {
  if (runbook.starts_with("https://") || runbook.starts_with("http://")) return std::nullopt;
  if (runbook.find("{{") != std::string_view::npos) return "may not be a template";
  const auto hash = runbook.find('#');
  const std::string path(runbook.substr(0, hash));
  const auto slash = rule_file.rfind('/');
  const std::string full =
      path.starts_with('/') || slash == std::string_view::npos ? path : std::string(rule_file.substr(0, slash + 1)) + path;
  const auto text = read(full);
  if (!text) return "\"" + std::string(runbook) + "\": file \"" + path + "\" does not exist";
  if (hash == std::string_view::npos) return std::nullopt;
  const auto anchors = anchors_of(*text);
  const auto wanted = runbook.substr(hash + 1);
  if (std::find(anchors.begin(), anchors.end(), wanted) != anchors.end()) return std::nullopt;
  return "\"" + std::string(runbook) + "\": no heading in \"" + path + "\" has the anchor \"" + std::string(wanted) + "\"";
}

}  // namespace ward::collector
