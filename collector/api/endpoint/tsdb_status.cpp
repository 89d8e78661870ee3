// GET /api/v1/status/tsdb?limit=: who has how many series, so that the one that grows is found.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/#tsdb-stats
#include <algorithm>
#include <map>
#include <set>

#include "collector/api/label_query.hpp"

namespace ward::collector::api {
namespace {

using namespace prometheus;

constexpr std::size_t kTop = 10;
constexpr std::uint64_t kPair = 96;  // about what an entry of a map takes beside its text

struct Cardinality {
  std::size_t series = 0;
  std::map<std::string, std::uint64_t> by_metric;
  std::map<std::string, std::uint64_t> by_pair;
  std::map<std::string, std::uint64_t> values_of_name;
  std::map<std::string, std::uint64_t> bytes_of_name;
};

Result<Cardinality> count(const Queryable& store, Turn& turn) {
  const auto any = Matcher::make(Matcher::Op::not_equal, std::string(kNameLabel), "");
  if (!any) return fail(any.error());
  constexpr std::int64_t kFar = std::int64_t{1} << 53;
  const auto reader = store.reader();
  const auto found = reader->find(std::span(&*any, 1), from_ms(-kFar), from_ms(kFar));
  if (!found) return fail(found.error());
  if (auto room = turn.visit(found->size() * sizeof(FoundSeries)); !room) return fail(room.error());
  std::map<LabelId, std::uint64_t> pairs;
  for (const auto& series : *found) {
    const auto before = pairs.size();
    for (const auto id : series.labels()) ++pairs[id];
    if (auto room = turn.visit((pairs.size() - before) * kPair); !room) return fail(room.error());
  }
  Cardinality out;
  out.series = found->size();
  for (const auto& [id, number] : pairs) {
    const auto text = reader->text(id);
    const std::string name(text.name);
    if (name == kNameLabel) out.by_metric[std::string(text.value)] = number;
    if (auto room = turn.visit(2 * kPair + name.size() + 2 * text.value.size()); !room) return fail(room.error());
    out.by_pair[name + "=" + std::string(text.value)] = number;
    ++out.values_of_name[name];
    out.bytes_of_name[name] += text.value.size();
  }
  return out;
}

void append_top(std::string& out, const char* key, const std::map<std::string, std::uint64_t>& counts, std::size_t limit) {
  std::vector<std::pair<std::string, std::uint64_t>> top(counts.begin(), counts.end());
  std::stable_sort(top.begin(), top.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  if (top.size() > limit) top.resize(limit);
  out += std::string(",\"") + key + "\":[";
  for (std::size_t i = 0; i < top.size(); ++i) {
    out += i == 0 ? R"({"name":)" : R"(,{"name":)";
    append_text(out, top[i].first);
    out += R"(,"value":)" + std::to_string(top[i].second) + "}";
  }
  out += "]";
}

/// Ward's own key: what the counts above cannot show, because it is not there.
void append_refused(std::string& out, std::vector<RefusedView> refused, std::size_t limit) {
  std::stable_sort(refused.begin(), refused.end(), [](const auto& a, const auto& b) { return a.series > b.series; });
  if (refused.size() > limit) refused.resize(limit);
  out += R"(,"wardRefusedSeries":[)";
  for (std::size_t i = 0; i < refused.size(); ++i) {
    out += i == 0 ? R"({"tenant":)" : R"(,{"tenant":)";
    append_text(out, refused[i].tenant);
    out += R"(,"metric":)";
    append_text(out, refused[i].metric);
    out += R"(,"value":)" + std::to_string(refused[i].series) + "}";
  }
  out += "]";
}

std::string print(const Cardinality& counted, std::vector<RefusedView> refused, std::size_t limit) {
  std::string data = R"({"headStats":{"numSeries":)" + std::to_string(counted.series) + R"(,"numLabelPairs":)" +
                     std::to_string(counted.by_pair.size()) + "}";
  append_top(data, "seriesCountByMetricName", counted.by_metric, limit);
  append_top(data, "labelValueCountByLabelName", counted.values_of_name, limit);
  append_top(data, "memoryInBytesByLabelName", counted.bytes_of_name, limit);
  append_top(data, "seriesCountByLabelValuePair", counted.by_pair, limit);
  append_refused(data, std::move(refused), limit);
  return data + "}";
}

Result<http::ServerResponse> run(const View& view, const http::ServerRequest& request,
                                 const std::vector<RefusedView>& refused, Turn& turn) {
  const auto limit = limit_parameter(request);
  if (!limit) return bad_parameter("limit", limit.error().what);
  const auto counted = count(view.store(), turn);
  if (!counted) return fail(counted.error());
  return success(print(*counted, refused, *limit == 0 ? kTop : *limit));
}

async::Task<http::ServerResponse> answer_tsdb_status(View& view, http::ServerRequest request) {
  // Now, on the io thread, whose it is.
  Work work = [refused = view.refused_series()](const View& of, const http::ServerRequest& asked, Turn& turn) {
    return run(of, asked, refused, turn);
  };
  return on_worker(view, std::move(request), std::move(work));
}

}  // namespace

Endpoint tsdb_status_endpoint() { return {"/api/v1/status/tsdb", "Cardinality", answer_tsdb_status}; }

}  // namespace ward::collector::api
