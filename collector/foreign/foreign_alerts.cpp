#include "collector/foreign/foreign_alerts.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace ward::collector {
namespace {

constexpr std::string_view kGenerator = "posted: ";
constexpr std::size_t kMostLabels = 64;
constexpr std::size_t kLongestLabel = 2'048;
constexpr std::size_t kLongestAnnotation = 16'384;

/// What the world's rule files call how grave it is.
AlertClass class_of_severity(std::string_view severity) {
  constexpr std::array<std::string_view, 5> kUrgent{"critical", "page", "emergency", "disaster", "fatal"};
  constexpr std::array<std::string_view, 3> kInformational{"info", "none", "informational"};
  if (std::find(kUrgent.begin(), kUrgent.end(), severity) != kUrgent.end()) return AlertClass::urgent;
  if (std::find(kInformational.begin(), kInformational.end(), severity) != kInformational.end())
    return AlertClass::informational;
  return AlertClass::actionable;
}

std::string_view longer_than(const Labels& pairs, std::size_t limit) {
  for (const auto& [name, value] : pairs)
    if (name.size() > kLongestLabel || value.size() > limit) return name;
  return {};
}

Status check(const PostedAlert& alert) {
  const auto name = std::string(alert.labels.get("alertname"));
  if (name.empty()) return fail(Errc::invalid, "an alert has no label 'alertname'", "Send one with each alert.");
  const auto refuse = [&](const std::string& what, std::string fix) {
    return fail(Errc::invalid, "the alert '" + name.substr(0, 100) + "' " + what, std::move(fix));
  };
  if (alert.labels.size() > kMostLabels || alert.annotations.size() > kMostLabels)
    return refuse("has more than 64 labels or annotations", "Drop some by alert_relabel_configs.");
  for (const auto label : {longer_than(alert.labels, kLongestLabel), longer_than(alert.annotations, kLongestAnnotation)})
    if (!label.empty())
      return refuse("has a value of '" + std::string(label.substr(0, 100)) + "' that is too long",
                    "Labels may have 2 KiB, annotations 16 KiB.");
  // Some alerts of the collector itself pass every silence: nobody else may speak in its name.
  if (alert.labels.get("service") == "ward")
    return refuse("says that it is of the service 'ward'", "That is the collector's own; name another service.");
  return {};
}

/// `earliest`: what fired before it was heard of for the first time, or again, began then: an incident of the past with the
/// same beginning would be taken for this one.
AlertEvent event_of(PostedAlert posted, Time earliest, Time now, milliseconds interval) {
  AlertEvent out;
  // Other people's classes say nothing here.
  if (!parse_class(posted.labels.get("class")))
    posted.labels.set("class", to_string(class_of_severity(posted.labels.get("severity"))));
  out.labels = std::move(posted.labels);
  out.annotations = std::move(posted.annotations);
  out.phase = AlertPhase::firing;
  out.active_at = out.fired_at = std::clamp(posted.starts_at.value_or(now), earliest, now);
  out.interval = interval;
  out.generator = std::string(kGenerator) + posted.generator_url;
  return out;
}

AlertEvent ended(AlertEvent alert, Time at) {
  alert.phase = AlertPhase::resolved;
  alert.resolved_at = at;
  return alert;
}

}  // namespace

bool is_foreign(const AlertEvent& alert) { return alert.generator.starts_with(kGenerator); }

void ForeignAlerts::restore(std::span<const AlertEvent> live, Time now) {
  for (const auto& alert : live)
    if (is_foreign(alert) && alert.phase == AlertPhase::firing)
      alerts_.insert_or_assign(alert.labels, Known{alert, now + options_.ends_after});
}

ForeignAlerts::Posted ForeignAlerts::post(std::vector<PostedAlert> alerts, const std::string& tenant, Time now) {
  Posted out;
  counts_.received += alerts.size();
  for (auto& alert : alerts) {
    auto taken = check(alert);
    if (taken && !tenant.empty()) alert.labels.set("tenant", tenant);
    if (taken) taken = take(std::move(alert), now, out.told);
    if (taken) continue;
    ++counts_.refused;
    if (!out.refused) out.refused = taken.error();
  }
  return out;
}

Status ForeignAlerts::take(PostedAlert posted, Time now, std::vector<AlertEvent>& told) {
  const auto ends_at = posted.ends_at.value_or(now + options_.ends_after);
  auto alert = event_of(std::move(posted), now - options_.ends_after, now, options_.repeated_each);
  const auto known = alerts_.find(alert.labels);
  if (ends_at <= now) {
    if (known == alerts_.end()) return {};
    told.push_back(ended(std::move(known->second.alert), now));
    alerts_.erase(known);
    return {};
  }
  if (known == alerts_.end()) {
    if (alerts_.size() >= options_.most)
      return fail(Errc::overloaded, "too many posted alerts fire at once: " + std::to_string(options_.most) + " are taken",
                  "Aggregate the rules that post them.");
    told.push_back(alert);
    auto labels = alert.labels;
    alerts_.emplace(std::move(labels), Known{std::move(alert), ends_at});
    return {};
  }
  // A repetition; what it began with stays, for incidents count from it.
  known->second.ends_at = ends_at;
  if (known->second.alert.annotations == alert.annotations) return {};
  known->second.alert.annotations = std::move(alert.annotations);
  told.push_back(known->second.alert);
  return {};
}

std::vector<AlertEvent> ForeignAlerts::expire(Time now) {
  std::vector<AlertEvent> told;
  // A clock that is set back must not keep alerts for as long.
  const auto back = last_ && now < *last_ ? *last_ - now : milliseconds{0};
  last_ = now;
  for (auto at = alerts_.begin(); at != alerts_.end();) {
    at->second.ends_at -= back;
    if (at->second.ends_at > now) {
      ++at;
      continue;
    }
    ++counts_.expired;
    told.push_back(ended(std::move(at->second.alert), now));
    at = alerts_.erase(at);
  }
  return told;
}

std::vector<AlertEvent> ForeignAlerts::current() const {
  std::vector<AlertEvent> out;
  out.reserve(alerts_.size());
  for (const auto& [labels, known] : alerts_) out.push_back(known.alert);
  return out;
}

}  // namespace ward::collector
