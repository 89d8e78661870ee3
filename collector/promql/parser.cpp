#include "collector/promql/parser.hpp"

#include <algorithm>

#include "collector/promql/annotations.hpp"
#include "collector/promql/grammar.hpp"
#include "collector/promql/typecheck.hpp"

namespace ward::promql {
namespace {

tl::unexpected<Error> as_error(const ParseError& error, std::string_view query) {
  return fail(Errc::invalid, line_and_column(query, error.pos.start) + ": parse error: " + error.message,
              "Correct the expression at this line and column.");
}

}  // namespace

Result<Expr> parse(std::string_view query) {
  Parser parser{query};
  auto root = parser.query();
  if (!root) return as_error(parser.error(), query);
  if (const auto error = check_types(*root, query)) return as_error(*error, query);
  return Expr{std::shared_ptr<const Node>(std::move(root)), std::string(query)};
}

Result<std::vector<Matcher>> parse_selector(std::string_view text) {
  Parser parser{text};
  auto matchers = parser.selector_only();
  if (!matchers) return as_error(parser.error(), text);
  if (std::none_of(matchers->begin(), matchers->end(), [](const Matcher& m) { return !m.matches(""); }))
    return as_error({{}, "vector selector must contain at least one non-empty matcher"}, text);
  return std::move(*matchers);
}

}  // namespace ward::promql
