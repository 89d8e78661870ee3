#pragma once
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "common/async/task.hpp"

namespace ward::async {

/// Lets one coroutine sleep until a time or until somebody wakes it; a call of wake() before the wait is not lost.
/// Thread: the executor's.
class Wakeup {
 public:
  explicit Wakeup(const asio::any_io_executor& executor) : timer_(executor) {}

  void wake() {
    woken_ = true;
    timer_.cancel();
  }
  /// Throws boost::system::system_error(operation_aborted) when its task is cancelled.
  Task<void> wait(std::chrono::milliseconds longest) {
    if (!woken_) {
      timer_.expires_after(longest);
      boost::system::error_code ended;
      co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ended));
    }
    woken_ = false;
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
      throw boost::system::system_error(asio::error::operation_aborted);
  }

 private:
  asio::steady_timer timer_;
  bool woken_ = false;
};

}  // namespace ward::async
