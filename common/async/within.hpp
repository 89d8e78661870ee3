#pragma once
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <tl/expected.hpp>
#include <utility>

#include "common/async/task.hpp"
#include "common/async/timers.hpp"

namespace ward::async {

template <class T>
Task<tl::expected<T, std::exception_ptr>> caught(Task<T> op) {
  try {
    co_return co_await std::move(op);
  } catch (...) {
    co_return tl::unexpected(std::current_exception());
  }
}

/// Runs `op`; cancels it and returns nullopt when `limit` ends first. An exception of `op` comes at once: plain `||`
/// waits for one success, so a failure would sit out the limit. Boost 1.81 has no asio::cancel_after (1.86 does); this
/// is the one place to change. One io_context, one thread (asio#1332).
template <class T>
Task<std::optional<T>> before(Task<void> limit, Task<T> op) {
  using namespace asio::experimental::awaitable_operators;
  auto first = co_await (caught(std::move(op)) || std::move(limit));
  if (first.index() == 1) co_return std::nullopt;
  auto& done = std::get<0>(first);
  if (!done) std::rethrow_exception(done.error());
  co_return std::move(*done);
}

/// Waits; throws boost::system::system_error(operation_aborted) when the task is cancelled meanwhile.
Task<void> sleep_for(std::chrono::nanoseconds wait);

/// before() with a duration, by the real time or the given one.
template <class T>
Task<std::optional<T>> within(std::chrono::milliseconds limit, Task<T> op) {
  return before(sleep_for(limit), std::move(op));
}
template <class T>
Task<std::optional<T>> within(Timers& timers, std::chrono::milliseconds limit, Task<T> op) {
  return before(timers.sleep_for(limit), std::move(op));
}

}  // namespace ward::async
