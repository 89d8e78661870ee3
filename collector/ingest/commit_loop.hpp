#pragma once
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "collector/ingest/recorder.hpp"
#include "common/async/blocking.hpp"
#include "common/async/task.hpp"

namespace ward::collector {

/// Group commit: what arrives while a commit runs goes into the next one. The journal is touched by one pool job at a
/// time, never on the io thread. Thread: the io thread; callbacks come there too.
class CommitLoop {
 public:
  struct Callbacks {
    std::function<void(const std::vector<Committed>&)> committed;
    /// The group and everything behind it is gone unacknowledged: end all sessions, the agents send again.
    std::function<void(const Error&)> lost;
    /// The disk takes nothing: what is under way is kept and tried again each `retry_every`.
    std::function<void(const Error&)> full;
    /// The disk takes data again, or broke altogether (then lost() follows).
    std::function<void()> not_full;
    /// On the pool, before each commit: an error (Errc::full) is taken for the disk's. May be empty.
    std::function<Status()> may_write;
  };
  struct Pace {
    milliseconds retry_every{1'000};
    /// So long after the begin of a commit the next one waits for as many entries as the last one answered and left behind:
    /// their senders send again, and then share the price of one forced write. The first of a quiet time, and a sender that
    /// is alone, wait for nothing.
    milliseconds gather{0};
  };
  CommitLoop(async::asio::any_io_executor executor, async::BlockingPool& pool, Recorder& recorder, Callbacks callbacks,
             Pace pace);
  ~CommitLoop();
  CommitLoop(const CommitLoop&) = delete;
  CommitLoop& operator=(const CommitLoop&) = delete;

  void submit(JournalEntry entry);
  /// The same for several, which go into one group.
  void submit(std::vector<JournalEntry> entries);
  /// Runs `job` beside no commit, after everything submitted so far, then `done` on the io thread.
  void exclusive(std::function<void()> job, std::function<void()> done);
  /// The same for a job that needs no room on the disk. While the disk is full it does not wait: `job` and `done` run
  /// between two attempts, with is_full() true and what was submitted still uncommitted.
  void look(std::function<void()> job, std::function<void()> done);
  /// The same for a job that writes and frees more than it takes, or else changes nothing: it may be what a journal at its
  /// cap waits for. While the disk is full the next attempt follows it at once.
  void relieve(std::function<void()> job, std::function<void()> done);
  /// Forgets what was submitted for these streams and is not committed. Only in a look's `done` while the disk is full: a
  /// session that greets is told the committed mark, so its agent sends all of that again.
  void forget(std::span<const StreamState> streams);

  [[nodiscard]] bool is_full() const;
  [[nodiscard]] std::size_t waiting() const;
  [[nodiscard]] bool idle() const;
  /// No callback comes any more; returns when no job touches the journal. What is not committed is dropped.
  async::Task<void> stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace ward::collector
