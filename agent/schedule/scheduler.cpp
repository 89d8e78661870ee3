#include "agent/schedule/scheduler.hpp"

#include <algorithm>
#include <boost/core/demangle.hpp>
#include <typeinfo>
#include <utility>

#include "agent/schedule/rhythm.hpp"
#include "common/async/within.hpp"

namespace ward::agent {

struct Scheduler::Slot {
  Slot(Target t, const Scheduler& owner)
      : target(std::move(t)),
        harvest(target, target.probe->caps()),
        runs(owner.context_.metrics.counter("ward_agent_probe_runs_total", "Probe runs that ended.", of(target))),
        failures(owner.context_.metrics.counter("ward_agent_probe_failures_total", "Probe runs that could not measure.",
                                                of(target))),
        overruns(owner.context_.metrics.counter("ward_agent_probe_overruns_total",
                                                "Runs left out because the one before was still going.", of(target))),
        tasks(owner.executor_, [&log = owner.context_.log](const std::string& name, const std::exception_ptr& error) {
          std::string what = "unknown exception";
          try {
            std::rethrow_exception(error);
          } catch (const std::exception& e) {
            what = e.what();
          } catch (...) {  // keeps "unknown exception"
          }
          log.error("A target is no longer measured; restart the agent and report this",
                    {{"target", name}, {"error", what}});
        }) {}
  static Labels of(const Target& target) { return Labels{{"probe", std::string(target.kind->name)}}; }
  Target target;
  Harvest harvest;
  telemetry::Counter& runs;
  telemetry::Counter& failures;
  telemetry::Counter& overruns;
  bool was_failing = false;
  async::TaskGroup tasks;
};

namespace {

/// Names the type alone: the text of a library's exception may quote a statement or a row.
Error unexpected(const std::exception& e) {
  const auto* system = dynamic_cast<const boost::system::system_error*>(&e);
  const auto what = system != nullptr ? system->code().message() : boost::core::demangle(typeid(e).name());
  return {Errc::internal, "the probe ended with an unexpected error: " + what,
          "Report this with the version of the agent and of the target."};
}

}  // namespace

async::Task<RunOutcome> measure(Target& target, probes::Host& host, async::Timers& timers) {
  RunOutcome outcome;
  outcome.started = host.clock().wall();
  const auto from = host.clock().mono();
  try {
    auto run = target.probe->collect(host);
    auto output = co_await async::within(timers, target.deadline, std::move(run));
    if (output) {
      outcome.output = std::move(*output);
    } else {
      Error late{Errc::timed_out,
                 "the run took longer than its deadline of " + std::to_string(target.deadline.count()) + " ms",
                 "Look at the target, or raise 'deadline' in its section."};
      outcome.output.readings = target.probe->on_deadline();
      outcome.output.failure = probes::ProbeFailure{probes::FailureReason::timeout, std::move(late)};
    }
  } catch (const std::exception& e) {
    outcome.output = probes::ProbeOutput{};
    outcome.output.failure = probes::ProbeFailure{probes::FailureReason::internal, unexpected(e)};
  }
  // Whatever a cancelled probe says, it says it of its own end: "refused" here would page for a target that is well.
  const auto state = co_await async::asio::this_coro::cancellation_state;
  if (state.cancelled() != async::asio::cancellation_type::none)
    throw boost::system::system_error(async::asio::error::operation_aborted);
  outcome.took = host.clock().mono() - from;
  co_return outcome;
}

Scheduler::Scheduler(async::asio::any_io_executor executor, Context context, std::vector<Target> targets)
    : executor_(std::move(executor)), context_(std::move(context)) {
  for (auto& target : targets) slots_.push_back(std::make_unique<Slot>(std::move(target), *this));
}

Scheduler::~Scheduler() = default;

void Scheduler::start() {
  for (auto& slot : slots_) start(*slot);
}

void Scheduler::start(Slot& slot) { slot.tasks.spawn(slot.target.name, run(slot)); }

async::Task<void> Scheduler::run(Slot& slot) {
  const auto& clock = context_.host.clock();
  const Labels identity{
      {"agent", context_.agent}, {"probe", std::string(slot.target.kind->name)}, {"target", slot.target.name}};
  const auto phase = static_cast<double>(identity.hash() % 1000) / 1000.0;
  Rhythm rhythm(slot.target.interval, phase, clock.mono());
  while (true) {
    const auto wait = rhythm.next() - clock.mono();
    if (wait.count() > 0) co_await context_.timers.sleep_for(wait);
    auto outcome = co_await run_once(slot);
    slot.runs.add();
    slot.overruns.add(static_cast<double>(rhythm.advance(clock.mono())));
    if (context_.learnt && !outcome.output.described.empty()) context_.learnt(std::move(outcome.output.described));
    context_.sink(slot.harvest.gather(std::move(outcome)));
  }
}

async::Task<RunOutcome> Scheduler::run_once(Slot& slot) {
  auto outcome = co_await measure(slot.target, context_.host, context_.timers);
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
    context_.log.info("A probe measures its target again",
                      {{"probe", slot.target.kind->name}, {"target", slot.target.name}});
  }
  slot.was_failing = failing;
  co_return outcome;
}

async::Task<void> Scheduler::stop() {
  for (auto& slot : slots_) slot->tasks.cancel();
  for (auto& slot : slots_) co_await slot->tasks.join();
}

// A target whose section changed writes the same series as before: what it knew of them goes on.
void Scheduler::adopt(Slot& slot) {
  const auto before =
      std::find_if(leaving_.begin(), leaving_.end(), [&](const auto& old) { return same_series(old->target, slot.target); });
  if (before == leaving_.end()) return;
  slot.harvest.go_on_from(std::move((*before)->harvest));
  slot.was_failing = (*before)->was_failing;
  leaving_.erase(before);
}

async::Task<void> Scheduler::replace(std::vector<Target> targets) {
  std::vector<std::unique_ptr<Slot>> next, fresh;
  for (auto& target : targets) {
    const auto same = std::find_if(slots_.begin(), slots_.end(),
                                   [&](const auto& slot) { return slot && same_target(slot->target, target); });
    if (same != slots_.end())
      next.push_back(std::move(*same));
    else
      fresh.push_back(std::make_unique<Slot>(std::move(target), *this));
  }
  std::erase(slots_, nullptr);
  leaving_ = std::exchange(slots_, std::move(next));
  for (auto& slot : leaving_) slot->tasks.cancel();
  for (auto& slot : leaving_) co_await slot->tasks.join();
  for (auto& slot : fresh) {
    adopt(*slot);
    start(*slot);
    slots_.push_back(std::move(slot));
  }
  for (auto& slot : leaving_) {
    auto batch = slot->harvest.farewell(context_.host.clock().wall());
    if (!batch.values.empty()) context_.sink(std::move(batch));
  }
  leaving_.clear();
}

}  // namespace ward::agent
