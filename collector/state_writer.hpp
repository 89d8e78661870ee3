#pragma once
#include <functional>
#include <memory>

#include "collector/event/state.hpp"
#include "common/async/blocking.hpp"
#include "common/async/task.hpp"

namespace ward::collector {

/// One writer at a time to the state store, in the order they came, off the io thread. What has begun is awaited to its end,
/// by a cancelled task too: when the tasks that write have ended, nothing touches the store. Thread: the io thread.
class StateWriter {
 public:
  StateWriter(const async::asio::any_io_executor& executor, async::BlockingPool& pool, StateStore& store);
  async::Task<Status> commit(StateChange change);
  /// Runs `job` on the pool beside no commit: for what else touches the store's file.
  async::Task<Status> alone(std::function<Status()> job);

 private:
  /// Those who wait. Shared with them: a request that nobody waits for any more may end after the writer.
  struct Row;
  class Turn;

  async::BlockingPool& pool_;
  StateStore& store_;
  std::shared_ptr<Row> row_;
};

}  // namespace ward::collector
