#include "collector/api/label_query.hpp"

#include <algorithm>
#include <set>
#include <unordered_set>

namespace ward::collector::api::prometheus {
namespace {

/// Calls `visit` with each matching series of each selector; a series that matches two selectors comes twice.
template <class Visit>
Status for_each_series(SeriesReader& reader, const LabelQuery& query, Visit visit) {
  auto selectors = query.selectors;
  if (selectors.empty()) {
    auto any = Matcher::make(Matcher::Op::not_equal, std::string(kNameLabel), "");
    if (!any) return fail(any.error());
    selectors.push_back({std::move(*any)});
  }
  for (const auto& matchers : selectors) {
    const auto found = reader.find(matchers, query.start, query.end);
    if (!found) return fail(found.error());
    if (!query.bounded) {
      for (const auto& series : *found) visit(series);
      continue;
    }
    SampleBatch batch;
    for (std::span<const FoundSeries> rest = *found; !rest.empty();) {
      const auto some = rest.first(std::min(rest.size(), SeriesReader::kBatch));
      rest = rest.subspan(some.size());
      if (auto read = reader.read_latest(some, query.start, query.end, batch); !read) return read;
      for (std::size_t i = 0; i < some.size(); ++i)
        if (!batch[i].empty()) visit(some[i]);
    }
  }
  return {};
}

}  // namespace

Result<LabelQuery> label_query(const http::ServerRequest& request) {
  LabelQuery query;
  const auto invalid = [](std::string_view name, const Error& error) {
    return fail(Errc::invalid, "invalid parameter \"" + std::string(name) + "\": " + error.what, "");
  };
  auto chosen = selectors(request);
  if (!chosen) return invalid("match[]", chosen.error());
  query.selectors = std::move(*chosen);
  // Times of 63 bits would overflow where a reader adds to them.
  constexpr std::int64_t kFar = std::int64_t{1} << 53;
  const auto start = time_parameter(request, "start", from_ms(-kFar));
  if (!start) return invalid("start", start.error());
  const auto end = time_parameter(request, "end", from_ms(kFar));
  if (!end) return invalid("end", end.error());
  if (*end < *start)
    return fail(Errc::invalid, "invalid parameter \"end\": end timestamp must not be before start time", "");
  const auto limit = limit_parameter(request);
  if (!limit) return invalid("limit", limit.error());
  query.start = *start;
  query.end = *end;
  query.limit = *limit;
  query.bounded = !parameter(request, "start").empty() || !parameter(request, "end").empty();
  return query;
}

Result<std::vector<Labels>> series_of(const Queryable& store, const LabelQuery& query) {
  const auto reader = store.reader();
  std::set<Labels> out;
  const auto done = for_each_series(*reader, query, [&](const FoundSeries& series) {
    std::vector<Label> labels;
    labels.reserve(series.label_count);
    for (const auto id : series.labels()) {
      const auto text = reader->text(id);
      labels.emplace_back(std::string(text.name), std::string(text.value));
    }
    out.emplace(std::move(labels));
  });
  if (!done) return fail(done.error());
  return std::vector<Labels>(out.begin(), out.end());
}

Result<std::vector<std::string>> label_names_of(const Queryable& store, const LabelQuery& query) {
  const auto reader = store.reader();
  std::unordered_set<std::uint32_t> seen;
  std::vector<std::string> names;
  const auto done = for_each_series(*reader, query, [&](const FoundSeries& series) {
    for (const auto id : series.labels())
      if (seen.insert(reader->name_number(id)).second) names.emplace_back(reader->text(id).name);
  });
  if (!done) return fail(done.error());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());  // numbers live per find()
  return names;
}

Result<std::vector<std::string>> label_values_of(const Queryable& store, const LabelQuery& query, const std::string& name) {
  const auto reader = store.reader();
  std::unordered_set<LabelId> seen;
  std::vector<std::string> values;
  const auto done = for_each_series(*reader, query, [&](const FoundSeries& series) {
    for (const auto id : series.labels()) {
      const auto text = reader->text(id);
      if (text.name == name && seen.insert(id).second) values.emplace_back(text.value);
    }
  });
  if (!done) return fail(done.error());
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

}  // namespace ward::collector::api::prometheus
