#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

#include "common/async/task.hpp"

namespace ward::async {

/// Far longer than any test: reaching it means that something hangs.
constexpr std::chrono::seconds kHanging{60};

/// Runs one task to its end on `io`; its exception is rethrown. Other work of the io_context runs meanwhile.
inline void run(asio::io_context& io, Task<void> task) {
  std::optional<std::exception_ptr> ended;
  asio::co_spawn(io, std::move(task), [&](std::exception_ptr error) { ended = error; });
  io.restart();
  const auto until = std::chrono::steady_clock::now() + kHanging;
  while (!ended && std::chrono::steady_clock::now() < until)
    if (io.run_one_for(kHanging) == 0) break;
  if (!ended) throw std::logic_error("the task hangs");
  if (*ended) std::rethrow_exception(*ended);
}

/// Lets everything run that can run without waiting.
inline void settle(asio::io_context& io) {
  io.restart();
  io.poll();
}

}  // namespace ward::async
