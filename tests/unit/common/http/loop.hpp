#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/async/task_group.hpp"
#include "common/async/within.hpp"
#include "common/http/client.hpp"
#include "common/http/server.hpp"

namespace ward::http {
namespace asio = boost::asio;
using asio::ip::tcp;

/// An io_context that runs one task to its end while servers of the test run beside it.
struct Loop : testing::Test {
  asio::io_context io;
  async::TaskGroup servers{io.get_executor()};
  std::vector<std::string> heads;  ///< request heads that raw servers read

  ~Loop() override { run(servers.stop()); }

  template <class T>
  T run(async::Task<T> task) {
    std::optional<T> result;
    std::exception_ptr error;
    bool done = false;
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr e, T value) {
      error = e;
      if (!e) result = std::move(value);
      done = true;
    });
    io.restart();
    while (!done) io.run_one();
    if (error) std::rethrow_exception(error);
    return std::move(*result);
  }
  void run(async::Task<void> task) { run(with_value(std::move(task))); }
  static async::Task<bool> with_value(async::Task<void> task) {
    co_await std::move(task);
    co_return true;
  }

  /// Accepts connections and gives each the same bytes after its request head; then closes, or holds the line.
  enum class Then { close, hold };
  std::uint16_t raw_server(std::string bytes, Then then = Then::close) {
    auto acceptor = std::make_shared<tcp::acceptor>(io, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
    const auto port = acceptor->local_endpoint().port();
    servers.spawn("raw", serve_raw(acceptor, std::move(bytes), then, &heads));
    return port;
  }
  static async::Task<void> serve_raw(std::shared_ptr<tcp::acceptor> acceptor, std::string bytes, Then then,
                                     std::vector<std::string>* heads) {
    std::vector<tcp::socket> held;
    while (true) {
      tcp::socket socket = co_await acceptor->async_accept(asio::use_awaitable);
      boost::system::error_code error;
      std::string head;
      const auto end = co_await asio::async_read_until(socket, asio::dynamic_buffer(head), "\r\n\r\n",
                                                       asio::redirect_error(asio::use_awaitable, error));
      heads->push_back(head.substr(0, end));
      co_await asio::async_write(socket, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
      if (then == Then::hold) held.push_back(std::move(socket));
    }
  }
};

inline std::string loopback_url(std::uint16_t port, const std::string& path = "/") {
  return "http://127.0.0.1:" + std::to_string(port) + path;
}

}  // namespace ward::http
