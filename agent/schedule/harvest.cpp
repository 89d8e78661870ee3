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

Harvest::Harvest(const Target& target, std::string agent, Caps caps)
    : probe_name_(target.kind->name),
      tenant_(target.tenant),
      data_class_(target.kind->data_class),
      labels_(target.labels),
      agent_(std::move(agent)),
      caps_(caps) {}

void Harvest::add(Batch& batch, std::map<std::string, std::size_t>& per_metric, Reading reading) {
  if (batch.values.size() >= caps_.series_per_target) return void(++dropped_["cap_target"]);
  auto& of_metric = per_metric[reading.metric];
  if (of_metric >= caps_.series_per_metric) return void(++dropped_["cap_metric"]);
  Labels series = std::move(reading.labels);
  // The target's labels win: a probe's answer must not be able to rename its source.
  for (const auto& [name, value] : labels_) series.set(name, value);
  series.set(kNameLabel, reading.metric);
  if (!within_limits(series)) return void(++dropped_["limits"]);
  // Copies the labels of a new series only: half of an agent's work would be building the same sets again.
  const auto [at, fresh] = there_.try_emplace(series, run_);
  if (!fresh && at->second == run_) return void(++dropped_["duplicate"]);
  at->second = run_;
  ++of_metric;
  batch.values.push_back({std::move(series), reading.value});
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
  std::map<std::string, std::size_t> per_metric;
  const auto& failure = outcome.output.failure;
  const Labels probe{{"probe", probe_name_}};
  batch.values.reserve(outcome.output.readings.size() + 8);
  add(batch, per_metric, {"ward_probe_success", probe, failure ? 0.0 : 1.0});
  add(batch, per_metric, {"ward_probe_duration_seconds", probe, to_seconds(outcome.took)});
  if (failure)
    add(batch, per_metric,
        {"ward_probe_failure_info", Labels{{"probe", probe_name_}, {"reason", std::string(probes::to_string(failure->reason))}}, 1});
  for (auto& reading : outcome.output.readings) add(batch, per_metric, std::move(reading));
  add_events(batch, std::move(outcome.output.events));
  std::uint64_t lost = 0;
  for (const auto& [reason, count] : dropped_) lost += count;
  if (lost > 0)
    for (const auto& [reason, count] : dropped_)
      add(batch, per_metric,
          {"ward_series_dropped_total", Labels{{"probe", probe_name_}, {"reason", reason}}, static_cast<double>(count)});
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
