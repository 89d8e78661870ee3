#include "agent/schedule/scheduler.hpp"

#include <algorithm>
#include <utility>

#include "agent/schedule/rhythm.hpp"
#include "common/async/within.hpp"

namespace ward::agent {

struct Scheduler::Slot {
  Slot(Target t, const std::string& agent, telemetry::Registry& metrics)
      : target(std::move(t)),
        harvest(target, agent, Harvest::Caps{}),
        runs(metrics.counter("ward_agent_probe_runs_total", "Probe runs that ended.", of(target))),
        failures(metrics.counter("ward_agent_probe_failures_total", "Probe runs that could not measure.", of(target))),
        overruns(metrics.counter("ward_agent_probe_overruns_total", "Runs left out because the one before was still going.",
                                 of(target))) {}
  static Labels of(const Target& target) { return Labels{{"probe", std::string(target.kind->name)}}; }
  Target target;
  Harvest harvest;
  telemetry::Counter& runs;
  telemetry::Counter& failures;
  telemetry::Counter& overruns;
  bool was_failing = false;
};

async::Task<RunOutcome> measure(Target& target, probes::Host& host) {
  RunOutcome outcome;
  outcome.started = host.clock().wall();
  const auto from = host.clock().mono();
  try {
    auto run = target.probe->collect(host);
    auto output = co_await async::within(target.deadline, std::move(run));
    if (output) {
      outcome.output = std::move(*output);
    } else {
      Error late{Errc::timed_out, "the run took longer than its deadline of " + std::to_string(target.deadline.count()) + " ms",
                 "Look at the target, or raise 'deadline' in its section."};
      outcome.output.readings = target.probe->on_deadline();
      outcome.output.failure = probes::ProbeFailure{probes::FailureReason::timeout, std::move(late)};
    }
  } catch (const boost::system::system_error& e) {
    if (e.code() == async::asio::error::operation_aborted) throw;
    Error unexpected{Errc::internal, std::string("the probe ended with: ") + e.code().message(), ""};
    outcome.output.failure = probes::ProbeFailure{probes::FailureReason::internal, std::move(unexpected)};
  }
  outcome.took = host.clock().mono() - from;
  co_return outcome;
}

Scheduler::Scheduler(async::asio::any_io_executor executor, Context context, std::vector<Target> targets)
    : context_(std::move(context)),
      tasks_(std::move(executor), [this](const std::string& name, const std::exception_ptr& error) {
        std::string what = "unknown exception";
        try {
          std::rethrow_exception(error);
        } catch (const std::exception& e) {
          what = e.what();
        } catch (...) {  // keeps "unknown exception"
        }
        context_.log.error("A probe's task ended unexpectedly; restart the agent and report this", {{"task", name}, {"error", what}});
      }) {
  for (auto& target : targets) slots_.push_back(std::make_unique<Slot>(std::move(target), context_.agent, context_.metrics));
}

Scheduler::~Scheduler() = default;

void Scheduler::start() {
  for (auto& slot : slots_) tasks_.spawn(slot->target.name, run(*slot));
}

async::Task<void> Scheduler::run(Slot& slot) {
  const auto& clock = context_.host.clock();
  const Labels identity{{"agent", context_.agent}, {"probe", std::string(slot.target.kind->name)}, {"target", slot.target.name}};
  const auto phase = static_cast<double>(identity.hash() % 1000) / 1000.0;
  Rhythm rhythm(slot.target.interval, phase, clock.mono());
  while (true) {
    const auto wait = rhythm.next() - clock.mono();
    if (wait.count() > 0) co_await async::sleep_for(wait);
    auto outcome = co_await run_once(slot);
    slot.runs.add();
    slot.overruns.add(static_cast<double>(rhythm.advance(clock.mono())));
    context_.sink(slot.harvest.gather(std::move(outcome)));
  }
}

async::Task<RunOutcome> Scheduler::run_once(Slot& slot) {
  auto outcome = co_await measure(slot.target, context_.host);
  const bool failing = outcome.output.failure.has_value();
  if (failing) {
    slot.failures.add();
    const auto& failure = *outcome.output.failure;
    if (!slot.was_failing)
      context_.log.warn("A probe cannot measure its target", {{"probe", slot.target.kind->name},
                                                              {"target", slot.target.name},
                                                              {"reason", probes::to_string(failure.reason)},
                                                              {"error", failure.error.what},
                                                              {"fix", failure.error.fix}});
  } else if (slot.was_failing) {
    context_.log.info("A probe measures its target again", {{"probe", slot.target.kind->name}, {"target", slot.target.name}});
  }
  slot.was_failing = failing;
  co_return outcome;
}

async::Task<void> Scheduler::stop() { return tasks_.stop(); }

void Scheduler::end_series_except(const std::vector<Target>& kept) {
  for (auto& slot : slots_) {
    const bool stays = std::any_of(kept.begin(), kept.end(), [&](const Target& target) {
      return target.kind == slot->target.kind && target.name == slot->target.name && target.labels == slot->target.labels;
    });
    if (stays) continue;
    auto batch = slot->harvest.farewell(context_.host.clock().wall());
    if (!batch.values.empty()) context_.sink(std::move(batch));
  }
}

}  // namespace ward::agent
