#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/config/node.hpp"
#include "common/model/batch.hpp"
#include "probes/probe.hpp"

namespace ward::agent {

/// One thing to measure, as agent.yaml lists it under `targets`.
struct Target {
  const probes::ProbeKind* kind = nullptr;
  std::string name;  ///< the `instance` label
  TenantId tenant;
  milliseconds interval{0};
  milliseconds deadline{0};
  Labels labels;                  ///< job, instance and what the configuration adds
  std::uint64_t fingerprint = 0;  ///< of the section's text and the secrets it names
  std::unique_ptr<probes::Probe> probe;
};

/// Whether both write the same series.
[[nodiscard]] bool same_series(const Target& a, const Target& b);
/// Whether one can go on in place of the other: a reload leaves such a target alone.
[[nodiscard]] bool same_target(const Target& a, const Target& b);

/// Reads all targets; every mistake becomes a problem. `tenant` is the default of targets that name none.
std::vector<Target> read_targets(std::vector<config::Section> sections, const TenantId& tenant);

}  // namespace ward::agent
