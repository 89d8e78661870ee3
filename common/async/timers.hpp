#pragma once
#include <chrono>
#include <memory>

#include "common/async/task.hpp"

namespace ward::async {

/// Waiting, injected like the Clock: app.cpp gives the real one, tests and simulations one of their own time. Thread: the
/// io thread.
class Timers {
 public:
  virtual ~Timers() = default;
  /// Throws boost::system::system_error(operation_aborted) when the task is cancelled meanwhile.
  virtual Task<void> sleep_for(std::chrono::nanoseconds wait) = 0;
};

/// Asio's steady timers.
std::unique_ptr<Timers> real_timers();

}  // namespace ward::async
