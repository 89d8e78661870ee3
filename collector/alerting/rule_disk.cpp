// Rule files on disk: globs, reading.
#include <array>
#include <cerrno>
#include <fstream>
#include <glob.h>
#include <set>

#include "collector/alerting/rule_file.hpp"

namespace ward::collector {
namespace {

constexpr std::size_t kMaxFile = 4 * 1024 * 1024;

/// Sorted by glob(3); a plain path that matches nothing stays, so that its absence is reported.
std::vector<std::string> expanded(const std::string& pattern) {
  glob_t found{};
  const int rc = ::glob(pattern.c_str(), 0, nullptr, &found);
  std::vector<std::string> paths;
  if (rc == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (paths.empty() && pattern.find_first_of("*?[") == std::string::npos) paths.push_back(pattern);
  return paths;
}

}  // namespace

Result<std::string> read_rule_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Errc::not_found, path + ": no such file", "Check the path and its permissions.");
  // Not by an iterator over the buffer, which throws where a folder stands or a disk fails.
  std::string text;
  std::array<char, 16 * 1024> part{};
  while (in.read(part.data(), part.size()) || in.gcount() > 0)
    text.append(part.data(), static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return fail(Errc::not_found, path + ": cannot be read", "Check the path and its permissions.");
  if (text.size() > kMaxFile) return fail(Errc::invalid, path + ": is over 4 MiB", "Split the file.");
  return text;
}

std::vector<std::string> rule_paths(std::span<const std::string> patterns) {
  std::set<std::string> paths;
  for (const auto& pattern : patterns)
    for (auto& path : expanded(pattern)) paths.insert(std::move(path));
  return {paths.begin(), paths.end()};
}

RuleLoad load_rules(std::span<const std::string> patterns, const ExpressionCompiler& compiler, const RuleOptions& options) {
  std::set<std::string> paths;
  std::vector<RuleProblem> warnings;
  std::vector<RuleProblem> unreadable;
  for (const auto& pattern : patterns) {
    const auto found = expanded(pattern);
    if (found.empty())
      warnings.push_back({"W022 no-match", pattern +
                                               ": no file matches this pattern, so no rule of it is in force; put rule " +
                                               "files there, or mend or remove the pattern"});
    paths.insert(found.begin(), found.end());
  }
  std::vector<RuleText> files;
  for (const auto& path : paths) {
    auto text = read_rule_file(path);
    if (text)
      files.push_back({path, std::move(*text)});
    else
      unreadable.push_back({"W023 unreadable", text.error().what + "; check the path and its permissions"});
  }
  RuleLoad load = parse_rules(files, compiler, options, read_rule_file);
  load.errors.insert(load.errors.begin(), unreadable.begin(), unreadable.end());
  load.warnings.insert(load.warnings.begin(), warnings.begin(), warnings.end());
  if (!load.errors.empty()) load.rules = nullptr;
  // No pattern at all is what the operator said; no group under a pattern is hardly meant.
  const bool no_groups = !load.rules || load.rules->groups.empty();
  if (!warnings.empty() || (!patterns.empty() && no_groups)) load.coverage = RuleCoverage::partial;
  load.texts = std::move(files);
  return load;
}

}  // namespace ward::collector
