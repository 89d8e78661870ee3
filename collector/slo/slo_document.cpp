#include "collector/slo/slo_document.hpp"

#include <algorithm>
#include <utility>

#include "collector/slo/slo_annotations.hpp"

namespace ward::collector::slo {
namespace {

constexpr std::string_view kOpenSlo = "openslo/v1";
constexpr std::string_view kWard = "ward/v1";

minutes read_slice(config::Section& from, Budgeting budgeting) {
  if (budgeting == Budgeting::occurrences) {
    if (from.has("timeSliceWindow"))
      from.problems().add(from.at("timeSliceWindow"), "'timeSliceWindow' means nothing with budgetingMethod Occurrences",
                          "Remove it, or use Timeslices.");
    from.raw("timeSliceWindow");
    return minutes{1};
  }
  if (!from.has("timeSliceWindow"))
    from.problems().add(from.at(), "slices of time need their length", "Add 'timeSliceWindow: 5m'.");
  const auto length = from.duration("timeSliceWindow", std::chrono::minutes{1}, std::chrono::minutes{1});
  const auto whole = std::chrono::floor<minutes>(length);
  if (whole == length && 60 % whole.count() == 0) return whole;
  from.problems().add(from.at("timeSliceWindow"), "a slice must be whole minutes that divide an hour",
                      "Use 1m, 5m, 10m, 15m, 30m or 1h.");
  return minutes{1};
}

double read_target(config::Section& from) {
  const bool percent = from.has("targetPercent");
  const auto key = percent ? "targetPercent" : "target";
  if (percent == from.has("target"))
    from.problems().add(from.at(), percent ? "both 'target' and 'targetPercent' are given" : "the objective has no 'target'",
                        "Give one: 'target: 0.999' or 'targetPercent: 99.9'.");
  const auto value = from.real(key, percent ? 99 : 0.99);
  from.raw(percent ? "target" : "targetPercent");
  const auto target = percent ? value / 100 : value;
  if (target > 0 && target < 1) return target;
  from.problems().add(from.at(key),
                      "the target is " + std::string(percent ? "not between 0 and 100" : "not between 0 and 1"),
                      target == 1 ? "A target of 100% leaves no error budget: use 0.999 or the like."
                                  : "'target' is a share like 0.999, 'targetPercent' a percentage like 99.9.");
  return 0.99;
}

}  // namespace

SloDocuments::SloDocuments(SloOptions options) : options_(options) {}

bool SloDocuments::owns(std::string_view api_version, std::string_view kind) {
  if (api_version == kWard) return kind == "BurnPolicy";
  static constexpr std::string_view kKinds[] = {
      "SLO", "SLI", "Service", "AlertPolicy", "AlertCondition", "AlertNotificationTarget", "DataSource"};
  return api_version == kOpenSlo && std::find(std::begin(kKinds), std::end(kKinds), kind) != std::end(kKinds);
}

bool SloDocuments::is_new(const std::string& kind, const std::string& name, const config::Position& at,
                          config::Problems& problems) {
  const auto [first, fresh] = names_.emplace(std::pair{kind, name}, at);
  if (!fresh && !name.empty())
    problems.add(at, kind + " '" + name + "' stands at " + to_string(first->second) + " already",
                 "Give one of them another name.");
  return fresh;
}

void SloDocuments::read(const config::Node& node, config::Problems& problems) {
  config::Section document(node, "", problems);
  const auto api = document.text("apiVersion");
  const auto kind = document.text("kind");
  if (!owns(api, kind)) {
    problems.add(document.at("kind"), "'" + kind + "' of '" + api + "' is no SLO document",
                 "Use openslo/v1 with SLO, SLI, Service, AlertPolicy or AlertCondition, or ward/v1 with BurnPolicy.");
    return;
  }
  // What others are told of is theirs to check.
  if (kind == "AlertNotificationTarget" || kind == "DataSource") return;
  auto metadata = document.child("metadata");
  const auto name = metadata.text("name");
  for (const auto* key : {"displayName", "labels"}) metadata.raw(key);
  auto annotations = metadata.child("annotations");
  if (const auto raw = metadata.raw("annotations")) accept_foreign(annotations, *raw);
  metadata.close();
  if (!is_new(kind == "BurnPolicy" ? "AlertPolicy" : kind, name, document.at(), problems)) return;
  if (kind == "SLO") {
    read_slo(document, name, annotations);
    drafts_.back().spec.document = node;
  } else {
    auto spec = document.child("spec");
    if (kind == "SLI") {
      indicators_[name] = read_indicator(spec, name);
    } else if (kind == "BurnPolicy") {
      policies_[name] = read_burn_policy(spec, name);
    } else if (kind == "AlertPolicy") {
      policies_[name] = read_alert_policy(spec, name);
    } else if (kind == "AlertCondition") {
      conditions_[name] = read_alert_condition(spec, annotations);
    } else {
      services_.push_back(name);
      spec.text("description", "");
      spec.close();
    }
  }
  annotations.close();
  document.close();
}

void SloDocuments::read_slo(config::Section& document, const std::string& name, config::Section& annotations) {
  Draft draft;
  draft.at = document.at();
  draft.spec.name = name;
  draft.spec.origin = to_string(draft.at);
  auto notes = read_annotations(annotations, draft.spec);
  draft.composite = std::move(notes.composite);
  draft.up = std::move(notes.up);
  draft.scrape_interval = notes.scrape_interval.count() > 0 ? notes.scrape_interval : options_.scrape_interval;
  auto spec = document.child("spec");
  if (auto description = spec.text("description", ""); !draft.spec.alert_annotations.has("description"))
    draft.spec.alert_annotations.set("description", description);
  draft.spec.service = spec.text("service");
  draft.indicator = read_indicator_use(spec);
  read_period(spec, draft);
  if (!spec.has("budgetingMethod"))
    spec.problems().add(spec.at(), "the SLO has no 'budgetingMethod'", "Add 'budgetingMethod: Occurrences'.");
  static constexpr Budgeting kMethods[] = {Budgeting::occurrences, Budgeting::timeslices, Budgeting::ratio_timeslices};
  draft.spec.budgeting = kMethods[spec.choice("budgetingMethod", {"Occurrences", "Timeslices", "RatioTimeslices"}, 0)];
  for (auto& objective : spec.children("objectives")) read_objective(objective, draft);
  if (draft.objectives.empty())
    spec.problems().add(spec.at("objectives"), "the SLO has no objective", "Add 'objectives: [{target: 0.999}]'.");
  read_policies(spec, draft);
  spec.close();
  places_[name] = draft.at;
  drafts_.push_back(std::move(draft));
}

void SloDocuments::read_period(config::Section& spec, Draft& draft) {
  auto windows = spec.children("timeWindow");
  if (windows.size() != 1) {
    spec.problems().add(spec.at("timeWindow"), "an SLO has exactly one time window, not " + std::to_string(windows.size()),
                        "Write 'timeWindow: [{duration: 30d, isRolling: true}]'.");
    return;
  }
  auto& from = windows.front();
  const auto text = from.text("duration");
  auto period = parse_period(text.empty() ? "30d" : text);
  if (!period) {
    from.problems().add(from.at("duration"), period.error().what, period.error().fix);
    period = Period{};
  }
  period->rolling = from.flag("isRolling", !from.has("calendar"));
  auto calendar = from.child("calendar");
  if (period->rolling) {
    if (from.has("calendar"))
      from.problems().add(from.at("calendar"), "a rolling window has no calendar",
                          "Remove 'calendar', or write 'isRolling: false'.");
    for (const auto* key : {"startTime", "timeZone"}) calendar.raw(key);
  } else {
    const auto start = calendar.text("startTime");
    const auto local = parse_local_time(start);
    if (local)
      period->start_local = *local;
    else if (!start.empty())
      calendar.problems().add(calendar.at("startTime"), local.error().what, local.error().fix);
    period->zone = calendar.text("timeZone", "UTC");
    if (const auto zone = check_zone(period->zone); !zone)
      calendar.problems().add(calendar.at("timeZone"), zone.error().what, zone.error().fix);
  }
  calendar.close();
  from.close();
  if (nominal_length(*period) < minutes{60})
    from.problems().add(from.at("duration"), "a time window of " + text + " is too short for an error budget",
                        "Use an hour or more, usually 30d.");
  draft.spec.period = *period;
}

void SloDocuments::read_objective(config::Section& from, Draft& draft) {
  Objective out;
  out.at = from.at();
  out.name = from.text("displayName", "");
  out.target = read_target(from);
  out.op = read_comparison(from);
  if (!out.op) from.raw("op");
  if (from.has("value") != out.op.has_value())
    from.problems().add(from.at(), "an objective on a threshold has 'op' and 'value', this one has one of them",
                        "Add the other one.");
  out.value = from.real("value", 0);
  const auto budgeting = draft.spec.budgeting;
  if (from.has("timeSliceTarget") && budgeting != Budgeting::timeslices)
    from.problems().add(from.at("timeSliceTarget"), "'timeSliceTarget' means something with budgetingMethod Timeslices only",
                        "Remove it.");
  out.slice_target = from.real("timeSliceTarget", 1);
  if (out.slice_target <= 0 || out.slice_target > 1)
    from.problems().add(from.at("timeSliceTarget"), "'timeSliceTarget' is no share above 0 and up to 1",
                        "Write it like 0.95.");
  if (budgeting == Budgeting::timeslices && !from.has("timeSliceTarget"))
    from.problems().add(from.at(), "nothing says what makes a slice good", "Add 'timeSliceTarget: 0.95'.");
  out.slice = read_slice(from, budgeting);
  out.indicator = read_indicator_use(from);
  out.weight = from.real("compositeWeight", 1);
  if (out.weight <= 0)
    from.problems().add(from.at("compositeWeight"), "'compositeWeight' must be above 0", "Use 1, or leave it out.");
  from.close();
  draft.objectives.push_back(std::move(out));
}

void SloDocuments::read_policies(config::Section& spec, Draft& draft) {
  const auto list = spec.raw("alertPolicies");
  if (!list || list->kind() != config::Node::Kind::sequence) {
    spec.children("alertPolicies");  // tells what else stands there
    return;
  }
  std::size_t number = 0;
  for (const auto& node : list->items()) {
    const auto path = "spec.alertPolicies[" + std::to_string(number++) + "]";
    // A name alone is what OpenSLO's own examples write.
    if (node.kind() == config::Node::Kind::scalar) {
      draft.policy_names.push_back(node.scalar());
      draft.policy_places.push_back(node.at());
      continue;
    }
    config::Section item(node, path, spec.problems());
    if (item.has("alertPolicyRef")) {
      draft.policy_names.push_back(item.text("alertPolicyRef"));
      draft.policy_places.push_back(item.at("alertPolicyRef"));
      item.close();
      continue;
    }
    item.choice("kind", {"AlertPolicy"}, 0);
    item.text("apiVersion", "");
    auto metadata = item.child("metadata");
    const auto name = metadata.text("name", "");
    for (const auto* key : {"displayName", "labels", "annotations"}) metadata.raw(key);
    metadata.close();
    auto body = item.child("spec");
    draft.policies.push_back(read_alert_policy(body, name));
    item.close();
  }
}

}  // namespace ward::collector::slo
