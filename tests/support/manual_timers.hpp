#pragma once
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <list>

#include "common/async/timers.hpp"
#include "tests/support/manual_clock.hpp"

namespace ward::test {

/// Timers of a ManualClock: nothing waits for real, pass() moves the clock from one due timer to the next and lets run
/// what can run. Thread: the test's, which is also the io_context's.
class ManualTimers final : public async::Timers {
 public:
  ManualTimers(ManualClock& clock, async::asio::io_context& io) : clock_(clock), io_(io) {}

  async::Task<void> sleep_for(std::chrono::nanoseconds wait) override {
    // Like a real timer never early: the clock moves in whole milliseconds.
    const auto at = waiting_.emplace(waiting_.end(), io_, clock_.mono() + std::chrono::ceil<milliseconds>(wait));
    boost::system::error_code woken;
    co_await at->timer.async_wait(async::asio::redirect_error(async::asio::use_awaitable, woken));
    const bool fired = at->fired;
    waiting_.erase(at);
    if (!fired) throw boost::system::system_error(async::asio::error::operation_aborted);
  }

  /// Runs everything that needs no time.
  void settle() {
    io_.restart();
    io_.poll();
  }

  void pass(milliseconds time) {
    settle();
    const auto end = clock_.mono() + time;
    while (const auto* next = first_due()) {
      if (next->due > end) break;
      go_to(next->due);
      for (auto& waiter : waiting_) {
        if (waiter.fired || waiter.due > clock_.mono()) continue;
        waiter.fired = true;
        waiter.timer.cancel();
      }
      settle();
    }
    go_to(end);
  }

  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiter {
    Waiter(async::asio::io_context& io, MonoTime when)
        : timer(io, async::asio::steady_timer::time_point::max()), due(when) {}
    async::asio::steady_timer timer;
    MonoTime due;
    bool fired = false;
  };

  [[nodiscard]] const Waiter* first_due() const {
    const Waiter* first = nullptr;
    for (const auto& waiter : waiting_)
      if (!waiter.fired && (first == nullptr || waiter.due < first->due)) first = &waiter;
    return first;
  }
  void go_to(MonoTime when) {
    if (when > clock_.mono()) clock_.advance(std::chrono::ceil<milliseconds>(when - clock_.mono()));
  }

  ManualClock& clock_;
  async::asio::io_context& io_;
  std::list<Waiter> waiting_;
};

}  // namespace ward::test
