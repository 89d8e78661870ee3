#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "collector/alerting/expression.hpp"
#include "collector/alerting/template.hpp"
#include "collector/event/alert.hpp"
#include "common/base/time.hpp"
#include "common/config/node.hpp"

namespace ward::collector {

/// One rule of a loaded file; immutable.
struct Rule {
  enum class Kind : std::uint8_t { alert, record };
  Kind kind = Kind::alert;
  std::string name;
  std::string expr;  ///< as written
  std::shared_ptr<const Expression> expression;
  milliseconds hold{0};         ///< `for`
  milliseconds keep_firing{0};  ///< `keep_firing_for`
  std::vector<std::pair<std::string, Template>> labels;
  std::vector<std::pair<std::string, Template>> annotations;
  AlertClass cls = AlertClass::informational;  ///< of the `class` label; informational without one
  std::string generator;                       ///< `pack.yaml: group "g", rule "R"`
  /// Name, hash of the expression and labels: state is kept across reloads and restarts where this is the same.
  std::string identity;
};

struct RuleGroup {
  std::string file;
  std::string name;
  milliseconds interval{0};
  milliseconds query_offset{0};
  std::size_t limit = 0;  ///< alerts or series a rule may yield; 0: any number
  std::vector<Rule> rules;
  /// Names the group across reloads: base name of the file and the group's name.
  [[nodiscard]] std::string key() const;
};

/// A document of another kind in a rule file (ServiceMap, SLO, Operations, Test...), for the room that owns the kind.
struct OtherDocument {
  std::string kind;
  config::Node node;
};

/// All rule files of one load. Immutable once built.
struct RuleSet {
  std::vector<RuleGroup> groups;
  std::vector<OtherDocument> others;
};

}  // namespace ward::collector
