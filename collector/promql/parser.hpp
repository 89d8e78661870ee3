#pragma once
#include <string_view>
#include <vector>

#include "collector/promql/ast.hpp"

namespace ward::promql {

/// Deepest nesting a query may have: parsing, checking and evaluation recurse once a level.
inline constexpr std::uint16_t kMaxDepth = 400;

/// Reads and type-checks a query of Prometheus 3. Errors: invalid; `what` is Prometheus' sentence with line and column,
/// "1:11: parse error: unexpected end of input".
Result<Expr> parse(std::string_view query);
/// Reads one selector without range or modifiers (`up{job="x"}`, `{__name__=~"a|b"}`), as federation, series and silence
/// requests use. Errors: as parse().
Result<std::vector<Matcher>> parse_selector(std::string_view text);

}  // namespace ward::promql
