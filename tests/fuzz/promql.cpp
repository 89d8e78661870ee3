// PromQL text: what parses prints to something that parses to the same print. The same bytes also as a selector and as a
// series of a unit test.
#include "collector/promql/parser.hpp"
#include "collector/promql/series_description.hpp"
#include "tests/fuzz/target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ward::promql;
  const auto query = ward::fuzz::text({data, size});
  if (const auto expr = parse(query)) {
    const auto printed = to_string(*expr);
    const auto again = parse(printed);
    WARD_ASSERT(again && to_string(*again) == printed && again->type() == expr->type());
  } else {
    WARD_ASSERT(!expr.error().what.empty());
  }
  (void)parse_selector(query);
  if (size < 1'000) (void)parse_series_description(query);
  return 0;
}
