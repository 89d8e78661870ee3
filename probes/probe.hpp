#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/blocking.hpp"
#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/base/world.hpp"
#include "common/config/node.hpp"
#include "common/exposition/descriptions.hpp"
#include "common/model/batch.hpp"
#include "common/model/sample.hpp"

namespace ward::http {
class Client;
}

namespace ward::probes {

/// statvfs(3) of one mount, in bytes and inodes.
struct FsStats {
  std::uint64_t size_bytes = 0, free_bytes = 0, avail_bytes = 0, files = 0, files_free = 0;
  bool read_only = false;
  friend bool operator==(const FsStats&, const FsStats&) = default;
};

/// The machine as a probe sees it; tests give a fake, app.cpp the real one. Paths are the host's ("/proc/stat"); a
/// container maps them below its mount of the host's root. Thread: the agent's io thread.
class Host {
 public:
  virtual ~Host() = default;
  [[nodiscard]] virtual const Clock& clock() const = 0;
  [[nodiscard]] virtual Random& random() = 0;
  /// The whole file, at most 8 MiB. For files that answer at once (/proc, /sys), never for network mounts.
  virtual Result<std::string> read_file(std::string_view path) = 0;
  /// Names in a directory, without "." and "..".
  virtual Result<std::vector<std::string>> list_dir(std::string_view path) = 0;
  virtual Result<std::string> read_link(std::string_view path) = 0;
  /// On a worker of its own with a deadline: a hung mount gives Errc::timed_out and is not asked again until it answers.
  virtual async::Task<Result<FsStats>> fs_stats(std::string mount_point) = 0;
  virtual async::BlockingPool& blocking() = 0;
  virtual http::Client& http() = 0;
};

/// Why a probe could not measure; the closed list behind the `reason` label of ward_probe_failure_info and
/// probe_failure_info (facts: node-traefik-blackbox 3.6, probe-safety 7).
enum class FailureReason : std::uint8_t {
  dns_nxdomain,
  dns_timeout,
  dns_failed,
  connect_refused,
  connect_timeout,
  connect_failed,
  tls_untrusted,
  tls_expired,
  tls_name_mismatch,
  tls_protocol,
  auth,
  permission,
  loading,
  http_status,
  http_timeout,
  body_mismatch,
  probe_refused,
  probe_overload,
  timeout,
  protocol,
  unsupported,
  not_found,
  internal
};
std::string_view to_string(FailureReason reason);

struct ProbeFailure {
  FailureReason reason = FailureReason::internal;
  Error error;  ///< for the log and `--once`; never holds a secret, SQL text or a row value
};

/// Who gives series the labels of their target. The agent, as a rule: then they win over a label of the same name that a
/// probe read somewhere, which becomes `exported_...`. A probe that relabels must see the whole set, and does it itself.
enum class Naming : std::uint8_t { by_agent, by_probe };

/// What one run measured. A failed run still carries what it knows (pg_up 0) beside the failure.
struct ProbeOutput {
  Readings readings;
  Events events;
  std::optional<ProbeFailure> failure;
  Naming naming = Naming::by_agent;                  ///< of `readings`; those of on_deadline() are named by the agent
  std::vector<exposition::Description> described{};  ///< metrics beside ProbeKind::metrics: those new or changed in this run
};

/// What the schedule knows of the target that a probe measures.
struct TargetFacts {
  Labels labels;  ///< job, instance and what the configuration adds
  TenantId tenant;
  std::chrono::milliseconds deadline{10'000};
};

/// The most series one run may yield; what is beyond is dropped and counted (facts: probe-safety 4).
struct SeriesCaps {
  std::size_t series_per_target = 5'000;
  std::size_t series_per_metric = 300;
  friend bool operator==(const SeriesCaps&, const SeriesCaps&) = default;
};

/// Measures one target. One run at a time; state between runs (connections, last counters) belongs to the probe.
class Probe {
 public:
  virtual ~Probe() = default;
  virtual async::Task<ProbeOutput> collect(Host& host) = 0;
  /// What to report when a run missed its deadline and was cancelled, e.g. {{"pg_up", {}, 0}}.
  [[nodiscard]] virtual Readings on_deadline() const { return {}; }
  /// Told once, before the first run; most probes need not know.
  virtual void attach(const TargetFacts& /*facts*/) {}
  /// More than the usual only where the user set a limit of the target's own.
  [[nodiscard]] virtual SeriesCaps caps() const { return {}; }
};

/// One line of builtin.def. `make` reads the probe's own keys from the target's section (the schedule reads and closes
/// the common ones: probe, name, interval, deadline, labels) and adds problems for wrong values; nullptr then.
struct ProbeKind {
  std::string_view name;  ///< as in agent.yaml: "postgres"
  std::string_view job;   ///< default `job` label: "postgres"
  std::chrono::milliseconds interval{15'000};
  std::chrono::milliseconds deadline{10'000};
  DataClass data_class = DataClass::raw;
  std::span<const MetricMeta> metrics;  ///< every metric it can emit
  std::unique_ptr<Probe> (*make)(config::Section& target) = nullptr;
};

/// Every probe in builtin.def, sorted as there.
std::span<const ProbeKind> all_probes();
/// By name; nullptr when unknown.
const ProbeKind* find_probe(std::string_view name);

}  // namespace ward::probes
