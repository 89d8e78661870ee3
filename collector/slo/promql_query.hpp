#pragma once
#include <functional>
#include <string>
#include <vector>

#include "collector/tsdb/queryable.hpp"
#include "common/base/result.hpp"
#include "common/base/world.hpp"
#include "common/model/batch.hpp"

namespace ward::promql {
class Engine;
}

namespace ward::collector::slo {

/// Answers an indicator's PromQL: each element of the vector, or one without labels for a scalar. Errors: as the engine's.
using SliQuery = std::function<Result<std::vector<SeriesValue>>(const std::string& query, Time at)>;

/// By Ward's own engine; both outlive the result. Thread: one at a time.
SliQuery make_sli_query(const promql::Engine& engine, const Queryable& store);

struct ParsedQuery {
  std::vector<Matcher> matchers;  ///< of a bare selector; empty for any other expression
};
/// Errors: invalid, Prometheus' own sentence.
Result<ParsedQuery> parse_sli_query(const std::string& query);

}  // namespace ward::collector::slo
