#include "collector/slo/slo_annotations.hpp"

#include <algorithm>
#include <utility>

#include "collector/slo/promql_query.hpp"
#include "common/base/duration.hpp"
#include "common/base/parse.hpp"

namespace ward::collector::slo {
namespace {

// Of low traffic: with fewer events than min-events usual, this many bad ones are worth a look.
constexpr EventRate kUsualMinBad{5, std::chrono::hours{6}};

/// `a, b`, or a list.
std::vector<std::string> read_list(config::Section& from, std::string_view key) {
  const auto node = from.raw(key);
  if (!node || node->kind() != config::Node::Kind::scalar) return from.texts(key);
  std::vector<std::string> out;
  std::string_view left = node->scalar();
  while (!left.empty()) {
    const auto comma = left.find(',');
    const auto item = trim(left.substr(0, comma));
    if (!item.empty()) out.emplace_back(item);
    left = comma == std::string_view::npos ? std::string_view{} : left.substr(comma + 1);
  }
  return out;
}

EventRate read_rate(config::Section& from, std::string_view key, EventRate fallback) {
  if (!from.has(key)) return fallback;
  const auto text = from.text(key);
  if (text == "none") return {};
  const auto slash = text.find('/');
  const auto count = to_double(trim(std::string_view(text).substr(0, slash)));
  const auto window =
      slash == std::string::npos ? parse_duration("") : parse_duration(trim(std::string_view(text).substr(slash + 1)));
  if (count && window && *count > 0 && *window >= std::chrono::minutes{1}) return {*count, *window};
  from.problems().add(from.at(key), "'" + std::string(key) + "' is '" + text + "'",
                      "Write events and time like 50/1h, or none.");
  return fallback;
}

/// What Ward's own series and alerts say with labels cannot tell groups apart; `le` is what a histogram is made of.
bool may_group(std::string_view name) {
  static constexpr std::string_view kTaken[] = {"alertname", "class",   "layer", "le",     "owner",   "policy",
                                                "result",    "service", "slo",   "window", "workflow"};
  if (std::find(std::begin(kTaken), std::end(kTaken), name) != std::end(kTaken) || name.starts_with("__")) return false;
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == std::string_view::npos;
}

void read_counting(config::Section& from, SloSpec& spec) {
  spec.group_by = read_list(from, "ward.io/group-by");
  for (const auto& name : spec.group_by)
    if (!may_group(name))
      from.problems().add(from.at("ward.io/group-by"), "'" + name + "' is no label to group by",
                          "Name labels that all series of the indicator have, like tenant.");
  spec.max_groups = static_cast<std::size_t>(from.whole("ward.io/max-groups", spec.max_groups, 1, 5'000));
  static constexpr NoData kNoData[] = {NoData::unknown, NoData::bad, NoData::good};
  spec.no_data = kNoData[from.choice("ward.io/no-data", {"unknown", "bad", "good"}, 0)];
  spec.absent_after = from.duration("ward.io/absent-after", milliseconds{0});
  spec.min_events = read_rate(from, "ward.io/min-events", {});
  spec.min_bad = read_rate(from, "ward.io/min-bad", spec.min_events.count > 0 ? kUsualMinBad : EventRate{});
  if (spec.min_bad.count > 0 && spec.min_events.count <= 0)
    from.problems().add(from.at("ward.io/min-bad"),
                        "'ward.io/min-bad' counts only where few events are usual, and nothing says how few",
                        "Add ward.io/min-events.");
  spec.min_history = from.duration("ward.io/min-history", milliseconds{0});
  spec.exclude_maintenance = from.choice("ward.io/maintenance", {"count", "exclude"}, 0) == 1;
  spec.max_excluded = from.duration("ward.io/max-excluded", milliseconds{0});
  spec.freeze = from.choice("ward.io/on-exhausted", {"nothing", "freeze"}, 0) == 1;
}

void read_routing(config::Section& from, SloSpec& spec) {
  spec.workflow = from.text("ward.io/workflow", "");
  if (from.has("ward.io/owner")) {
    static constexpr std::string_view kOwners[] = {"application", "database", "platform", "security", "backup"};
    spec.alert_labels.set(
        "owner", kOwners[from.choice("ward.io/owner", {"application", "database", "platform", "security", "backup"}, 0)]);
  } else {
    from.raw("ward.io/owner");  // the owner of the service, by the ServiceMap
  }
  static constexpr std::string_view kLayers[] = {"user_experience", "application", "data", "platform", "governance"};
  // What a workflow's SLO measures is what its users see.
  spec.alert_labels.set(
      "layer", kLayers[from.choice("ward.io/layer", {"user_experience", "application", "data", "platform", "governance"},
                                   spec.workflow.empty() ? 1 : 0)]);
  if (from.has("ward.io/class")) {
    static constexpr AlertClass kClasses[] = {AlertClass::informational, AlertClass::actionable, AlertClass::urgent,
                                              AlertClass::executive};
    spec.max_class = kClasses[from.choice("ward.io/class", {"informational", "actionable", "urgent", "executive"}, 1)];
  } else {
    from.raw("ward.io/class");
  }
  const auto note = [&](std::string_view key, std::string_view annotation) {
    spec.alert_annotations.set(annotation, from.text(key, ""));
  };
  note("ward.io/runbook", "runbook_url");
  note("ward.io/escalation", "escalation");
  note("ward.io/decision-tree", "decision_tree");
  note("ward.io/summary", "summary");
  note("ward.io/description", "description");
}

}  // namespace

SloAnnotations read_annotations(config::Section& from, SloSpec& spec) {
  SloAnnotations out;
  read_counting(from, spec);
  read_routing(from, spec);
  out.composite = read_list(from, "ward.io/composite");
  out.scrape_interval = from.duration("ward.io/scrape-interval", milliseconds{0});
  if (!from.has("ward.io/up")) {
    from.raw("ward.io/up");
    return out;
  }
  out.up = SliSource{.role = SliRole::up, .query = from.text("ward.io/up"), .matchers = {}, .counter = false};
  auto parsed = parse_sli_query(out.up->query);
  if (parsed)
    out.up->matchers = std::move(parsed->matchers);
  else
    from.problems().add(from.at("ward.io/up"), "could not parse expression: " + parsed.error().what,
                        "Write a selector like pg_up{service=\"pg-main\"}.");
  return out;
}

}  // namespace ward::collector::slo
