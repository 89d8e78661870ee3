#pragma once
#include <string>
#include <vector>

#include "collector/api/prometheus.hpp"

namespace ward::collector::api::prometheus {

/// What /series, /labels and /label/NAME/values ask: a time range, selectors (none: every series), a limit.
struct LabelQuery {
  std::vector<std::vector<Matcher>> selectors;
  Time start;
  Time end;
  bool bounded = false;  ///< start or end was given: only series with samples in between count
  std::size_t limit = 0;
};
/// Reads start, end, match[] and limit; the error is a ready sentence for bad_data.
Result<LabelQuery> label_query(const http::ServerRequest& request);

/// Each is sorted and without duplicates. Run on the pool: they visit every matching series, within the bounds of `turn`.
/// With a limit: the first of them and one more, which tells that there are more.
Result<std::vector<Labels>> series_of(const Queryable& store, const LabelQuery& query, Turn& turn);
Result<std::vector<std::string>> label_names_of(const Queryable& store, const LabelQuery& query, Turn& turn);
Result<std::vector<std::string>> label_values_of(const Queryable& store, const LabelQuery& query, const std::string& name,
                                                 Turn& turn);

}  // namespace ward::collector::api::prometheus
