#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/node.hpp"
#include "common/model/labels.hpp"

namespace re2 {
class RE2;
}

namespace ward {

/// One of Prometheus' metric_relabel_configs, with its names and defaults. Source: prometheus.io, "relabel_config".
struct RelabelRule {
  enum class Action : std::uint8_t { replace, keep, drop, labeldrop, labelkeep };
  Action action = Action::replace;
  std::vector<std::string> source_labels;  ///< __name__ is the metric
  std::string separator = ";";
  std::shared_ptr<const re2::RE2> regex;  ///< must match the whole text
  std::string target_label;               ///< may refer to groups, as the replacement does
  std::string replacement = "$1";
};

/// Reads the list under `key`; mistakes become problems. Regular expressions are RE2, as Prometheus' are.
std::vector<RelabelRule> read_relabelling(config::Section& target, std::string_view key);

/// Applies the rules in turn; false when the series is to be dropped.
bool relabel(const std::vector<RelabelRule>& rules, Labels& series);

/// `text` with $1, ${1}, $name and ${name} as Go's Regexp.Expand writes them; `groups[0]` is the whole match. An unknown
/// group is empty, "$$" is "$".
std::string expand(std::string_view text, const re2::RE2& regex, const std::vector<std::string_view>& groups);

}  // namespace ward
