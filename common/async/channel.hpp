#pragma once
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "common/async/task.hpp"

namespace ward::async {

/// What a full queue does with one more item. The caller counts what push() says was lost.
enum class Overflow { refuse_newest, drop_oldest };

/// A bounded queue between two coroutines of one io_context thread.
template <class T>
class Channel {
 public:
  Channel(asio::any_io_executor executor, std::size_t capacity, Overflow overflow)
      : capacity_(capacity), overflow_(overflow), changed_(std::move(executor), asio::steady_timer::time_point::max()) {}

  /// False when an item was lost (this one or the oldest, by policy) or the channel is closed.
  bool push(T item) {
    if (closed_) return false;
    bool kept_all = true;
    if (items_.size() >= capacity_) {
      kept_all = false;
      if (overflow_ == Overflow::refuse_newest) return false;
      items_.pop_front();
    }
    items_.push_back(std::move(item));
    changed_.cancel();
    return kept_all;
  }

  /// The next item; nullopt when the channel is closed and empty.
  Task<std::optional<T>> pop() {
    while (items_.empty() && !closed_) {
      boost::system::error_code woken;
      co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none)
        throw boost::system::system_error(asio::error::operation_aborted);
    }
    if (items_.empty()) co_return std::nullopt;
    std::optional<T> item{std::move(items_.front())};
    items_.pop_front();
    co_return item;
  }

  void close() {
    closed_ = true;
    changed_.cancel();
  }
  [[nodiscard]] std::size_t size() const { return items_.size(); }

 private:
  std::size_t capacity_;
  Overflow overflow_;
  asio::steady_timer changed_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace ward::async
