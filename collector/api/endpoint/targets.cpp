// GET /api/v1/targets?state=: the agents' probes as targets, from what they said of themselves within the last ten minutes.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/#targets
#include <map>

#include "collector/api/prometheus.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::api {
namespace {

using namespace prometheus;

constexpr milliseconds kRecent = std::chrono::minutes{10};

struct Target {
  Labels labels;
  Sample success;
  double seconds = 0;
  std::string reason;
};

/// The newest sample of each series of a metric.
Result<std::vector<SeriesData>> newest(const Queryable& store, std::string_view metric, Time now) {
  const auto matcher = Matcher::make(Matcher::Op::equal, std::string(kNameLabel), std::string(metric));
  if (!matcher) return fail(matcher.error());
  auto found = store.select(std::span(&*matcher, 1), now - kRecent, now);
  if (!found) return found;
  std::erase_if(*found, [](const SeriesData& s) { return s.samples.empty() || is_stale(s.samples.back().v); });
  return found;
}

/// The labels that name a target, whatever the metric.
Labels identity(const Labels& labels) {
  std::vector<Label> kept;
  for (const auto& [name, value] : labels)
    if (name != kNameLabel && name != "reason") kept.emplace_back(name, value);
  return Labels(std::move(kept));
}

Result<std::vector<Target>> targets_of(const Queryable& store, Time now) {
  const auto success = newest(store, "ward_probe_success", now);
  const auto seconds = newest(store, "ward_probe_duration_seconds", now);
  const auto reasons = newest(store, "ward_probe_failure_info", now);
  if (!success) return fail(success.error());
  if (!seconds) return fail(seconds.error());
  if (!reasons) return fail(reasons.error());
  std::map<Labels, Target> by_labels;
  for (const auto& series : *success) {
    const auto labels = identity(series.labels);
    by_labels[labels] = Target{labels, series.samples.back(), 0, {}};
  }
  const auto with = [&](const SeriesData& series, auto use) {
    if (const auto at = by_labels.find(identity(series.labels)); at != by_labels.end()) use(at->second);
  };
  for (const auto& series : *seconds) with(series, [&](Target& t) { t.seconds = series.samples.back().v; });
  for (const auto& series : *reasons)
    with(series, [&](Target& t) {
      if (t.success.v == 0 && series.samples.back().t == t.success.t) t.reason = std::string(series.labels.get("reason"));
    });
  std::vector<Target> out;
  for (auto& [labels, target] : by_labels) out.push_back(std::move(target));
  return out;
}

void append_target(std::string& out, const Target& target) {
  const auto text = [&](const char* key, std::string_view value) {
    out += std::string(",\"") + key + "\":";
    append_text(out, value);
  };
  out += R"({"discoveredLabels":{},"labels":)";
  append_labels(out, target.labels);
  text("scrapePool", target.labels.get("job"));
  text("scrapeUrl", std::string(target.labels.get("probe")) + "://" + std::string(target.labels.get("instance")));
  text("globalUrl", std::string(target.labels.get("probe")) + "://" + std::string(target.labels.get("instance")));
  text("lastError", target.reason);
  text("lastScrape", format_time(target.success.t));
  out += R"(,"lastScrapeDuration":)";
  append_number(out, target.seconds);
  text("health", target.success.v == 0 ? "down" : "up");
  out += '}';
}

Result<http::ServerResponse> run(const View& view, const http::ServerRequest& request, Turn&) {
  const auto state = parameter(request, "state");
  const bool wanted = state.empty() || state == "any" || state == "active";
  const auto targets = targets_of(view.store(), view.clock().wall());
  if (!targets) return fail(targets.error());
  std::string data = R"({"activeTargets":[)";
  for (std::size_t i = 0; wanted && i < targets->size(); ++i) {
    if (i > 0) data += ',';
    append_target(data, (*targets)[i]);
  }
  return success(data + R"(],"droppedTargets":[],"droppedTargetCounts":{}})");
}

async::Task<http::ServerResponse> answer_targets(View& view, http::ServerRequest request) {
  return on_worker(view, std::move(request), run);
}

}  // namespace

Endpoint targets_endpoint() { return {"/api/v1/targets", "The agents' probes", answer_targets}; }

}  // namespace ward::collector::api
