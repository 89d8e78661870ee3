#pragma once
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "common/async/task.hpp"

namespace ward::async {

/// Owns running coroutines: nothing is detached, stop() cancels and joins. Declare it last in its class, so that the
/// members a task uses outlive the task. Thread: the executor's single thread.
class TaskGroup {
 public:
  /// `on_failure` hears of an exception that ended a task (cancellation is not a failure); it must not throw.
  using OnFailure = std::function<void(const std::string& task, std::exception_ptr)>;

  explicit TaskGroup(asio::any_io_executor executor, OnFailure on_failure = {});
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  /// Asserts that no task runs: call and await stop() first.
  ~TaskGroup();

  void spawn(std::string name, Task<void> task);
  /// Asks all tasks to end.
  void cancel();
  /// Completes when the last task has ended.
  Task<void> join();
  Task<void> stop() {
    cancel();
    return join();
  }
  [[nodiscard]] std::size_t running() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace ward::async
