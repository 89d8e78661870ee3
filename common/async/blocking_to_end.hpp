#pragma once
#include <boost/asio/co_spawn.hpp>
#include <optional>
#include <utility>

#include "common/async/blocking.hpp"

namespace ward::async {

/// run_blocking() for an `f` that works on what it does not own: a task that is cancelled waits for the end of `f` all the
/// same and gets its result; its next co_await throws. So when the task has ended, what `f` uses may go.
template <class F>
Task<std::invoke_result_t<F&>> run_blocking_to_end(BlockingPool& pool, F f) {
  using R = std::invoke_result_t<F&>;
  struct State {
    explicit State(const asio::any_io_executor& ex) : ready(ex, asio::steady_timer::time_point::max()) {}
    asio::steady_timer ready;
    std::optional<R> value;
    std::exception_ptr error;
    bool done = false;
  };
  const auto executor = co_await asio::this_coro::executor;
  auto state = std::make_shared<State>(executor);
  auto ended = [state](std::exception_ptr error, R value) {
    state->error = std::move(error);
    state->value = std::move(value);
    state->done = true;
    state->ready.cancel();
  };
  // A coroutine of its own, which the cancellation of this one does not reach.
  auto running = run_blocking(pool, std::move(f));
  asio::co_spawn(executor, std::move(running), std::move(ended));
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  boost::system::error_code woken;
  while (!state->done) co_await state->ready.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (state->error) std::rethrow_exception(state->error);
  co_return std::move(*state->value);
}

}  // namespace ward::async
