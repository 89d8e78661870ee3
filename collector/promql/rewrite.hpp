#pragma once
#include <optional>
#include <span>

#include "collector/promql/ast.hpp"

namespace ward::promql {

/// The query as it looks at one part of the world: every selector gets these matchers, save where it has one of that name
/// already, for then its author has chosen. Its text is printed anew.
Expr narrowed(const Expr& expr, std::span<const Matcher> matchers);

/// The query with another limit. A limit is the number that the result is compared with, whatever stands in parentheses
/// around it or behind `and` and `unless`: 0.9 in `a / b > 0.9 and on () c`. Errors: invalid, when there is none.
Result<Expr> with_limit(const Expr& expr, double limit);

/// A comparison that says 1 where it holds and 0 where it does not, instead of leaving out what does not, so that "no" can
/// be told from "no data". nullopt: the query is no comparison of vectors.
std::optional<Expr> as_question(const Expr& expr);

}  // namespace ward::promql
