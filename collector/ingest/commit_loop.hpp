#pragma once
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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
    /// The disk takes nothing (true) or takes data again (false): what is under way is kept and tried each second.
    std::function<void(bool)> full;
  };
  CommitLoop(async::asio::any_io_executor executor, async::BlockingPool& pool, Recorder& recorder, Callbacks callbacks);
  ~CommitLoop();
  CommitLoop(const CommitLoop&) = delete;
  CommitLoop& operator=(const CommitLoop&) = delete;

  void submit(JournalEntry entry);
  /// Runs `job` beside no commit, after everything submitted so far, then `done` on the io thread.
  void exclusive(std::function<void()> job, std::function<void()> done);
  [[nodiscard]] std::size_t waiting() const;
  [[nodiscard]] bool idle() const;
  /// No callback comes after this.
  void close();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace ward::collector
