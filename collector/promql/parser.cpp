#include "collector/promql/parser.hpp"

#include <algorithm>

#include "collector/promql/grammar.hpp"
#include "collector/promql/typecheck.hpp"

namespace ward::promql {
namespace {

tl::unexpected<Error> as_error(const ParseError& error, std::string_view query) {
  const auto before = query.substr(0, std::min<std::size_t>(error.pos.start, query.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto newline = before.rfind('\n');
  const auto column = newline == std::string_view::npos ? error.pos.start + 1 : error.pos.start - newline;
  return fail(Errc::invalid, std::to_string(line) + ":" + std::to_string(column) + ": parse error: " + error.message,
              "Correct the expression at this line and column.");
}

}  // namespace

Result<Expr> parse(std::string_view query) {
  Parser parser{query};
  auto root = parser.query();
  if (!root) return as_error(parser.error(), query);
  if (const auto error = check_types(*root, query)) return as_error(*error, query);
  return Expr{std::shared_ptr<const Node>(std::move(root))};
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
