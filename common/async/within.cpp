#include "common/async/within.hpp"

namespace ward::async {

Task<void> sleep_for(std::chrono::nanoseconds wait) {
  asio::steady_timer timer(co_await asio::this_coro::executor,
                           std::chrono::duration_cast<asio::steady_timer::duration>(wait));
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace ward::async
