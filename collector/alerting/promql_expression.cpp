// The only file of this room that sees PromQL.
#include "collector/alerting/promql_expression.hpp"

#include <algorithm>
#include <utility>

#include "collector/alerting/missing_data.hpp"
#include "collector/promql/parser.hpp"

namespace ward::collector {
namespace {

class PromqlExpression final : public Expression {
 public:
  PromqlExpression(promql::Expr expr, const promql::Engine& engine, const Queryable& store,
                   std::shared_ptr<promql::BaselineCache> baselines)
      : expr_(std::move(expr)),
        engine_(engine),
        store_(store),
        baselines_(std::move(baselines)),
        reads_(promql::reads_of(expr_, milliseconds{0})) {}

  [[nodiscard]] Result<Vector> evaluate(Time at) const override {
    auto value = engine_.instant(expr_, store_, at, {.baselines = baselines_.get()});
    if (!value) return fail(value.error());
    Vector out;
    if (const auto* scalar = std::get_if<double>(&*value)) {
      out.push_back({Labels{}, *scalar});
    } else if (auto* vector = std::get_if<promql::Vector>(&*value)) {
      for (auto& element : *vector) out.push_back({std::move(element.labels), element.value});
    } else {
      return fail(Errc::invalid, "rule result is not a vector or scalar", "Let the expression yield one value per series.");
    }
    return out;
  }
  [[nodiscard]] const std::vector<std::string>& metrics() const override { return reads_.metrics; }
  [[nodiscard]] milliseconds range() const override { return reads_.fresh; }
  [[nodiscard]] bool of_absence() const override { return reads_.absence; }
  [[nodiscard]] bool is_silent(const Labels& instance, Time at, milliseconds within) const override {
    const auto lookback = engine_.options().lookback;
    return std::any_of(reads_.present.begin(), reads_.present.end(), [&](const promql::PresentSelector& selector) {
      const Heard heard{selector.range.count() > 0 ? selector.range : lookback, selector.samples};
      return collector::is_silent(store_, selector.matchers, instance, at, heard, within);
    });
  }

 private:
  promql::Expr expr_;
  const promql::Engine& engine_;
  const Queryable& store_;
  std::shared_ptr<promql::BaselineCache> baselines_;
  promql::Reads reads_;
};

}  // namespace

Result<std::shared_ptr<const Expression>> PromqlCompiler::compile(std::string_view text) const {
  auto expr = promql::parse(text);
  if (!expr) return fail(expr.error());
  return std::make_shared<const PromqlExpression>(std::move(*expr), *engine_, *store_, baselines_);
}

RuleContext make_rule_context(const ExpressionCompiler& compiler, Labels external_labels, std::string external_url) {
  RuleContext context;
  context.external_labels = std::move(external_labels);
  context.external_url = std::move(external_url);
  context.query = [&compiler](const std::string& query, Time at) -> Result<Vector> {
    auto expression = compiler.compile(query);
    if (!expression) return fail(expression.error());
    return (*expression)->evaluate(at);
  };
  return context;
}

}  // namespace ward::collector
