#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "tests/unit/common/net/loopback.hpp"

namespace ward::net {
namespace {
namespace asio = boost::asio;
using asio::ip::tcp;

struct ListenerTest : Loopback {
  tcp::socket raw_client() {
    tcp::socket socket(io);
    socket.connect(tcp::endpoint(asio::ip::make_address("127.0.0.1"), listener->port()));
    return socket;
  }
};

TEST_F(ListenerTest, NamesAnAddressThatIsTaken) {
  listen(ListenerOptions{});
  ListenerOptions second;
  second.address = "127.0.0.1:" + std::to_string(listener->port());
  Listener other(
      io.get_executor(), second, [](auto) {}, [](auto, const auto&) {});
  const auto started = other.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::unavailable);
  EXPECT_EQ(started.error().what, "cannot listen on " + second.address + ": another program uses this address");
}

TEST_F(ListenerTest, RefusesAddressesItCannotUse) {
  for (const auto* address : {"nonsense", "collector.example:1", "0.0.0.0:0", "[::]:0", "192.0.2.1:0"}) {
    ListenerOptions options;  // plain
    options.address = address;
    Listener bad(
        io.get_executor(), options, [](auto) {}, [](auto, const auto&) {});
    EXPECT_FALSE(bad.start()) << address;
  }
}

TEST_F(ListenerTest, EndsAHandshakeThatTakesTooLong) {
  ListenerOptions options;
  options.tls = make_server_context(ca.issue(test::collector_certificate())).value();
  options.handshake_timeout = std::chrono::milliseconds{50};
  listen(options);
  const auto silent = raw_client();
  ASSERT_TRUE(eventually([&] { return !refused.empty(); }));
  EXPECT_EQ(refused.front(), Refusal::timed_out);
}

TEST_F(ListenerTest, CountsAPortScanAsClosedAndGarbageAsNotTls) {
  listen_tls();
  raw_client().close();
  ASSERT_TRUE(eventually([&] { return refused.size() == 1; }));
  auto garbage = raw_client();
  asio::write(garbage, asio::buffer(std::string("GET / HTTP/1.1\r\n\r\n")));
  ASSERT_TRUE(eventually([&] { return refused.size() == 2; }));
  EXPECT_EQ(refused, (std::vector{Refusal::closed, Refusal::not_tls}));
}

TEST_F(ListenerTest, HoldsToTheCapPerAddressAndGivesPlacesBack) {
  ListenerOptions options;
  options.max_connections_per_address = 2;
  listen(options);
  auto first = raw_client();
  auto second = raw_client();
  auto third = raw_client();
  ASSERT_TRUE(eventually([&] { return accepted.size() == 2 && refused.size() == 1; }));
  EXPECT_EQ(refused.front(), Refusal::too_many_from_address);
  accepted.pop_back();
  auto fourth = raw_client();
  EXPECT_TRUE(eventually([&] { return accepted.size() == 2; }));
  EXPECT_EQ(refused.size(), 1U);
}

TEST_F(ListenerTest, HoldsToTheCapInTotalWithHandshakesCounted) {
  ListenerOptions options;
  options.tls = make_server_context(ca.issue(test::collector_certificate())).value();
  options.max_connections = 1;
  listen(options);
  auto in_handshake = raw_client();
  auto second = raw_client();
  ASSERT_TRUE(eventually([&] { return !refused.empty(); }));
  EXPECT_EQ(refused.front(), Refusal::too_many_connections);
}

TEST_F(ListenerTest, StopEndsRunningHandshakesAndKeepsAcceptedConnections) {
  listen_tls();
  const auto opened = run(connect(to_listener(ca.issue(test::agent_certificate()))));
  ASSERT_TRUE(opened);
  ASSERT_TRUE(eventually([&] { return accepted.size() == 1; }));
  auto in_handshake = raw_client();
  run(listener->stop());
  listener.reset();
  const std::vector<std::uint8_t> data{7};
  std::vector<std::uint8_t> got(1);
  run((*opened)->write(data));
  EXPECT_EQ(run(accepted.front()->read(got)), 1U);
  EXPECT_EQ(got, data);
}

TEST_F(ListenerTest, UsesARenewedContextForNewConnections) {
  auto spec = test::collector_certificate();
  spec.ends_in = -std::chrono::hours{1};
  spec.starts_in = -std::chrono::hours{2};
  listen_tls(ca.issue(spec));
  const auto options = to_listener(ca.issue(test::agent_certificate()));
  EXPECT_FALSE(run(connect(options)));
  listener->use_context(make_server_context(ca.issue(test::collector_certificate())).value());
  EXPECT_TRUE(run(connect(options)));
}

}  // namespace
}  // namespace ward::net
