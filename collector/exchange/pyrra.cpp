// Pyrra's ServiceLevelObjective (pyrra.dev/v1alpha1) into openslo/v1 and BurnPolicy.
// Source: Pyrra's documented resource; its burn windows are those of 28 days, stretched to the SLO's own.
#include <algorithm>
#include <map>
#include <set>

#include "collector/exchange/imported.hpp"
#include "collector/exchange/slo_draft.hpp"
#include "collector/exchange/source.hpp"
#include "collector/slo/period.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::exchange {
namespace {

using config::Node;
using namespace std::chrono_literals;

constexpr std::string_view kPrefix = "pyrra.dev/";
constexpr auto kAbsentAfter = "10m";

struct Pair {
  double factor;
  milliseconds long_window, short_window, after;
  bool page;
};
/// For a window of 28 days.
constexpr Pair kPairs[] = {
    {14, 1h, 5min, 2min, true}, {7, 6h, 30min, 15min, true}, {2, 24h, 2h, 1h, false}, {1, 96h, 6h, 3h, false}};
constexpr milliseconds kPairsPeriod = std::chrono::hours{28 * 24};

milliseconds stretched(milliseconds d, milliseconds period) {
  const auto share =
      static_cast<double>(d.count()) * static_cast<double>(period.count()) / static_cast<double>(kPairsPeriod.count());
  const auto whole = std::chrono::round<std::chrono::minutes>(milliseconds{static_cast<std::int64_t>(share)});
  return std::max<milliseconds>(whole, 1min);
}

std::vector<BurnDraft> windows_of(milliseconds period) {
  std::vector<BurnDraft> out;
  for (const auto& pair : kPairs) {
    BurnDraft one{.factor = pair.factor, .page = pair.page, .after = stretched(pair.after, period)};
    one.short_window = stretched(pair.short_window, period);
    one.long_window = std::max<milliseconds>(stretched(pair.long_window, period), one.short_window + 1min);
    out.push_back(one);
  }
  return out;
}

/// Labels and annotations that Pyrra hands on to alerts: those with its prefix, without it.
SloDraft::Pairs handed_on(const SloDraft::Pairs& from) {
  SloDraft::Pairs out;
  for (const auto& [name, value] : from)
    if (name.starts_with(kPrefix)) out.emplace_back(name.substr(kPrefix.size()), value);
  return out;
}

class Pyrra {
 public:
  Imported run(const std::vector<Node>& documents) {
    for (const auto& document : documents) read(document);
    for (const auto& [name, period] : policies_) out_.documents.push_back(burn_policy_document(name, windows_of(period)));
    return std::move(out_);
  }

 private:
  void read(const Node& document) {
    Source from(document, "this document", out_.notes);
    const auto api = from.text("apiVersion");
    const auto kind = from.text("kind");
    if (kind != "ServiceLevelObjective" || !api.starts_with(kPrefix)) {
      out_.notes.lost(document.at(), kind.empty() ? "this document" : "this document of kind " + kind,
                      "it is no ServiceLevelObjective of pyrra.dev/v1alpha1", "import it with the tool it is of");
      return;
    }
    auto metadata = from.child("metadata", "metadata");
    SloDraft draft;
    draft.at = document.at();
    draft.name = metadata.text("name");
    const auto space = metadata.text("namespace");
    const auto at_labels = metadata.at("labels");
    const auto at_annotations = metadata.at("annotations");
    const auto all_labels = metadata.text_map("labels");
    const auto all_annotations = metadata.text_map("annotations");
    const auto labels = handed_on(all_labels);
    const auto annotations = handed_on(all_annotations);
    tell_of_rest(all_labels, labels, at_labels, "label");
    tell_of_rest(all_annotations, annotations, at_annotations, "annotation");
    metadata.close();
    if (draft.name.empty()) {
      out_.notes.lost(document.at(), "this ServiceLevelObjective", "it has no metadata.name", "name it and import again");
      return;
    }
    auto spec = from.child("spec", "spec of SLO '" + draft.name + "'");
    const bool counts = read_spec(spec, draft);
    from.drop({"status"}, "it is Pyrra's own news", "nothing is to be done");
    from.close();
    if (!counts || !is_new_name(names_, draft, out_.notes)) return;
    name_service(draft, labels, space);
    take_labels(draft, labels, at_labels, out_.notes);
    take_annotations(draft, annotations, at_annotations, out_.notes);
    take_grouping(draft, draft.indicator.group_by, draft.at, out_.notes);
    out_.documents.push_back(slo_document(draft));
  }

  void tell_of_rest(const SloDraft::Pairs& all, const SloDraft::Pairs& taken, const config::Position& at,
                    const std::string& what) {
    if (all.size() == taken.size()) return;
    std::string names;
    for (const auto& [name, value] : all)
      if (!name.starts_with(kPrefix)) names += (names.empty() ? "'" : ", '") + name + "'";
    out_.notes.lost(at, what + "s " + names,
                    "without the prefix " + std::string(kPrefix) + " they are Kubernetes' and no part of the SLO",
                    "nothing is to be done");
  }

  void name_service(SloDraft& draft, const SloDraft::Pairs& labels, const std::string& space) {
    const auto named = std::find_if(labels.begin(), labels.end(), [](const auto& l) { return l.first == "service"; });
    draft.service = named != labels.end() ? named->second : !space.empty() ? space : draft.name;
    if (named == labels.end())
      out_.notes.changed(draft.at, "the service of SLO '" + draft.name + "' is '" + draft.service + "'",
                         "Pyrra names none and incidents are found by service", "write the name that the ServiceMap has");
  }

  bool read_spec(Source& spec, SloDraft& draft) {
    draft.target_percent = spec.text("target");
    draft.description = spec.text("description");
    draft.period = spec.text("window");
    spec.drop({"performanceOverAccuracy", "performance_over_accuracy"},
              "Ward counts as samples arrive, exactly and for the same cost", "nothing is to be done");
    const auto period = parse_duration(draft.period);
    const bool counts = read_indicator(spec.child("indicator", "indicator of SLO '" + draft.name + "'"), draft);
    read_alerting(spec.child("alerting", "alerting of SLO '" + draft.name + "'"), draft, period ? *period : milliseconds{0});
    spec.close();
    if (is_target_percent(draft.target_percent) && period && *period >= 1h && slo::parse_period(draft.period)) return counts;
    out_.notes.lost(draft.at, "SLO '" + draft.name + "'",
                    "its target is not above 0 and below 100, or its window is no duration of an hour or more",
                    "mend it and import again");
    return false;
  }

  void read_alerting(Source from, SloDraft& draft, milliseconds period) {
    from.drop({"name", "absentName"}, "an alert is named like its SLO, and SloNoData tells of absence",
              "name the SLO in routes and silences that match alertname");
    const bool disabled = from.flag("disabled").value_or(false);
    const bool burns = from.flag("burnrates").value_or(true);
    const bool absent = from.flag("absent").value_or(true);
    from.close();
    if (!disabled && burns && period >= 1h) {
      draft.policy = "pyrra-" + draft.period;
      policies_[draft.policy] = period;
      if (stretched(5min, period) <= 1min)
        out_.notes.changed(draft.at, "the shortest burn windows of SLO '" + draft.name + "'",
                           "Ward's are whole minutes, at least one", "see the BurnPolicy " + draft.policy);
    }
    if (disabled || !absent) return;
    draft.annotations.emplace_back("ward.io/absent-after", kAbsentAfter);
    out_.notes.changed(draft.at, "the alert SLOMetricAbsent of SLO '" + draft.name + "'",
                       "Ward tells platform by SloNoData when no sample came for " + std::string(kAbsentAfter),
                       "set ward.io/absent-after to what fits");
  }

  std::string metric(Source from, SloDraft& draft, bool& fine) {
    const auto at = from.at("metric");
    auto selector = selector_text(from.text("metric"));
    from.close();
    if (selector) return *selector;
    fine = false;
    out_.notes.lost(at, "SLO '" + draft.name + "'", "the metric of its indicator cannot be read: " + selector.error().what,
                    "mend it and import again");
    return {};
  }

  bool read_ratio(Source from, SloDraft& draft, std::string_view part, RatioIndicator::Kind kind) {
    bool fine = true;
    draft.indicator.kind = kind;
    draft.indicator.part = metric(from.child(part, from.whose()), draft, fine);
    draft.indicator.total = metric(from.child("total", from.whose()), draft, fine);
    draft.indicator.group_by = from.texts("grouping");
    from.close();
    if (fine && draft.indicator.part == draft.indicator.total) {
      out_.notes.lost(from.at(), "SLO '" + draft.name + "'", "both sides of its indicator are the same metric",
                      "mend it and import again");
      return false;
    }
    return fine;
  }

  bool read_indicator(Source from, SloDraft& draft) {
    bool fine = false;
    if (from.has("ratio")) {
      fine = read_ratio(from.child("ratio", from.whose()), draft, "errors", RatioIndicator::Kind::bad);
    } else if (from.has("latency")) {
      fine = read_ratio(from.child("latency", from.whose()), draft, "success", RatioIndicator::Kind::good);
    } else if (from.has("bool_gauge") || from.has("boolGauge")) {
      auto gauge = from.child(from.has("bool_gauge") ? "bool_gauge" : "boolGauge", from.whose());
      fine = true;
      const auto at = gauge.at("metric");
      auto selector = selector_text(gauge.text("metric"));
      draft.indicator.group_by = gauge.texts("grouping");
      gauge.close();
      if (selector)
        draft.gauge = std::move(*selector);
      else
        out_.notes.lost(at, "SLO '" + draft.name + "'",
                        "the metric of its indicator cannot be read: " + selector.error().what, "mend it and import again");
      fine = !draft.gauge.empty();
    } else if (from.has("latencyNative") || from.has("latency_native")) {
      from.raw("latencyNative");
      from.raw("latency_native");
      out_.notes.lost(
          from.at(), "SLO '" + draft.name + "'", "it counts a native histogram, which Ward does not store",
          "expose a classic histogram with a bucket at that latency, and use good: ..._bucket{le=...}, total: ..._count");
    } else {
      out_.notes.lost(from.at(), "SLO '" + draft.name + "'", "it has no indicator that wardctl knows",
                      "write ratio, latency or bool_gauge and import again");
    }
    from.close();
    return fine;
  }

  Imported out_;
  std::set<std::string> names_;
  std::map<std::string, milliseconds> policies_;
};

}  // namespace

Result<Imported> import_pyrra(std::span<const InputFile> files) {
  auto documents = read_documents(files);
  if (!documents) return fail(documents.error());
  return Pyrra{}.run(*documents);
}

}  // namespace ward::collector::exchange
