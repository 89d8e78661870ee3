#include "collector/pipeline.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <set>
#include <utility>

#include "collector/advice.hpp"
#include "collector/alerting/alert_rows.hpp"
#include "collector/foreign/foreign_alerts.hpp"
#include "common/async/blocking_to_end.hpp"
#include "common/async/within.hpp"
#include "common/base/planted.hpp"

namespace ward::collector {
namespace {

// Samples of one probe run and of its neighbours come within this; waiting it out saves evaluations.
constexpr milliseconds kDebounce{30};
constexpr milliseconds kLongestSleep{1'000};
constexpr std::chrono::seconds kAnswerWithin{10};
constexpr std::size_t kMostAsked = 1'000;

/// What the router wants stored, without its deliveries: those go through the outbox. What was to be stored before and is
/// gone by this is stored no more.
void take(Routed routed, StateChange& change) {
  StateChange later;
  later.decisions = std::move(routed.decisions);
  later.notified = std::move(routed.notified);
  later.notified_gone = std::move(routed.notified_gone);
  later.escalations = std::move(routed.escalations);
  later.escalations_gone = std::move(routed.escalations_gone);
  later.silences = std::move(routed.silences);
  later.silences_gone = std::move(routed.silences_gone);
  later.audit = std::move(routed.audit);
  later.verdicts = std::move(routed.verdicts);
  append(change, std::move(later));
}

}  // namespace

/// A command that waits for its step.
struct Pipeline::Asked {
  Asked(const async::asio::any_io_executor& executor, Command what) : command(std::move(what)), answered(executor) {}
  Command command;
  std::optional<Result<std::string>> outcome;
  bool begun = false;
  bool told = false;
  async::asio::steady_timer answered;
};

async::TaskGroup::OnFailure logs_failure(telemetry::Logger& log, std::string what) {
  return [&log, what = std::move(what)](const std::string& task, const std::exception_ptr& error) {
    std::string why = "unknown exception";
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      why = e.what();
    } catch (...) {  // keeps "unknown exception"
    }
    log.error(what, {{"task", task}, {"error", why}});
  };
}

Pipeline::Pipeline(Context context)
    : context_(std::move(context)),
      wakeup_(context_.executor),
      coverage_(context_.coverage),
      alerts_(std::make_shared<std::vector<AlertEvent>>()),
      rules_(std::make_shared<RulesSnapshot>(context_.rules.snapshot())),
      tasks_(context_.executor,
             logs_failure(context_.log, "Evaluation ended unexpectedly; restart the collector and report this")) {
  begin_grace();
  know_stored();
}

/// The time in which what an earlier life told may be told again.
void Pipeline::begin_grace() {
  inherited_until_ = context_.clock.mono() + kRestoreGrace;
  untold_at_ = inherited_until_;
}

void Pipeline::start() {
  begin_grace();
  tasks_.spawn("evaluation", loop());
}

/// What restoring changed in a row is worth no write; a row that moved to another rule is, and so is one that nobody took.
void Pipeline::know_stored() {
  for (auto& row : context_.stored_alerts) saved_.emplace(std::move(row.key), std::move(row.data));
  context_.stored_alerts.clear();
  if (coverage_ == RuleCoverage::partial)
    for (auto& state : context_.ruleless) ruleless_.emplace(to_row(state).key, std::move(state));
  context_.ruleless.clear();
  for (const auto& state : context_.rules.save()) {
    auto row = to_row(state);
    if (const auto known = saved_.find(row.key); known != saved_.end()) known->second = std::move(row.data);
  }
}

async::Task<void> Pipeline::stop() {
  for (const auto& asked : std::exchange(asked_, {})) {
    asked->outcome = fail(Errc::cancelled, "the collector stops; nothing was done", "Ask again when it runs.");
    asked->told = true;
    asked->answered.cancel();
  }
  return tasks_.stop();
}

async::Task<Result<std::string>> Pipeline::perform(Command command) {
  if (asked_.size() >= kMostAsked)
    co_return fail(Errc::overloaded, "too many requests wait for the next evaluation", "Ask again in a moment.");
  auto asked = std::make_shared<Asked>(context_.executor, std::move(command));
  asked_.push_back(asked);
  wakeup_.wake();
  asked->answered.expires_after(kAnswerWithin);
  boost::system::error_code woken;
  co_await asked->answered.async_wait(async::asio::redirect_error(async::asio::use_awaitable, woken));
  if (asked->told) co_return *asked->outcome;
  std::erase(asked_, asked);
  if (asked->begun)
    co_return fail(Errc::unavailable, "it is in force, but it is not known whether it is stored", "Look, and ask again.");
  co_return fail(Errc::unavailable, "no evaluation came within 10 s; nothing was done", "Look at /readyz, and ask again.");
}

void Pipeline::hear(std::vector<AlertEvent> events) {
  if (events.empty()) return;
  heard_.insert(heard_.end(), std::make_move_iterator(events.begin()), std::make_move_iterator(events.end()));
  wakeup_.wake();
}

std::vector<AlertEvent> Pipeline::current() const {
  auto out = context_.rules.current();
  if (context_.others)
    for (auto& alert : context_.others()) out.push_back(std::move(alert));
  return out;
}

void Pipeline::audit(AuditEntry entry) {
  audit_.push_back(std::move(entry));
  wakeup_.wake();
}

Pipeline::AskedList Pipeline::perform_asked(StateChange& change, Time now) {
  auto list = std::exchange(asked_, {});
  change.audit = std::exchange(audit_, {});
  for (const auto& asked : list) {
    auto performed = context_.router.perform(asked->command, now);
    asked->begun = true;
    asked->outcome = std::move(performed.outcome);
    for (const auto& given : performed.change.verdicts) context_.incidents.give_verdict(given.incident, given.verdict);
    take(std::move(performed.change), change);
  }
  return list;
}

/// Those who asked hear only of what is stored.
void Pipeline::tell(const AskedList& asked, const Status& stored) {
  for (const auto& one : asked) {
    if (!stored && one->outcome && *one->outcome)
      one->outcome =
          fail(Errc::unavailable, "it is in force, but could not be stored yet: " + stored.error().what, stored.error().fix);
    one->told = true;
    one->answered.cancel();
  }
}

void Pipeline::use_book(std::shared_ptr<const Rulebook> book, RuleCoverage coverage) {
  next_book_ = std::move(book);
  next_coverage_ = coverage;
  wakeup_.wake();
}

std::vector<AlertState> Pipeline::ruleless() const {
  std::vector<AlertState> out;
  for (const auto& [key, state] : ruleless_) out.push_back(state);
  return out;
}

/// New rules are in force, and `ruleless` has found none there either.
void Pipeline::reloaded(RuleCoverage coverage, std::vector<AlertState> ruleless) {
  ruleless_.clear();
  if (coverage_ == RuleCoverage::whole) return;
  coverage_ = coverage;
  if (coverage_ == RuleCoverage::partial)
    for (auto& state : ruleless) ruleless_.emplace(to_row(state).key, std::move(state));
  else if (inherited_until_)
    inherited_until_ = context_.clock.mono() + kRestoreGrace;
}

std::shared_ptr<const std::vector<AlertEvent>> Pipeline::alerts() const {
  const std::scoped_lock lock(mutex_);
  return alerts_;
}

std::shared_ptr<const RulesSnapshot> Pipeline::rules() const {
  const std::scoped_lock lock(mutex_);
  return rules_;
}

milliseconds Pipeline::until_next(Time now) const {
  const auto due = std::min({context_.rules.next_wake(now), context_.incidents.next_wake(), context_.router.next_wake()});
  if (due <= now) return milliseconds{0};
  return std::min(due - now, kLongestSleep);
}

async::Task<void> Pipeline::loop() {
  while (true) {
    co_await wakeup_.wait(until_next(context_.clock.wall()));
    co_await async::sleep_for(kDebounce);
    co_await step();
  }
}

async::Task<void> Pipeline::step() {
  const auto now = context_.clock.wall();
  auto events = co_await evaluate(now);
  co_await settle(std::move(events), now);
  last_tick_ = now;
  last_progress_ = context_.clock.mono();
}

async::Task<std::vector<AlertEvent>> Pipeline::evaluate(Time now) {
  auto* rules = &context_.rules;
  const auto book = std::exchange(next_book_, nullptr);
  auto next = book ? book->rules : nullptr;
  if (book) {
    context_.incidents.use(book->services, book->correlation);
    context_.router.use(book->routing);
    context_.outbox.use_fallbacks(book->routing.fallbacks(), book->routing.fallback_receiver);
    context_.book = book;
  }
  auto arrived = context_.head.take_arrived();
  const bool reload = next != nullptr;
  const auto coverage = next_coverage_;
  auto waiting = std::make_shared<std::vector<AlertState>>(reload ? ruleless() : std::vector<AlertState>{});
  auto job = [rules, next = std::move(next), waiting, arrived = std::move(arrived), now] {
    std::vector<AlertEvent> events;
    if (next) events = rules->reload(next, now);
    if (!waiting->empty()) *waiting = rules->restore(*waiting, now);
    auto groups = rules->due(now);
    const auto early = rules->groups_reading(arrived);
    groups.insert(groups.end(), early.begin(), early.end());
    std::sort(groups.begin(), groups.end());
    groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
    for (const auto group : groups) {
      auto some = rules->evaluate(group, now);
      events.insert(events.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
    }
    return events;
  };
  auto running = async::run_blocking_to_end(context_.pool, std::move(job));
  auto events = co_await std::move(running);
  if (reload) reloaded(coverage, std::move(*waiting));
  auto current = std::make_shared<std::vector<AlertEvent>>(this->current());
  std::erase_if(*current, [](const AlertEvent& a) { return a.phase == AlertPhase::resolved; });
  auto snapshot = std::make_shared<RulesSnapshot>(context_.rules.snapshot());
  const std::scoped_lock lock(mutex_);
  alerts_ = std::move(current);
  rules_ = std::move(snapshot);
  co_return events;
}

/// Once the alerts of an earlier life had their time to come back: those whose rule is gone. Rules that were not evaluated
/// yet are waited for.
std::vector<AlertEvent> Pipeline::disowned() {
  std::vector<AlertEvent> out;
  if (coverage_ == RuleCoverage::partial || !inherited_until_ || context_.clock.mono() < *inherited_until_) return out;
  std::set<Labels> current;
  for (auto& alert : this->current())
    if (alert.phase != AlertPhase::resolved) current.insert(std::move(alert.labels));
  bool complete = true;
  for (auto& alert : context_.incidents.live()) {
    if (current.contains(alert.labels)) continue;
    if (context_.rules.awaits(alert.labels.get("alertname")))
      complete = false;
    else
      out.push_back(std::move(alert));
  }
  if (complete) inherited_until_.reset();
  return out;
}

/// Once the alerts of an earlier life had their time to end: those that fire and that incidents know nothing of, for what
/// was stored of it could not be read. They get an incident again; whoever was told of just this one is not told twice.
std::vector<AlertEvent> Pipeline::untold() {
  std::vector<AlertEvent> out;
  if (!untold_at_ || context_.clock.mono() < *untold_at_) return out;
  untold_at_.reset();
  std::set<Labels> known;
  for (auto& alert : context_.incidents.live())
    if (alert.phase == AlertPhase::firing) known.insert(std::move(alert.labels));
  for (auto& alert : current())
    if (alert.phase == AlertPhase::firing && !known.contains(alert.labels)) out.push_back(std::move(alert));
  return out;
}

/// What was heard since the last step. What a rule here has under the same labels is the rule's to begin and to end, whoever
/// posts it as well.
std::vector<AlertEvent> Pipeline::heard() {
  auto out = std::exchange(heard_, {});
  if (std::none_of(out.begin(), out.end(), is_foreign)) return out;
  std::set<Labels> own;
  for (auto& alert : context_.rules.current())
    if (alert.phase != AlertPhase::resolved) own.insert(std::move(alert.labels));
  std::erase_if(out, [&](const AlertEvent& alert) { return is_foreign(alert) && own.contains(alert.labels); });
  return out;
}

void Pipeline::save_alerts(StateChange& change) {
  std::map<AlertRowKey, std::string> now_there;
  for (const auto& state : context_.rules.save()) {
    auto row = to_row(state);
    const auto known = saved_.find(row.key);
    if (known == saved_.end() || known->second != row.data) change.alerts.push_back(row);
    now_there.emplace(std::move(row.key), std::move(row.data));
  }
  for (const auto& [key, data] : saved_) {
    if (now_there.contains(key)) continue;
    if (ruleless_.contains(key))
      now_there.emplace(key, data);
    else
      change.alerts_gone.push_back(key);
  }
  saved_ = std::move(now_there);
}

/// Lets the decision tree of each page, and what its service's recovery rests on, answer what they can, so that whoever is
/// woken need not ask first.
async::Task<void> Pipeline::advise(std::vector<Notice>* notices, Time now) {
  if (context_.compiler == nullptr || !context_.book) co_return;
  const auto wanted = advice_for(*notices, *context_.book);
  if (wanted.empty()) co_return;
  const auto* compiler = context_.compiler;
  const auto* clock = &context_.clock;
  std::function<Status()> job = [&wanted, compiler, clock, now]() -> Status {
    give(wanted, *compiler, *clock, now);
    return {};
  };
  auto running = async::run_blocking_to_end(context_.pool, std::move(job));
  (void)co_await std::move(running);
}

async::Task<void> Pipeline::settle(std::vector<AlertEvent> events, Time now) {
  const auto gone = disowned();
  for (auto& alert : untold()) events.push_back(std::move(alert));
  for (auto& alert : heard()) events.push_back(std::move(alert));
  auto folded = context_.incidents.fold(events, now, gone);
  co_await advise(&folded.notices, now);
  const auto open = context_.incidents.open();
  StateChange change;
  const auto asked = perform_asked(change, now);
  auto routed = context_.router.route(folded.notices, open, now);
  save_alerts(change);
  change.incidents = std::move(folded.incidents);
  change.watched = std::move(folded.watched);
  change.decisions.insert(change.decisions.begin(), folded.decisions.begin(), folded.decisions.end());
  change.deliveries = context_.outbox.plan(routed.deliveries, now);
  take(std::move(routed), change);
  if (planted(Planted::end_unstored))
    std::erase_if(change.incidents, [](const auto& r) { return r.incident.phase == IncidentPhase::resolved; });
  for (const auto& decision : change.decisions)
    context_.log.info("Decision", {{"incident", decision.incident}, {"what", decision.what}, {"why", decision.why}});
  append(unsaved_, std::move(change));
  if (is_empty(unsaved_)) {
    tell(asked, {});
    co_return;
  }
  if (planted(Planted::accept_before_commit)) {
    context_.outbox.accept(unsaved_.deliveries);
    context_.sent_wake();
  }
  if (planted(Planted::step_apart)) {
    StateChange steps;
    steps.escalations = unsaved_.escalations;
    (void)co_await context_.writer.commit(std::move(steps));
  }
  auto attempt = unsaved_;
  const auto done = co_await context_.writer.commit(std::move(attempt));
  if (!done) {
    if (!trouble_)
      context_.log.error("Alert state cannot be stored; pages wait until it can",
                         {{"error", done.error().what}, {"fix", done.error().fix}});
    trouble_ = done.error();
    tell(asked, done);
    co_return;
  }
  trouble_.reset();
  tell(asked, done);
  context_.outbox.accept(unsaved_.deliveries);
  if (!unsaved_.deliveries.empty()) context_.sent_wake();
  unsaved_ = StateChange{};
}

}  // namespace ward::collector
