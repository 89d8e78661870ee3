#include "collector/slo/indicator_document.hpp"

#include <utility>

#include "collector/slo/promql_query.hpp"

namespace ward::collector::slo {
namespace {

/// {metricSource: {metricSourceRef?, type?, spec: {query}}}
SliSource read_source(config::Section from, SliRole role, bool counter) {
  SliSource source{.role = role, .query = {}, .matchers = {}, .counter = counter};
  auto metric = from.child("metricSource");
  metric.text("metricSourceRef", "");
  const auto type = metric.text("type", "Prometheus");
  if (type != "Prometheus" && type != "prometheus" && type != "Ward")
    metric.problems().add(metric.at("type"), "the metric source is of type '" + type + "'",
                          "Use Prometheus: Ward counts what it receives.");
  auto spec = metric.child("spec");
  source.query = spec.text("query");
  if (!source.query.empty()) {
    auto parsed = parse_sli_query(source.query);
    if (parsed)
      source.matchers = std::move(parsed->matchers);
    else
      spec.problems().add(spec.at("query"), "could not parse expression: " + parsed.error().what,
                          parsed.error().fix.empty() ? "Mend the query." : parsed.error().fix);
  }
  spec.close();
  metric.close();
  from.close();
  return source;
}

void read_ratio(config::Section ratio, Indicator& into) {
  const bool counter = ratio.flag("counter", false);
  const bool has_good = ratio.has("good");
  const bool has_bad = ratio.has("bad");
  if (ratio.has("raw")) {
    const auto type = ratio.choice("rawType", {"success", "failure"}, 0);
    if (counter)
      ratio.problems().add(ratio.at("counter"), "a raw ratio is no counter", "Remove 'counter', or give good and total.");
    if (has_good || has_bad || ratio.has("total"))
      ratio.problems().add(ratio.at("raw"), "a ratio has either raw or good (or bad) and total, not both",
                           "Remove one of them.");
    for (const auto* key : {"good", "bad", "total"}) ratio.raw(key);
    into.sources.push_back(read_source(ratio.child("raw"), type == 0 ? SliRole::raw_good : SliRole::raw_bad, false));
  } else {
    if (has_good == has_bad)
      ratio.problems().add(ratio.at(),
                           has_good ? "a ratio has both good and bad events" : "a ratio has neither good nor bad events",
                           "Give exactly one of 'good' and 'bad', and 'total'.");
    ratio.text("rawType", "");
    if (!ratio.has("total"))
      ratio.problems().add(ratio.at(), "a ratio without 'total' has nothing to be a share of", "Add 'total'.");
    if (has_good) into.sources.push_back(read_source(ratio.child("good"), SliRole::good, counter));
    if (has_bad) {
      auto bad = ratio.child("bad");
      if (!has_good) into.sources.push_back(read_source(std::move(bad), SliRole::bad, counter));
    }
    if (ratio.has("total")) into.sources.push_back(read_source(ratio.child("total"), SliRole::total, counter));
    // So that close() offers them where a key is misspelt.
    for (const auto* key : {"good", "bad", "total", "raw"}) ratio.raw(key);
    if (into.sources.size() == 2 && into.sources[0].query == into.sources[1].query && !into.sources[0].query.empty())
      ratio.problems().add(ratio.at("total"), "both sides of the ratio are the same query",
                           "Let one of them select the good or bad events only.");
  }
  ratio.close();
}

}  // namespace

std::optional<Comparison> read_comparison(config::Section& from) {
  if (!from.has("op")) return std::nullopt;
  static constexpr Comparison kOps[] = {Comparison::lt, Comparison::lte, Comparison::gt, Comparison::gte};
  return kOps[from.choice("op", {"lt", "lte", "gt", "gte"}, 0)];
}

Indicator read_indicator(config::Section& spec, std::string name) {
  Indicator out;
  out.name = std::move(name);
  spec.text("description", "");
  const bool ratio = spec.has("ratioMetric");
  const bool threshold = spec.has("thresholdMetric");
  if (ratio == threshold)
    spec.problems().add(spec.at(),
                        ratio ? "an indicator has both ratioMetric and thresholdMetric"
                              : "an indicator needs ratioMetric or thresholdMetric",
                        "Give exactly one of them.");
  if (ratio) read_ratio(spec.child("ratioMetric"), out);
  if (threshold) {
    auto metric = spec.child("thresholdMetric");
    if (!ratio) out.sources.push_back(read_source(std::move(metric), SliRole::threshold, false));
  }
  for (const auto* key : {"ratioMetric", "thresholdMetric"}) spec.raw(key);
  spec.close();
  return out;
}

IndicatorUse read_indicator_use(config::Section& from) {
  IndicatorUse use;
  use.at = from.at();
  const bool written = from.has("indicator");
  if (written && from.has("indicatorRef"))
    from.problems().add(from.at("indicatorRef"), "both 'indicator' and 'indicatorRef' are given", "Remove one of them.");
  use.ref = from.text("indicatorRef", "");
  if (!written) {
    from.raw("indicator");
    if (!use.ref.empty()) use.at = from.at("indicatorRef");
    return use;
  }
  use.at = from.at("indicator");
  auto indicator = from.child("indicator");
  auto metadata = indicator.child("metadata");
  auto name = metadata.text("name", "");
  for (const auto* key : {"displayName", "labels", "annotations"}) metadata.raw(key);
  metadata.close();
  auto spec = indicator.child("spec");
  use.written = read_indicator(spec, std::move(name));
  indicator.close();
  return use;
}

}  // namespace ward::collector::slo
