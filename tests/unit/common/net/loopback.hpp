#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/async/within.hpp"
#include "common/net/listener.hpp"
#include "tests/support/certificates.hpp"

namespace ward::net {

/// One io_context, a listener on a free loopback port, and what became of each connection.
struct Loopback : testing::Test {
  boost::asio::io_context io;
  test::TestCa ca;
  std::unique_ptr<Listener> listener;
  std::vector<std::unique_ptr<Connection>> accepted;
  std::vector<Refusal> refused;

  void listen(ListenerOptions options) {
    listener = std::make_unique<Listener>(
        io.get_executor(), std::move(options), [this](std::unique_ptr<Connection> c) { accepted.push_back(std::move(c)); },
        [this](const Verdict& verdict, const std::string&) { refused.push_back(verdict.reason); });
    const auto started = listener->start();
    ASSERT_TRUE(started) << describe(started.error());
  }
  void listen_tls(const TlsFiles& files) {
    ListenerOptions options;
    const auto context = make_server_context(files);
    ASSERT_TRUE(context) << describe(context.error());
    options.tls = *context;
    listen(std::move(options));
  }
  void listen_tls() { listen_tls(ca.issue(test::collector_certificate())); }

  [[nodiscard]] ConnectOptions to_listener(const TlsFiles& files) const {
    ConnectOptions options;
    options.to = {"127.0.0.1", listener->port()};
    options.tls = make_client_context(files).value();
    return options;
  }

  /// Runs the task to its end; other tasks run meanwhile.
  template <class T>
  T run(async::Task<T> task) {
    std::optional<T> result;
    std::exception_ptr error;
    bool done = false;
    boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr e, T value) {
      error = e;
      if (!e) result = std::move(value);
      done = true;
    });
    io.restart();
    while (!done) io.run_one();
    if (error) std::rethrow_exception(error);
    return std::move(*result);
  }
  void run(async::Task<void> task) {
    auto wrapped = [](async::Task<void> inner) -> async::Task<bool> {
      co_await std::move(inner);
      co_return true;
    };
    run(wrapped(std::move(task)));
  }
  /// Lets everything happen that is ready, until `until` holds; gives up after 5 s.
  template <class Until>
  bool eventually(Until until) {
    io.restart();
    for (int i = 0; i < 100 && !until(); ++i) io.run_one_for(std::chrono::milliseconds{50});
    return until();
  }

  ~Loopback() override {
    accepted.clear();
    if (listener) run(listener->stop());
  }
};

}  // namespace ward::net
