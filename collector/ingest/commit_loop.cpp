#include "collector/ingest/commit_loop.hpp"

#include <boost/asio/post.hpp>
#include <deque>
#include <utility>

namespace ward::collector {

struct CommitLoop::State : std::enable_shared_from_this<CommitLoop::State> {
  struct Exclusive {
    std::function<void()> job;
    std::function<void()> done;
  };
  struct Step {  // entries up to here, then the jobs
    std::vector<JournalEntry> entries;
    std::vector<Exclusive> jobs;
    Result<std::vector<Committed>> result;
  };

  State(async::asio::any_io_executor ex, async::BlockingPool& p, Recorder& r, Callbacks c)
      : executor(std::move(ex)), pool(p), recorder(r), callbacks(std::move(c)), retry(executor) {}

  void start_next() {
    if (busy || closed || (pending.entries.empty() && pending.jobs.empty())) return;
    busy = true;
    run(std::make_shared<Step>(std::exchange(pending, Step{})));
  }

  void run(std::shared_ptr<Step> step) {
    pool.submit([self = shared_from_this(), step] {
      if (!step->entries.empty()) step->result = self->recorder.commit(step->entries);
      const bool full = !step->result && step->result.error().code == Errc::full;
      if (!full)
        for (const auto& exclusive : step->jobs) exclusive.job();
      async::asio::post(self->executor, [self, step] { self->finish(step); });
    });
  }

  void finish(const std::shared_ptr<Step>& step) {
    if (closed) {
      busy = false;
      return;
    }
    if (!step->result && step->result.error().code == Errc::full) {
      if (!std::exchange(is_full, true)) callbacks.full(true);
      retry.expires_after(std::chrono::seconds{1});
      retry.async_wait([self = shared_from_this(), step](const boost::system::error_code& stopped) {
        step->result = std::vector<Committed>{};
        if (stopped || self->closed)
          self->busy = false;
        else
          self->run(step);
      });
      return;
    }
    busy = false;
    // Also when the file broke while it was full: nothing waits any more, so nobody else would give the credit back.
    if (std::exchange(is_full, false)) callbacks.full(false);
    if (!step->result) {
      // Entries behind a lost group would leave holes: they go too, and the agents send all of it again.
      pending.entries.clear();
      callbacks.lost(step->result.error());
    } else {
      if (!step->result->empty()) callbacks.committed(*step->result);
    }
    for (const auto& exclusive : step->jobs) exclusive.done();
    start_next();
  }

  async::asio::any_io_executor executor;
  async::BlockingPool& pool;
  Recorder& recorder;
  Callbacks callbacks;
  async::asio::steady_timer retry;
  Step pending;
  bool busy = false;
  bool is_full = false;
  bool closed = false;
};

CommitLoop::CommitLoop(async::asio::any_io_executor executor, async::BlockingPool& pool, Recorder& recorder, Callbacks callbacks)
    : state_(std::make_shared<State>(std::move(executor), pool, recorder, std::move(callbacks))) {}

CommitLoop::~CommitLoop() { close(); }

void CommitLoop::submit(JournalEntry entry) {
  state_->pending.entries.push_back(std::move(entry));
  state_->start_next();
}

void CommitLoop::exclusive(std::function<void()> job, std::function<void()> done) {
  State::Exclusive exclusive{std::move(job), std::move(done)};
  state_->pending.jobs.push_back(std::move(exclusive));
  state_->start_next();
}

std::size_t CommitLoop::waiting() const { return state_->pending.entries.size(); }
bool CommitLoop::idle() const { return !state_->busy && state_->pending.entries.empty() && state_->pending.jobs.empty(); }

void CommitLoop::close() {
  state_->closed = true;
  state_->retry.cancel();
}

}  // namespace ward::collector
