#include "common/async/held_signal.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <gtest/gtest.h>
#include <optional>
#include <unistd.h>

namespace ward::async {
namespace {

TEST(HeldSignal, WaitsForItsHandlerInsteadOfEndingTheProcess) {
  boost::asio::io_context io;
  std::optional<HeldSignal> held(SIGHUP);
  ASSERT_EQ(::kill(::getpid(), SIGHUP), 0);
  boost::asio::signal_set signals(io, SIGHUP);
  int got = 0;
  signals.async_wait([&](const boost::system::error_code&, int number) { got = number; });
  io.poll();
  EXPECT_EQ(got, 0);
  held.reset();
  io.run();
  EXPECT_EQ(got, SIGHUP);
}

}  // namespace
}  // namespace ward::async
