#include "collector/service_levels.hpp"

#include <utility>

#include "collector/pipeline.hpp"
#include "common/async/blocking_to_end.hpp"
#include "common/async/within.hpp"

namespace ward::collector {
namespace {

constexpr std::chrono::minutes kSaveEvery{1};
constexpr std::chrono::hours kPruneEvery{6};
constexpr int kCatchUpSteps = 40;  // of history in one turn; a tick comes between

slo::SloEngine::Context engine_context(const ServiceLevels::Context& context, slo::Maintenance maintenance,
                                       const std::atomic<bool>& stopping) {
  auto ask = slo::make_sli_query(context.promql, context.history);
  auto ask_until_stop = [ask = std::move(ask), &stopping](const std::string& query,
                                                          Time at) -> Result<std::vector<SeriesValue>> {
    if (stopping) return fail(Errc::cancelled, "the collector stops", "Nothing to do.");
    return ask(query, at);
  };
  return {.query = std::move(ask_until_stop),
          .maintenance = std::move(maintenance),
          .history = &context.history,
          .store = &context.store,
          .options = {}};
}

}  // namespace

ServiceLevels::ServiceLevels(Context context)
    : context_(std::move(context)),
      engine_(engine_context(
          context_, [this](const std::string& service, const Labels&, Time at) { return is_excluded(service, at); },
          stopping_)),
      tasks_(
          context_.executor,
          logs_failure(context_.log, "Judging service levels ended unexpectedly; restart the collector and report this")) {}

bool ServiceLevels::is_excluded(const std::string& service, Time at) const {
  const auto current = book();
  return current && collector::is_excluded(*current, service, at);
}

std::shared_ptr<const Rulebook> ServiceLevels::book() const {
  const std::scoped_lock lock(mutex_);
  return book_;
}

Status ServiceLevels::begin(std::shared_ptr<const Rulebook> book) {
  {
    const std::scoped_lock lock(mutex_);
    book_ = book;
  }
  const auto loaded = engine_.reload(book->slos, context_.clock.wall());
  if (!loaded) return fail(loaded.error());
  return {};
}

void ServiceLevels::use_book(std::shared_ptr<const Rulebook> book) {
  const std::scoped_lock lock(mutex_);
  next_ = std::move(book);
}

void ServiceLevels::define(SeriesId id, const Labels& labels) {
  {
    const std::scoped_lock lock(mutex_);
    if (id >= known_.size()) known_.resize(static_cast<std::size_t>(id) + 1);
    known_[id] = true;
  }
  engine_.define(id, labels);
}

/// All series again, for SLOs that are new.
void ServiceLevels::tell_series() {
  std::vector<bool> known;
  {
    const std::scoped_lock lock(mutex_);
    known = known_;
  }
  for (std::size_t id = 0; id < known.size(); ++id) {
    if (!known[id]) continue;
    const auto number = static_cast<SeriesId>(id);
    if (const auto labels = context_.catalogue.labels(number); !labels.empty()) engine_.define(number, labels);
  }
}

void ServiceLevels::start(Hear hear) {
  tell(std::move(hear));
  tasks_.spawn("service levels", loop());
}

async::Task<Status> ServiceLevels::on_pool(std::function<Status()> job) {
  auto running = async::run_blocking_to_end(context_.pool, std::move(job));
  const auto done = co_await std::move(running);
  co_return done;
}

Status ServiceLevels::take_book(Time now, std::vector<AlertEvent>& alerts) {
  std::shared_ptr<const Rulebook> next;
  {
    const std::scoped_lock lock(mutex_);
    next = std::exchange(next_, nullptr);
  }
  if (!next) return {};
  auto reloaded = engine_.reload(next->slos, now);
  {
    const std::scoped_lock lock(mutex_);
    if (reloaded)
      book_ = next;
    else if (!next_)
      next_ = next;
  }
  if (!reloaded) return fail(reloaded.error());
  alerts.insert(alerts.end(), reloaded->ended.begin(), reloaded->ended.end());
  if (reloaded->needs_series) tell_series();
  return {};
}

Status ServiceLevels::tick(Time now, std::vector<AlertEvent>& alerts) {
  auto taken = take_book(now, alerts);
  for (int steps = 0; steps < kCatchUpSteps && !stopping_ && engine_.catches_up() && engine_.catch_up(now); ++steps) {}
  auto judged = engine_.tick(now);
  context_.sink.write(now, judged.series);
  alerts.insert(alerts.end(), std::make_move_iterator(judged.alerts.begin()), std::make_move_iterator(judged.alerts.end()));
  return taken;
}

async::Task<void> ServiceLevels::loop() {
  auto saved = context_.clock.mono();
  auto pruned = saved;
  while (true) {
    co_await judge();
    report();
    const auto mono = context_.clock.mono();
    if (mono - saved >= kSaveEvery) {
      saved = mono;
      co_await save();
    }
    if (context_.keep.count() > 0 && mono - pruned >= kPruneEvery) {
      pruned = mono;
      co_await prune();
    }
    co_await async::sleep_for(context_.tick);
  }
}

async::Task<void> ServiceLevels::judge() {
  const auto now = context_.clock.wall();
  const auto alerts = std::make_shared<std::vector<AlertEvent>>();
  std::function<Status()> job = [this, now, alerts] { return tick(now, *alerts); };
  const auto judged = co_await on_pool(std::move(job));
  if (!judged && !std::exchange(reload_fails_, true))
    context_.log.error("New SLOs could not be taken; the old ones are judged on, and it is tried again",
                       {{"error", judged.error().what}, {"fix", judged.error().fix}});
  if (judged) reload_fails_ = false;
  // Incidents are stored at once; an alert that a crash takes from under its incident would end it, and page again.
  if (!alerts->empty()) co_await save();
  hear_(std::move(*alerts));
}

async::Task<void> ServiceLevels::save() {
  std::function<Status()> job = [this] {
    auto may = context_.volume.may_write();
    return may ? engine_.save() : may;
  };
  const auto stored = co_await on_pool(std::move(job));
  if (!stored && !std::exchange(save_fails_, true))
    context_.log.error("What SLOs have counted cannot be stored; after a restart it is counted anew from samples",
                       {{"error", stored.error().what}, {"fix", stored.error().fix}});
  if (stored) save_fails_ = false;
}

async::Task<void> ServiceLevels::prune() {
  const auto before = context_.clock.wall() - context_.keep;
  std::function<Status()> job = [this, before] { return context_.store.prune(before); };
  const auto done = co_await on_pool(std::move(job));
  if (!done)
    context_.log.error("Old SLO ledgers could not be deleted; they stay until the next attempt",
                       {{"error", done.error().what}, {"fix", done.error().fix}});
}

async::Task<void> ServiceLevels::stop() {
  stopping_ = true;  // a tick under way asks nothing more
  co_await tasks_.stop();
  if (!hear_) co_return;  // it never began to count
  save_fails_ = false;
  co_await save();
}

void ServiceLevels::report() {
  auto& metrics = context_.metrics;
  const auto size = engine_.size();
  metrics.gauge("ward_slo_ledgers", "SLOs times groups that are counted.").set(static_cast<double>(size.ledgers));
  metrics.gauge("ward_slo_ledger_bytes", "Memory of their ledgers.").set(static_cast<double>(size.ledger_bytes));
  const auto counts = engine_.counts();
  const auto grown = [&](const char* name, const char* help, std::uint64_t now, std::uint64_t before) {
    metrics.counter(name, help).add(static_cast<double>(now - before));
  };
  grown("ward_slo_samples_total", "Samples that SLOs have counted.", counts.samples, reported_.samples);
  grown("ward_slo_refused_groups_total", "Groups of SLOs that a bound refused.", counts.refused_groups,
        reported_.refused_groups);
  grown("ward_slo_query_failures_total", "PromQL indicators that could not be evaluated.", counts.query_failures,
        reported_.query_failures);
  grown("ward_slo_read_failures_total", "Blocks of ledgers, and parts of history, that could not be read.",
        counts.read_failures + counts.damaged_blocks + counts.failed_seeds,
        reported_.read_failures + reported_.damaged_blocks + reported_.failed_seeds);
  const auto late = [](const slo::EngineCounts& c) { return c.too_old + c.ahead + c.invalid; };
  grown("ward_slo_samples_left_out_total", "Samples of SLOs too old, too far ahead, or not a number.", late(counts),
        late(reported_));
  reported_ = counts;
}

}  // namespace ward::collector
