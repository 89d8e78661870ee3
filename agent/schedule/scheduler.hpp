#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/schedule/harvest.hpp"
#include "agent/schedule/target.hpp"
#include "common/async/task_group.hpp"
#include "common/telemetry/log.hpp"
#include "common/telemetry/metrics.hpp"
#include "probes/probe.hpp"

namespace ward::agent {

/// Runs every target in a slot of its own: a target that hangs delays nobody, and is cancelled at its deadline. Thread:
/// the io thread. Await stop() before the destructor.
class Scheduler {
 public:
  using Sink = std::function<void(Batch)>;
  struct Context {
    probes::Host& host;
    telemetry::Logger& log;
    telemetry::Registry& metrics;
    std::string agent;
    Sink sink;
  };
  Scheduler(async::asio::any_io_executor executor, Context context, std::vector<Target> targets);
  ~Scheduler();

  void start();
  /// Leaves the series as they are: an agent that restarts must not end what fires on them.
  async::Task<void> stop();
  /// After stop(), at a reload: writes stale markers for targets that are not among `kept`.
  void end_series_except(const std::vector<Target>& kept);
  [[nodiscard]] std::size_t targets() const { return slots_.size(); }

 private:
  struct Slot;
  async::Task<void> run(Slot& slot);
  async::Task<RunOutcome> run_once(Slot& slot);

  Context context_;
  std::vector<std::unique_ptr<Slot>> slots_;
  async::TaskGroup tasks_;
};

/// One run of one target with its deadline, for the scheduler and for `ward-agent --once`.
async::Task<RunOutcome> measure(Target& target, probes::Host& host);

}  // namespace ward::agent
