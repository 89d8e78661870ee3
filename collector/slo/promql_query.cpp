// The only file of this room that sees PromQL.
#include "collector/slo/promql_query.hpp"

#include <map>
#include <memory>
#include <utility>
#include <variant>

#include "collector/promql/engine.hpp"
#include "collector/promql/parser.hpp"

namespace ward::collector::slo {

SliQuery make_sli_query(const promql::Engine& engine, const Queryable& store) {
  auto parsed = std::make_shared<std::map<std::string, promql::Expr>>();
  return [&engine, &store, parsed](const std::string& query, Time at) -> Result<std::vector<SeriesValue>> {
    auto known = parsed->find(query);
    if (known == parsed->end()) {
      auto expr = promql::parse(query);
      if (!expr) return fail(expr.error());
      known = parsed->emplace(query, std::move(*expr)).first;
    }
    auto value = engine.instant(known->second, store, at);
    if (!value) return fail(value.error());
    std::vector<SeriesValue> out;
    if (const auto* scalar = std::get_if<double>(&*value)) {
      out.push_back({Labels{}, *scalar});
    } else if (auto* vector = std::get_if<promql::Vector>(&*value)) {
      for (auto& element : *vector) out.push_back({std::move(element.labels), element.value});
    }
    return out;
  };
}

Result<ParsedQuery> parse_sli_query(const std::string& query) {
  auto expr = promql::parse(query);
  if (!expr) return fail(expr.error());
  if (expr->type() != promql::ValueType::vector && expr->type() != promql::ValueType::scalar)
    return fail(Errc::invalid, "the query yields " + std::string(documented(expr->type())) + ", not one value a series",
                "Write a selector like requests_total{code=~\"5..\"} without a range, or an expression that yields an "
                "instant vector.");
  const auto& root = promql::unwrap_parens(expr->root());
  const auto* selector = std::get_if<promql::VectorSelector>(&root.data);
  const bool bare =
      selector != nullptr && selector->when.offset.count() == 0 && selector->when.point == promql::AtPoint::none;
  return ParsedQuery{bare ? selector->matchers : std::vector<Matcher>{}};
}

}  // namespace ward::collector::slo
