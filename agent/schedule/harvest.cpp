#include "agent/schedule/harvest.hpp"

#include <algorithm>
#include <utility>

#include "common/wire/record.hpp"

namespace ward::agent {
namespace {

bool within_limits(const Labels& series) {
  return series.size() <= wire::kMaxLabels && std::all_of(series.begin(), series.end(), [](const Label& label) {
           return !label.first.empty() && label.first.size() <= wire::kMaxLabelName &&
                  label.second.size() <= wire::kMaxLabelValue;
         });
}

std::size_t size_of(const Event& event) {
  std::size_t bytes = event.kind.size() + 16;
  for (const auto& [name, value] : event.attributes) bytes += name.size() + value.size() + 4;
  return bytes;
}

}  // namespace

Harvest::Harvest(const Target& target, Caps caps)
    : probe_name_(target.kind->name),
      tenant_(target.tenant),
      data_class_(target.kind->data_class),
      labels_(target.labels),
      caps_(caps) {}

void Harvest::go_on_from(Harvest before) {
  run_ = before.run_;
  there_ = std::move(before.there_);
  failing_ = before.failing_;
  dropped_ = std::move(before.dropped_);
}

bool Harvest::admit(const Batch& batch, std::size_t of_metric) {
  if (batch.values.size() >= caps_.series_per_target) return ++dropped_["cap_target"], false;
  if (of_metric >= caps_.series_per_metric) return ++dropped_["cap_metric"], false;
  return true;
}

void Harvest::name(Labels& series) const {
  for (const auto& [name, value] : labels_) {
    // The target's labels win: a probe's answer must not be able to rename its source. What it said stays beside it, under
    // the name Prometheus gives it, or series that differ in this label alone would fall together.
    if (const std::string own(series.get(name)); !own.empty()) series.set("exported_" + name, own);
    series.set(name, value);
  }
}

bool Harvest::add(Batch& batch, Reading reading, probes::Naming naming) {
  Labels series = std::move(reading.labels);
  if (naming == probes::Naming::by_agent) name(series);
  series.set(kNameLabel, reading.metric);
  if (!within_limits(series)) return ++dropped_["limits"], false;
  // Copies the labels of a new series only: half of an agent's work would be building the same sets again.
  const auto [at, fresh] = there_.try_emplace(series, run_);
  if (!fresh && at->second == run_) return ++dropped_["duplicate"], false;
  at->second = run_;
  batch.values.push_back({std::move(series), reading.value});
  return true;
}

void Harvest::end_vanished(Batch& batch) {
  for (auto at = there_.begin(); at != there_.end();) {
    if (at->second == run_) {
      ++at;
      continue;
    }
    batch.values.push_back({at->first, stale_marker()});
    at = there_.erase(at);
  }
}

// An event beyond the protocol's limits would be refused each time it is sent, and with it all that comes behind it.
void Harvest::add_events(Batch& batch, Events events) {
  std::size_t bytes = 0;
  for (auto& event : events) {
    if (event.kind.size() > wire::kMaxLabelName || !within_limits(event.attributes)) {
      ++dropped_["event_limits"];
      continue;
    }
    bytes += size_of(event);
    if (bytes > wire::kMaxRecordBytes) {
      ++dropped_["cap_events"];
      continue;
    }
    batch.events.push_back(std::move(event));
  }
}

void Harvest::explain(Batch& batch, const RunOutcome& outcome) {
  const auto& failure = outcome.output.failure;
  const auto reason = failure ? std::optional(failure->reason) : std::nullopt;
  if (reason == failing_) return;
  failing_ = reason;
  Event event;
  event.t = outcome.started;
  event.kind = failure ? "probe_failed" : "probe_recovered";
  event.attributes.set("probe", probe_name_);
  event.attributes.set("instance", labels_.get("instance"));
  if (failure) event.attributes.set("reason", probes::to_string(failure->reason));
  Events one;
  one.push_back(std::move(event));
  add_events(batch, std::move(one));
}

Batch Harvest::gather(RunOutcome outcome) {
  Batch batch;
  batch.tenant = tenant_;
  batch.data_class = data_class_;
  batch.time = outcome.started;
  ++run_;
  const auto& failure = outcome.output.failure;
  const Labels probe{{"probe", probe_name_}};
  batch.values.reserve(outcome.output.readings.size() + 8);
  add(batch, {"ward_probe_success", probe, failure ? 0.0 : 1.0});
  add(batch, {"ward_probe_duration_seconds", probe, to_seconds(outcome.took)});
  if (failure) add(batch, {"ward_probe_failure_info", probe.with("reason", probes::to_string(failure->reason)), 1});
  std::map<std::string, std::size_t> per_metric;
  for (auto& reading : outcome.output.readings)
    if (auto& of_metric = per_metric[reading.metric]; admit(batch, of_metric))
      of_metric += add(batch, std::move(reading), outcome.output.naming) ? 1 : 0;
  add_events(batch, std::move(outcome.output.events));
  // Beside the caps: a full batch must still say that it is.
  for (const auto& [reason, count] : std::map(dropped_))
    add(batch, {"ward_series_dropped_total", probe.with("reason", reason), static_cast<double>(count)});
  end_vanished(batch);
  explain(batch, outcome);
  return batch;
}

Batch Harvest::farewell(Time now) {
  Batch batch;
  batch.tenant = tenant_;
  batch.data_class = data_class_;
  batch.time = now;
  ++run_;
  end_vanished(batch);
  return batch;
}

}  // namespace ward::agent
