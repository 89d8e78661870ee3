#include "collector/exchange/slo_draft.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "common/base/duration.hpp"
#include "common/base/parse.hpp"

namespace ward::collector::exchange {
namespace {

Yaml source_of(const std::string& query) {
  return Yaml::map().set("metricSource",
                         Yaml::map().set("type", "Prometheus").set("spec", Yaml::map().set("query", Yaml::text(query))));
}

Yaml indicator_of(const SloDraft& draft) {
  auto spec = Yaml::map();
  const auto& from = draft.indicator;
  if (!draft.gauge.empty()) {
    spec.set("thresholdMetric", source_of(draft.gauge));
  } else if (from.kind == RatioIndicator::Kind::raw) {
    spec.set("ratioMetric", Yaml::map().set("rawType", "failure").set("raw", source_of(from.part)));
  } else {
    spec.set("ratioMetric", Yaml::map()
                                .set("counter", Yaml::bare("true"))
                                .set(from.kind == RatioIndicator::Kind::bad ? "bad" : "good", source_of(from.part))
                                .set("total", source_of(from.total)));
  }
  return Yaml::map().set("metadata", Yaml::map().set("name", draft.name)).set("spec", std::move(spec));
}

Yaml pairs_of(const SloDraft::Pairs& pairs) {
  auto out = Yaml::map();
  for (const auto& [name, value] : pairs) out.set(name, Yaml::text(value));
  return out;
}

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.10g", value);
  return text.data();
}

bool is_owner(std::string_view text) {
  static constexpr std::string_view kOwners[] = {"application", "database", "platform", "security", "backup"};
  return std::find(std::begin(kOwners), std::end(kOwners), text) != std::end(kOwners);
}

std::string_view annotation_of(std::string_view name) {
  if (name == "summary" || name == "title") return "ward.io/summary";
  if (name == "description" || name == "message") return "ward.io/description";
  if (name == "runbook_url" || name == "runbook") return "ward.io/runbook";
  return {};
}

}  // namespace

bool SloDraft::has_annotation(const std::string& key) const {
  return std::any_of(annotations.begin(), annotations.end(), [&](const auto& a) { return a.first == key; });
}

bool is_target_percent(const std::string& text) {
  const auto value = to_double(text);
  return value && *value > 0 && *value < 100;
}

Yaml slo_document(const SloDraft& draft) {
  auto metadata = Yaml::map().set("name", draft.name);
  if (!draft.labels.empty()) metadata.set("labels", pairs_of(draft.labels));
  if (!draft.annotations.empty()) metadata.set("annotations", pairs_of(draft.annotations));
  auto objective = Yaml::map().set("targetPercent", Yaml::bare(draft.target_percent));
  if (!draft.gauge.empty()) objective.set("op", "gte").set("value", Yaml::bare("1"));
  auto spec = Yaml::map();
  if (!draft.description.empty()) spec.set("description", draft.description);
  spec.set("service", draft.service);
  spec.set("indicator", indicator_of(draft));
  spec.set("timeWindow",
           Yaml::list().add(Yaml::map().set("duration", Yaml::bare(draft.period)).set("isRolling", Yaml::bare("true"))));
  spec.set("budgetingMethod", "Occurrences");
  spec.set("objectives", Yaml::list().add(std::move(objective)));
  if (!draft.policy.empty()) spec.set("alertPolicies", Yaml::list().add(Yaml::map().set("alertPolicyRef", draft.policy)));
  return Yaml::map()
      .set("apiVersion", "openslo/v1")
      .set("kind", "SLO")
      .set("metadata", std::move(metadata))
      .set("spec", std::move(spec));
}

Yaml burn_policy_document(const std::string& name, const std::vector<BurnDraft>& windows) {
  auto list = Yaml::list();
  for (const auto& w : windows) {
    auto one = Yaml::map();
    if (w.budget.empty())
      one.set("factor", Yaml::bare(number(w.factor)));
    else
      one.set("budget", Yaml::bare(w.budget));
    one.set("long", Yaml::bare(format_duration(w.long_window))).set("short", Yaml::bare(format_duration(w.short_window)));
    one.set("class", w.page ? "urgent" : "actionable");
    if (w.after.count() > 0) one.set("after", Yaml::bare(format_duration(w.after)));
    list.add(std::move(one));
  }
  return Yaml::map()
      .set("apiVersion", "ward/v1")
      .set("kind", "BurnPolicy")
      .set("metadata", Yaml::map().set("name", name))
      .set("spec", Yaml::map().set("windows", std::move(list)));
}

void take_labels(SloDraft& draft, const SloDraft::Pairs& labels, const config::Position& at, Notes& notes) {
  std::string kept;
  for (const auto& [name, value] : labels) {
    if (name == "owner" && is_owner(value) && !draft.has_annotation("ward.io/owner")) {
      draft.annotations.emplace_back("ward.io/owner", value);
      continue;
    }
    const bool known = std::any_of(draft.labels.begin(), draft.labels.end(), [&](const auto& l) { return l.first == name; });
    if (known) continue;
    draft.labels.emplace_back(name, value);
    kept += (kept.empty() ? "'" : ", '") + name + "'";
  }
  if (!kept.empty())
    notes.changed(at, "labels " + kept + " of SLO '" + draft.name + "'",
                  "alerts of an SLO have Ward's labels only (class, layer, owner, service and those it is grouped by)",
                  "they stand in metadata.labels for people; say who owns it with ward.io/owner or in the ServiceMap");
}

void take_annotations(SloDraft& draft, const SloDraft::Pairs& annotations, const config::Position& at, Notes& notes) {
  for (const auto& [name, value] : annotations) {
    const std::string key(annotation_of(name));
    const std::string what = "annotation '" + name + "' of SLO '" + draft.name + "'";
    if (key.empty()) {
      notes.lost(at, what, "alerts of an SLO have a summary, a description and a runbook", "write it into the description");
    } else if (value.find("{{") != std::string::npos) {
      notes.lost(at, what, "it is a template, and texts of an SLO are not", "write the text with " + key);
    } else if (!draft.has_annotation(key)) {
      draft.annotations.emplace_back(key, value);
    } else {
      notes.lost(at, what, "the SLO has another one already", "keep the better of the two in " + key);
    }
  }
}

void take_grouping(SloDraft& draft, const std::vector<std::string>& labels, const config::Position& at, Notes& notes) {
  static constexpr std::string_view kTaken[] = {"alertname", "class",   "layer", "le",     "owner",   "policy",
                                                "result",    "service", "slo",   "window", "workflow"};
  std::string kept;
  for (const auto& name : labels) {
    if (std::find(std::begin(kTaken), std::end(kTaken), name) == std::end(kTaken)) {
      kept += (kept.empty() ? "" : ", ") + name;
      continue;
    }
    notes.lost(at, "grouping of SLO '" + draft.name + "' by '" + name + "'", "Ward's own series have that label",
               "rename the label where it is scraped, or write one SLO for each of its values");
  }
  if (!kept.empty()) draft.annotations.emplace_back("ward.io/group-by", kept);
}

bool is_new_name(std::set<std::string>& taken, const SloDraft& draft, Notes& notes) {
  if (taken.insert(draft.name).second) return true;
  notes.lost(draft.at, "SLO '" + draft.name + "'", "another one of the input has the same name",
             "give it another name and import again");
  return false;
}

}  // namespace ward::collector::exchange
