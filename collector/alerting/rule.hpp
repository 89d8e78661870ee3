#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collector/alerting/expression.hpp"
#include "collector/alerting/template.hpp"
#include "collector/event/alert.hpp"
#include "common/base/time.hpp"
#include "common/config/node.hpp"

namespace ward::collector {

/// What a rule is for one tenant instead (Operations: tenantOverrides). The tenant of an alert is its label `tenant`.
struct TenantException {
  std::string tenant;
  bool enabled = true;
  std::shared_ptr<const Expression> expression{};  ///< with the tenant's own limit; null: the rule's
  std::optional<milliseconds> hold{};              ///< `for`
  std::optional<AlertClass> cls{};
};

/// One rule of a loaded file; immutable.
struct Rule {
  enum class Kind : std::uint8_t { alert, record };
  Kind kind = Kind::alert;
  std::string name;
  std::string expr;  ///< as written
  std::shared_ptr<const Expression> expression;
  milliseconds hold{0};         ///< `for`
  milliseconds keep_firing{0};  ///< `keep_firing_for`
  milliseconds interval{0};     ///< of its group
  std::vector<std::pair<std::string, Template>> labels;
  std::vector<std::pair<std::string, Template>> annotations;
  AlertClass cls = AlertClass::informational;  ///< of the `class` label; informational without one
  std::string generator;                       ///< `pack.yaml: group "g", rule "R"`
  std::string place;                           ///< `rules/pack.yaml:5:3: group "g", rule 1, "R": `, for problems
  /// Name, hash of the expression and labels: state is kept across reloads and restarts where this is the same.
  std::string identity;
  std::vector<TenantException> exceptions;  ///< at most one a tenant; of alerts alone

  [[nodiscard]] const TenantException* exception_for(const Labels& instance) const;
  [[nodiscard]] milliseconds hold_for(const Labels& instance) const;
  /// The expression's result at `at`, each tenant's part by its own limit, and without those it is disabled for.
  [[nodiscard]] Result<Vector> evaluate(Time at) const;
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
