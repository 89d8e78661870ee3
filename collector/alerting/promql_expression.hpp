#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "collector/alerting/alert_states.hpp"
#include "collector/alerting/expression.hpp"
#include "collector/promql/baseline_cache.hpp"
#include "collector/promql/engine.hpp"
#include "collector/tsdb/queryable.hpp"

namespace ward::collector {

/// Compiles rule expressions with PromQL over one store. Engine and store outlive the compiler and all it has compiled.
class PromqlCompiler final : public ExpressionCompiler {
 public:
  PromqlCompiler(const promql::Engine& engine, const Queryable& store) : engine_(&engine), store_(&store) {}
  [[nodiscard]] Result<std::shared_ptr<const Expression>> compile(std::string_view text) const override;
  /// Forgets what ward_baseline() said, when the store's past has changed.
  void forget() { baselines_->clear(); }

 private:
  const promql::Engine* engine_;
  const Queryable* store_;
  std::shared_ptr<promql::BaselineCache> baselines_ = std::make_shared<promql::BaselineCache>();
};

/// The context of rules whose templates may `query` through `compiler`, which outlives it.
RuleContext make_rule_context(const ExpressionCompiler& compiler, Labels external_labels, std::string external_url);

}  // namespace ward::collector
