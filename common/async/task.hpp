#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ward::async {

namespace asio = boost::asio;

/// A coroutine on one executor. GCC 12 rules (docs/decisions/0002): name aggregates and lambdas before a co_await uses
/// them, await into a local before a switch, parameters by value, no capturing lambda as a coroutine.
template <class T>
using Task = asio::awaitable<T>;

}  // namespace ward::async
