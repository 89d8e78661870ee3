#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/schedule/harvest.hpp"
#include "agent/schedule/target.hpp"
#include "common/async/task_group.hpp"
#include "common/async/timers.hpp"
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
    async::Timers& timers;
    telemetry::Logger& log;
    telemetry::Registry& metrics;
    std::string agent;  ///< spreads the agents of an estate over the interval
    Sink sink;
    /// Told of metrics that a probe learnt of as it ran.
    std::function<void(std::vector<exposition::Description>)> learnt{};
  };
  Scheduler(async::asio::any_io_executor executor, Context context, std::vector<Target> targets);
  ~Scheduler();

  void start();
  /// Leaves the series as they are: an agent that restarts must not end what fires on them. A run that was going is
  /// dropped: what it could not measure any more says nothing of its target.
  async::Task<void> stop();
  /// After start(), at a reload: a target that is there already and reads the same goes on undisturbed, the others stop,
  /// then the new ones start. Series of targets that are gone get stale markers.
  async::Task<void> replace(std::vector<Target> targets);
  [[nodiscard]] std::size_t targets() const { return slots_.size(); }

 private:
  struct Slot;
  void start(Slot& slot);
  void adopt(Slot& slot);
  async::Task<void> run(Slot& slot);
  async::Task<RunOutcome> run_once(Slot& slot);

  async::asio::any_io_executor executor_;
  Context context_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<std::unique_ptr<Slot>> leaving_;
};

/// One run of one target with its deadline, for the scheduler and for `ward-agent --once`. Throws only when the awaiting
/// task is cancelled: then there is nothing to tell.
async::Task<RunOutcome> measure(Target& target, probes::Host& host, async::Timers& timers);

}  // namespace ward::agent
