#pragma once
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/thread_annotations.hpp"

namespace ward::async {

/// Threads for libraries that block. Grows when all threads are busy, so that one hanging call never delays another
/// target, up to `max_threads`; past that, jobs queue. Idle threads leave after `idle`. The destructor joins: every
/// blocking call must carry its library's own timeout.
class BlockingPool {
 public:
  struct Options {
    std::size_t max_threads = 64;
    std::chrono::seconds idle{30};
  };
  BlockingPool() : BlockingPool(Options{}) {}
  explicit BlockingPool(Options options);
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;
  ~BlockingPool();

  void submit(std::function<void()> job);
  [[nodiscard]] std::size_t threads() const;

 private:
  void work();
  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_ WARD_GUARDED_BY(mutex_);
  std::vector<std::thread> finished_ WARD_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ WARD_GUARDED_BY(mutex_);
  std::size_t idle_ WARD_GUARDED_BY(mutex_) = 0;
  bool stopping_ WARD_GUARDED_BY(mutex_) = false;
};

/// Runs `f` on the pool and resumes here with its result or exception. When the awaiting task is cancelled it leaves at
/// once; `f` runs on to its own timeout and its result is dropped. `f` must own all it touches.
template <class F>
Task<std::invoke_result_t<F&>> run_blocking(BlockingPool& pool, F f) {
  using R = std::invoke_result_t<F&>;
  using Stored = std::conditional_t<std::is_void_v<R>, bool, R>;
  struct State {
    explicit State(const asio::any_io_executor& ex) : executor(ex), ready(ex, asio::steady_timer::time_point::max()) {}
    asio::any_io_executor executor;
    asio::steady_timer ready;
    std::optional<Stored> value;
    std::exception_ptr error;
    bool done = false;
  };
  auto state = std::make_shared<State>(co_await asio::this_coro::executor);
  auto call = std::make_shared<F>(std::move(f));
  auto job = [state, call]() mutable {
    std::optional<Stored> value;
    std::exception_ptr error;
    try {
      if constexpr (std::is_void_v<R>) {
        (*call)();
        value.emplace(true);
      } else {
        value.emplace((*call)());
      }
    } catch (...) {
      error = std::current_exception();
    }
    call.reset();
    auto back = [state, value = std::move(value), error]() mutable {
      state->value = std::move(value);
      state->error = error;
      state->done = true;
      state->ready.cancel();
    };
    const auto executor = state->executor;
    state.reset();
    asio::post(executor, std::move(back));
  };
  pool.submit(std::move(job));
  boost::system::error_code woken;
  if (!state->done) co_await state->ready.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  if (!state->done) throw boost::system::system_error(asio::error::operation_aborted);
  if (state->error) std::rethrow_exception(state->error);
  if constexpr (!std::is_void_v<R>) co_return std::move(*state->value);
}

}  // namespace ward::async
