#include "collector/ingest/commit_loop.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <iterator>
#include <utility>

namespace ward::collector {

struct CommitLoop::State : std::enable_shared_from_this<CommitLoop::State> {
  enum class Kind { waits_for_room, looks, relieves };
  struct Job {
    Kind kind;
    std::function<void()> job;
    std::function<void()> done;
  };
  struct Step {  // entries up to here, then the jobs
    std::vector<JournalEntry> entries;
    std::vector<Job> jobs;
    Result<std::vector<Committed>> result;
    bool refused = false;  // by a full disk, at least once
  };

  State(async::asio::any_io_executor ex, async::BlockingPool& p, Recorder& r, Callbacks c, Pace with)
      : executor(std::move(ex)),
        pool(p),
        recorder(r),
        callbacks(std::move(c)),
        pace(with),
        retry(executor),
        gathering(executor),
        left(executor, async::asio::steady_timer::time_point::max()) {}

  void start_next() {
    if (busy || closed) return;
    if (held) return start_exempt();
    if (pending.entries.empty() && pending.jobs.empty()) return;
    if (gathers && pending.entries.size() < expected) return;
    busy = true;
    if (!pending.entries.empty() && pace.gather.count() > 0) start_gathering();
    run(std::make_shared<Step>(std::exchange(pending, Step{})));
  }

  void start_gathering() {
    gathers = true;
    gathering.expires_after(pace.gather);
    gathering.async_wait([self = shared_from_this()](const boost::system::error_code& stopped) {
      if (stopped) return;  // the next commit has begun, and waits for its own
      self->gathers = false;
      self->start_next();
    });
  }

  Result<std::vector<Committed>> commit(const Step& step) {
    if (callbacks.may_write)
      if (auto may = callbacks.may_write(); !may) return fail(may.error());
    if (!step.entries.empty()) return recorder.commit(step.entries);
    if (auto writable = recorder.probe(); !writable) return fail(writable.error());
    return std::vector<Committed>{};
  }

  void run(std::shared_ptr<Step> step) {
    pool.submit([self = shared_from_this(), step] {
      // A refused group whose agents have all greeted again is empty: then only whether there is room again is asked.
      if (!step->entries.empty() || step->refused) step->result = self->commit(*step);
      if (!is_full(step->result))
        for (const auto& job : step->jobs) job.job();
      async::asio::post(self->executor, [self, step] { self->finish(step); });
    });
  }

  static bool is_full(const Result<std::vector<Committed>>& result) { return !result && result.error().code == Errc::full; }

  /// A pool job has ended; true when nothing may follow it.
  bool leaves() {
    busy = false;
    if (closed) left.cancel();
    return closed;
  }

  void close() {
    closed = true;
    retry.cancel();
    gathering.cancel();
  }

  void finish(const std::shared_ptr<Step>& step) {
    if (leaves()) return;
    if (is_full(step->result)) return hold(step);
    // Also when the file broke while it was full: nothing waits any more, so nobody else would give the credit back.
    if (std::exchange(full, false)) callbacks.not_full();
    if (!step->result) {
      // Entries behind a lost group would leave holes: they go too, and the agents send all of it again.
      pending.entries.clear();
      callbacks.lost(step->result.error());
    } else if (!step->result->empty()) {
      callbacks.committed(*step->result);
    }
    for (const auto& job : step->jobs) job.done();
    expected = step->entries.size() + pending.entries.size();
    start_next();
  }

  void hold(const std::shared_ptr<Step>& step) {
    const auto why = step->result.error();
    step->result = std::vector<Committed>{};
    step->refused = true;
    held = step;
    due = false;
    retry.expires_after(pace.retry_every);
    retry.async_wait([self = shared_from_this()](const boost::system::error_code& stopped) {
      if (stopped || self->closed) return;
      self->due = true;
      self->start_retry();
    });
    if (!std::exchange(full, true)) callbacks.full(why);
    start_exempt();
  }

  void start_retry() {
    if (busy || !held || !due) return;
    busy = true;
    run(std::exchange(held, nullptr));
  }

  /// Jobs that do not wait for room, in their order; then the next attempt when it is time.
  void start_exempt() {
    if (busy) return;
    auto exempt = std::make_shared<std::vector<Job>>();
    for (auto* jobs : {&held->jobs, &pending.jobs}) {
      const auto rest =
          std::stable_partition(jobs->begin(), jobs->end(), [](const Job& j) { return j.kind != Kind::waits_for_room; });
      std::move(jobs->begin(), rest, std::back_inserter(*exempt));
      jobs->erase(jobs->begin(), rest);
    }
    if (exempt->empty()) return start_retry();
    busy = true;
    pool.submit([self = shared_from_this(), exempt] {
      for (const auto& each : *exempt) each.job();
      async::asio::post(self->executor, [self, exempt] {
        if (self->leaves()) return;
        for (const auto& each : *exempt) {
          if (each.kind == Kind::relieves) self->due = true;
          each.done();
        }
        self->start_exempt();
      });
    });
  }

  void forget(std::span<const StreamState> streams) {
    const auto of_these = [&](const JournalEntry& entry) {
      const auto* received = std::get_if<ReceivedRecord>(&entry);
      const auto row = received != nullptr ? received->stream : std::get<ReceivedGap>(entry).stream;
      return std::any_of(streams.begin(), streams.end(), [&](const StreamState& s) { return s.row == row; });
    };
    if (held) std::erase_if(held->entries, of_these);
    std::erase_if(pending.entries, of_these);
  }

  async::asio::any_io_executor executor;
  async::BlockingPool& pool;
  Recorder& recorder;
  Callbacks callbacks;
  const Pace pace;
  async::asio::steady_timer retry;
  async::asio::steady_timer gathering;
  async::asio::steady_timer left;  // cancelled when the last job has ended after close()
  Step pending;
  std::shared_ptr<Step> held;  // refused by a full disk, waits for the timer
  bool due = false;            // the timer came while a job ran, or that job made room
  bool busy = false;
  bool gathers = false;      // a commit began just now
  std::size_t expected = 0;  // entries, while it gathers
  bool full = false;
  bool closed = false;
};

CommitLoop::CommitLoop(async::asio::any_io_executor executor, async::BlockingPool& pool, Recorder& recorder,
                       Callbacks callbacks, Pace pace)
    : state_(std::make_shared<State>(std::move(executor), pool, recorder, std::move(callbacks), pace)) {}

CommitLoop::~CommitLoop() { state_->close(); }

void CommitLoop::submit(JournalEntry entry) {
  state_->pending.entries.push_back(std::move(entry));
  state_->start_next();
}

void CommitLoop::submit(std::vector<JournalEntry> entries) {
  auto& pending = state_->pending.entries;
  pending.insert(pending.end(), std::make_move_iterator(entries.begin()), std::make_move_iterator(entries.end()));
  state_->start_next();
}

void CommitLoop::exclusive(std::function<void()> job, std::function<void()> done) {
  state_->pending.jobs.push_back({State::Kind::waits_for_room, std::move(job), std::move(done)});
  state_->start_next();
}

void CommitLoop::look(std::function<void()> job, std::function<void()> done) {
  state_->pending.jobs.push_back({State::Kind::looks, std::move(job), std::move(done)});
  state_->start_next();
}

void CommitLoop::relieve(std::function<void()> job, std::function<void()> done) {
  state_->pending.jobs.push_back({State::Kind::relieves, std::move(job), std::move(done)});
  state_->start_next();
}

void CommitLoop::forget(std::span<const StreamState> streams) { state_->forget(streams); }

bool CommitLoop::is_full() const { return state_->full; }
std::size_t CommitLoop::waiting() const {
  return state_->pending.entries.size() + (state_->held ? state_->held->entries.size() : 0);
}
bool CommitLoop::idle() const {
  return !state_->busy && !state_->held && state_->pending.entries.empty() && state_->pending.jobs.empty();
}

async::Task<void> CommitLoop::stop() {
  const auto state = state_;
  state->close();
  boost::system::error_code woken;
  while (state->busy) co_await state->left.async_wait(async::asio::redirect_error(async::asio::use_awaitable, woken));
}

}  // namespace ward::collector
