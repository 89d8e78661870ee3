#include "collector/api/label_query.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <unordered_set>

namespace ward::collector::api::prometheus {
namespace {

/// What a node of a set takes beside its value.
constexpr std::uint64_t kNode = 48;

std::uint64_t bytes_of(const Labels& labels) {
  std::uint64_t bytes = sizeof(Labels) + kNode;
  for (const auto& [name, value] : labels) bytes += sizeof(Label) + name.size() + value.size();
  return bytes;
}

/// Calls `visit` with each matching series of each selector; a series that matches two selectors comes twice. It returns
/// the bytes it keeps.
template <class Visit>
Status for_each_series(SeriesReader& reader, const LabelQuery& query, Turn& turn, Visit visit) {
  auto selectors = query.selectors;
  if (selectors.empty()) {
    auto any = Matcher::make(Matcher::Op::not_equal, std::string(kNameLabel), "");
    if (!any) return fail(any.error());
    selectors.push_back({std::move(*any)});
  }
  for (const auto& matchers : selectors) {
    const auto found = reader.find(matchers, query.start, query.end);
    if (!found) return fail(found.error());
    if (auto room = turn.visit(found->size() * sizeof(FoundSeries)); !room) return room;
    if (!query.bounded) {
      for (const auto& series : *found)
        if (auto room = turn.visit(visit(series)); !room) return room;
      continue;
    }
    SampleBatch batch;
    for (std::span<const FoundSeries> rest = *found; !rest.empty();) {
      const auto some = rest.first(std::min(rest.size(), SeriesReader::kBatch));
      rest = rest.subspan(some.size());
      if (auto read = reader.read_latest(some, query.start, query.end, batch); !read) return read;
      for (std::size_t i = 0; i < some.size(); ++i)
        if (auto room = turn.visit(batch[i].empty() ? 0 : visit(some[i])); !room) return room;
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

Result<std::vector<Labels>> series_of(const Queryable& store, const LabelQuery& query, Turn& turn) {
  const auto reader = store.reader();
  std::set<Labels> first;
  const auto done = for_each_series(*reader, query, turn, [&](const FoundSeries& series) -> std::uint64_t {
    std::vector<Label> labels;
    labels.reserve(series.label_count);
    for (const auto id : series.labels()) {
      const auto text = reader->text(id);
      labels.emplace_back(std::string(text.name), std::string(text.value));
    }
    const auto [at, is_new] = first.emplace(std::move(labels));
    if (!is_new) return 0;
    const auto bytes = bytes_of(*at);
    if (query.limit == 0 || first.size() - 1 <= query.limit) return bytes;
    const auto dropped = bytes_of(*first.rbegin());
    first.erase(std::prev(first.end()));
    if (dropped <= bytes) return bytes - dropped;
    turn.memory.give(dropped - bytes);
    return 0;
  });
  if (!done) return fail(done.error());
  std::vector<Labels> out;
  out.reserve(first.size());
  while (!first.empty()) out.push_back(std::move(first.extract(first.begin()).value()));
  return out;
}

Result<std::vector<std::string>> label_names_of(const Queryable& store, const LabelQuery& query, Turn& turn) {
  const auto reader = store.reader();
  std::unordered_set<std::uint32_t> seen;
  std::vector<std::string> names;
  const auto done = for_each_series(*reader, query, turn, [&](const FoundSeries& series) {
    std::uint64_t bytes = 0;
    for (const auto id : series.labels()) {
      if (!seen.insert(reader->name_number(id)).second) continue;
      names.emplace_back(reader->text(id).name);
      bytes += sizeof(std::string) + kNode + names.back().size();
    }
    return bytes;
  });
  if (!done) return fail(done.error());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());  // numbers live per find()
  return names;
}

Result<std::vector<std::string>> label_values_of(const Queryable& store, const LabelQuery& query, const std::string& name,
                                                 Turn& turn) {
  const auto reader = store.reader();
  std::unordered_set<LabelId> seen;
  std::vector<std::string> values;
  const auto done = for_each_series(*reader, query, turn, [&](const FoundSeries& series) {
    std::uint64_t bytes = 0;
    for (const auto id : series.labels()) {
      const auto text = reader->text(id);
      if (text.name != name || !seen.insert(id).second) continue;
      values.emplace_back(text.value);
      bytes += sizeof(std::string) + kNode + text.value.size();
    }
    return bytes;
  });
  if (!done) return fail(done.error());
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

}  // namespace ward::collector::api::prometheus
