#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "agent/schedule/target.hpp"
#include "common/model/batch.hpp"
#include "probes/probe.hpp"

namespace ward::agent {

/// How one run of a probe ended.
struct RunOutcome {
  Time started;
  std::chrono::nanoseconds took{0};
  probes::ProbeOutput output;
};

/// Turns what a probe measured into a batch: full series names, one time, stale markers for series that vanished, why it
/// failed, and the limits no target may exceed (facts: probe-safety 4). Keeps the series of the last run. One per target.
class Harvest {
 public:
  using Caps = probes::SeriesCaps;
  Harvest(const Target& target, Caps caps);

  /// Takes over what is known of the series of a target that ends; the caps stay this one's.
  void go_on_from(Harvest before);

  Batch gather(RunOutcome outcome);
  /// The target is going away: end its series.
  Batch farewell(Time now);

  /// What was left out since start, by reason. Readings: cap_target, cap_metric, duplicate, limits. Events: cap_events,
  /// event_limits.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& dropped() const { return dropped_; }

 private:
  void name(Labels& series) const;
  bool admit(const Batch& batch, std::size_t of_metric);
  bool add(Batch& batch, Reading reading, probes::Naming naming = probes::Naming::by_agent);
  void add_events(Batch& batch, Events events);
  void end_vanished(Batch& batch);
  void explain(Batch& batch, const RunOutcome& outcome);

  std::string probe_name_;
  TenantId tenant_;
  DataClass data_class_;
  Labels labels_;
  Caps caps_;
  std::uint64_t run_ = 0;
  std::unordered_map<Labels, std::uint64_t> there_;  // series -> the run that saw it last
  std::optional<probes::FailureReason> failing_;
  std::map<std::string, std::uint64_t> dropped_;
};

}  // namespace ward::agent
