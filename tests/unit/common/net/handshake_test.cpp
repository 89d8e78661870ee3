#include <boost/asio/connect.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>
#include <numeric>
#include <openssl/ssl.h>

#include "common/net/refusal.hpp"
#include "tests/unit/common/net/loopback.hpp"

namespace ward::net {
namespace {
namespace asio = boost::asio;
using Opened = Result<std::unique_ptr<Connection>>;
using Handshake = Loopback;

async::Task<std::vector<std::uint8_t>> read_exactly(Connection& connection, std::size_t size) {
  std::vector<std::uint8_t> all(size);
  std::size_t have = 0;
  while (have < size) {
    const auto got = co_await connection.read(std::span(all).subspan(have));
    if (got == 0) break;
    have += got;
  }
  all.resize(have);
  co_return all;
}

/// What the first read says: in TLS 1.3 the server's verdict on our certificate arrives there.
async::Task<std::string> first_read(Connection& connection) {
  std::vector<std::uint8_t> buffer(16);
  try {
    const auto got = co_await connection.read(buffer);
    co_return got == 0 ? "closed" : "data";
  } catch (const boost::system::system_error& e) {
    co_return describe(transport_error(e.code(), connection.remote()));
  }
}

TEST_F(Handshake, CarriesBytesBothWaysBetweenKnownPeers) {
  listen_tls();
  const auto opened = run(connect(to_listener(ca.issue(test::agent_certificate("clinic-a", "node-1")))));
  ASSERT_TRUE(opened) << describe(opened.error());
  ASSERT_TRUE(eventually([&] { return !accepted.empty(); }));
  auto& client = **opened;
  auto& server = *accepted.front();
  ASSERT_NE(server.peer(), nullptr);
  EXPECT_EQ(*server.peer(), (PeerIdentity{AgentId{"node-1"}, {TenantId{"clinic-a"}}}));
  ASSERT_NE(client.peer(), nullptr);
  EXPECT_EQ(client.peer()->agent, AgentId{"main"});
  EXPECT_EQ(client.remote(), "127.0.0.1:" + std::to_string(listener->port()));

  std::vector<std::uint8_t> up(100'000);
  std::iota(up.begin(), up.end(), std::uint8_t{0});
  auto both = [](Connection& from, Connection& to, std::vector<std::uint8_t> data) -> async::Task<bool> {
    co_await from.write(data);
    const auto got = co_await read_exactly(to, data.size());
    co_return got == data;
  };
  EXPECT_TRUE(run(both(client, server, up)));
  EXPECT_TRUE(run(both(server, client, up)));
}

TEST_F(Handshake, CountsWireBytesWithTlsOverhead) {
  listen_tls();
  const auto opened = run(connect(to_listener(ca.issue(test::agent_certificate()))));
  ASSERT_TRUE(opened);
  ASSERT_TRUE(eventually([&] { return !accepted.empty(); }));
  const auto before = (*opened)->bytes_out();
  EXPECT_GT(before, 500U) << "the handshake counts";
  const std::vector<std::uint8_t> data(1000);
  run((*opened)->write(data));
  run(read_exactly(*accepted.front(), data.size()));
  // RFC 8446, 5.2: 5 bytes of record header, 1 of content type, 16 of AEAD tag.
  EXPECT_EQ((*opened)->bytes_out() - before, 1022U);
  EXPECT_EQ(accepted.front()->bytes_in(), (*opened)->bytes_out());
}

TEST_F(Handshake, ReadGivesZeroWhenThePeerLeaves) {
  listen_tls();
  const auto opened = run(connect(to_listener(ca.issue(test::agent_certificate()))));
  ASSERT_TRUE(opened);
  ASSERT_TRUE(eventually([&] { return !accepted.empty(); }));
  accepted.front()->close();
  EXPECT_EQ(run(first_read(**opened)), "closed");
}

TEST_F(Handshake, ClientRefusesABadCollectorCertificate) {
  struct Case {
    std::string says;
    std::function<void(test::CertificateSpec&)> change;
  };
  using std::chrono::hours;
  const std::vector<Case> table{
      {"it has expired. Renew", [](auto& s) { s.starts_in = -hours{48}, s.ends_in = -hours{1}; }},
      {"it is not valid yet. Check the clocks", [](auto& s) { s.starts_in = hours{1}, s.ends_in = hours{2}; }},
      {"it is for another host name. Set 'server_name'",
       [](auto& s) {
         s.sans = {"URI:ward://_collector/main", "DNS:other"};
       }},
      {"it is for another host name", [](auto& s) { s.sans = {"URI:ward://_collector/main"}, s.common_name = "127.0.0.1"; }},
      {"its extended key usage does not fit", [](auto& s) { s.extended_usage = "clientAuth"; }},
      {"its extended key usage does not fit", [](auto& s) { s.extended_usage = ""; }},
      {"it names no Ward identity", [](auto& s) { s.sans = {"IP:127.0.0.1"}; }},
      {"it names no Ward identity",
       [](auto& s) {
         s.sans = {"IP:127.0.0.1", "URI:ward://clinic-a/node-1"};
       }},
  };
  const auto agent = ca.issue(test::agent_certificate());
  for (const auto& [says, change] : table) {
    auto spec = test::collector_certificate();
    change(spec);
    listen_tls(ca.issue(spec));
    const auto opened = run(connect(to_listener(agent)));
    ASSERT_FALSE(opened) << says;
    EXPECT_EQ(opened.error().code, Errc::denied);
    EXPECT_NE(describe(opened.error()).find(says), std::string::npos) << describe(opened.error());
    EXPECT_TRUE(eventually([&] { return !refused.empty(); })) << "the server must notice too";
    run(listener->stop());
    accepted.clear();
    refused.clear();
  }
}

TEST_F(Handshake, ClientRefusesACollectorOfAnotherCa) {
  test::TestCa other("other-ca");
  listen_tls(other.issue(test::collector_certificate()));
  const auto opened = run(connect(to_listener(ca.issue(test::agent_certificate()))));
  ASSERT_FALSE(opened);
  EXPECT_NE(describe(opened.error()).find("it is not signed by the expected CA"), std::string::npos)
      << describe(opened.error());
  ASSERT_TRUE(eventually([&] { return !refused.empty(); }));
  EXPECT_EQ(refused.front(), Refusal::untrusted);
}

TEST_F(Handshake, ServerRefusesABadAgentCertificateAndTheAgentLearnsWhy) {
  struct Case {
    Refusal reason;
    std::string agent_reads;
    std::function<void(test::CertificateSpec&)> change;
  };
  using std::chrono::hours;
  const std::vector<Case> table{
      {Refusal::expired, "refused our certificate: it has expired",
       [](auto& s) { s.starts_in = -hours{48}, s.ends_in = -hours{1}; }},
      {Refusal::not_yet_valid, "refused our certificate", [](auto& s) { s.starts_in = hours{1}, s.ends_in = hours{2}; }},
      {Refusal::wrong_usage, "refused our certificate: its extended key usage",
       [](auto& s) { s.extended_usage = "serverAuth"; }},
      {Refusal::wrong_usage, "refused our certificate: its extended key usage", [](auto& s) { s.extended_usage = ""; }},
      {Refusal::no_identity, "refused our certificate: it names no Ward identity", [](auto& s) { s.sans = {}; }},
      {Refusal::no_identity, "refused our certificate: it names no Ward identity",
       [](auto& s) { s.sans = {}, s.common_name = "ward://clinic-a/node-1"; }},
      {Refusal::no_identity, "refused our certificate: it names no Ward identity",
       [](auto& s) { s.sans = {"URI:ward://_collector/main"}; }},
      {Refusal::no_identity, "refused our certificate: it names no Ward identity",
       [](auto& s) {
         s.sans = {"URI:ward://clinic-a/node-1", "URI:ward://clinic-a/node-2"};
       }},
  };
  listen_tls();
  for (const auto& [reason, agent_reads, change] : table) {
    refused.clear();
    auto spec = test::agent_certificate();
    change(spec);
    const auto opened = run(connect(to_listener(ca.issue(spec))));
    ASSERT_TRUE(opened) << describe(opened.error());
    const auto said = run(first_read(**opened));
    EXPECT_NE(said.find(agent_reads), std::string::npos) << to_string(reason) << ": " << said;
    ASSERT_TRUE(eventually([&] { return !refused.empty(); }));
    EXPECT_EQ(refused.front(), reason);
  }
  EXPECT_TRUE(accepted.empty());
}

TEST_F(Handshake, ServerRefusesAnAgentOfAnotherCa) {
  test::TestCa other("other-ca");
  listen_tls();
  auto files = other.issue(test::agent_certificate());
  files.ca = ca.ca_file();
  const auto opened = run(connect(to_listener(files)));
  ASSERT_TRUE(opened);
  EXPECT_NE(run(first_read(**opened)).find("refused our certificate: it is not signed"), std::string::npos);
  ASSERT_TRUE(eventually([&] { return !refused.empty(); }));
  EXPECT_EQ(refused.front(), Refusal::untrusted);
}

/// A foreign TLS client; gives what its handshake and first read say.
async::Task<std::string> foreign_client(std::uint16_t port, std::shared_ptr<asio::ssl::context> context) {
  asio::ssl::stream<asio::ip::tcp::socket> stream(co_await asio::this_coro::executor, *context);
  const asio::ip::tcp::endpoint to(asio::ip::make_address("127.0.0.1"), port);
  try {
    co_await stream.next_layer().async_connect(to, asio::use_awaitable);
    co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
    char byte = 0;
    co_await stream.async_read_some(asio::buffer(&byte, 1), asio::use_awaitable);
  } catch (const boost::system::system_error& e) {
    co_return std::string(to_string(judge(e.code(), nullptr).reason));
  }
  co_return "read data";
}

std::shared_ptr<asio::ssl::context> foreign_context(const TlsFiles& files, int version, bool alpn) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  context->use_certificate_chain_file(files.certificate);
  context->use_private_key_file(files.key, asio::ssl::context::pem);
  SSL_CTX_set_max_proto_version(context->native_handle(), version);
  static constexpr unsigned char kOther[] = {2, 'h', '2'};
  if (alpn) SSL_CTX_set_alpn_protos(context->native_handle(), kOther, sizeof kOther);
  return context;
}

TEST_F(Handshake, ServerRefusesTls12) {
  listen_tls();
  EXPECT_EQ(
      run(foreign_client(listener->port(), foreign_context(ca.issue(test::agent_certificate()), TLS1_2_VERSION, false))),
      "version");
  ASSERT_TRUE(eventually([&] { return !refused.empty(); }));
  EXPECT_EQ(refused.front(), Refusal::version);
}

TEST_F(Handshake, ServerRefusesAClientWithoutCertificate) {
  listen_tls();
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  static constexpr unsigned char kOurs[] = {6, 'w', 'a', 'r', 'd', '/', '1'};
  SSL_CTX_set_alpn_protos(context->native_handle(), kOurs, sizeof kOurs);
  EXPECT_EQ(run(foreign_client(listener->port(), context)), "certificate_required");
  ASSERT_TRUE(eventually([&] { return !refused.empty(); }));
  EXPECT_EQ(refused.front(), Refusal::certificate_required);
}

TEST_F(Handshake, ServerRefusesAnotherProtocolAndNone) {
  listen_tls();
  const auto files = ca.issue(test::agent_certificate());
  EXPECT_EQ(run(foreign_client(listener->port(), foreign_context(files, TLS1_3_VERSION, true))), "alpn");
  EXPECT_EQ(run(foreign_client(listener->port(), foreign_context(files, TLS1_3_VERSION, false))), "closed");
  ASSERT_TRUE(eventually([&] { return refused.size() == 2; }));
  EXPECT_EQ(refused, (std::vector{Refusal::alpn, Refusal::alpn}));
  EXPECT_TRUE(accepted.empty());
}

TEST_F(Handshake, ClientSaysWhenThePortSpeaksNoTls) {
  ListenerOptions plain;
  listen(plain);
  auto options = to_listener(ca.issue(test::agent_certificate()));
  std::optional<Opened> opened;
  asio::co_spawn(io, connect(options), [&](std::exception_ptr, Opened o) { opened = std::move(o); });
  ASSERT_TRUE(eventually([&] { return !accepted.empty(); }));
  const std::string http = "HTTP/1.1 400 Bad Request\r\n\r\n";
  run(accepted.front()->write(std::span(reinterpret_cast<const std::uint8_t*>(http.data()), http.size())));
  ASSERT_TRUE(eventually([&] { return opened.has_value(); }));
  ASSERT_FALSE(*opened);
  EXPECT_NE(opened->error().what.find("does not speak TLS"), std::string::npos) << opened->error().what;
}

TEST_F(Handshake, ClientSaysWhichStepTimedOut) {
  ListenerOptions plain;
  listen(plain);  // accepts and stays silent
  auto options = to_listener(ca.issue(test::agent_certificate()));
  options.timeout = std::chrono::milliseconds{100};
  const auto opened = run(connect(options));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::timed_out);
  EXPECT_NE(opened.error().what.find("did not finish the TLS handshake within 100 ms"), std::string::npos);
}

TEST_F(Handshake, ClientSaysWhenNobodyListens) {
  listen_tls();
  const auto options = to_listener(ca.issue(test::agent_certificate()));
  run(listener->stop());
  const auto opened = run(connect(options));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::unavailable);
  EXPECT_NE(opened.error().what.find("refused the connection"), std::string::npos);
  EXPECT_NE(opened.error().fix.find("Start the collector"), std::string::npos);
}

TEST_F(Handshake, ClientSaysWhenTheNameDoesNotResolve) {
  ConnectOptions options;
  options.to = {"no-such-host.invalid", 7443};
  const auto opened = run(connect(options));
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().what.find("no-such-host.invalid"), std::string::npos) << opened.error().what;
}

TEST_F(Handshake, PlainTcpLeavesTheMachineNever) {
  ConnectOptions options;
  options.to = {"192.0.2.1", 7443};
  const auto opened = run(connect(options));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::denied);
  EXPECT_NE(opened.error().fix.find("Remove 'insecure'"), std::string::npos);
}

TEST_F(Handshake, PlainTcpWorksOnLoopbackWithoutAnIdentity) {
  ListenerOptions plain;
  listen(plain);
  ConnectOptions options;
  options.to = {"127.0.0.1", listener->port()};
  const auto opened = run(connect(options));
  ASSERT_TRUE(opened);
  ASSERT_TRUE(eventually([&] { return !accepted.empty(); }));
  const std::vector<std::uint8_t> data{1, 2, 3};
  run((*opened)->write(data));
  EXPECT_EQ(run(read_exactly(*accepted.front(), 3)), data);
  EXPECT_EQ((*opened)->peer(), nullptr);
  EXPECT_EQ((*opened)->bytes_out(), 3U);
  EXPECT_EQ(accepted.front()->bytes_in(), 3U);
}

TEST_F(Handshake, ServerNameMayDifferFromTheAddress) {
  listen_tls();
  auto options = to_listener(ca.issue(test::agent_certificate()));
  options.server_name = "localhost";
  EXPECT_TRUE(run(connect(options)));
  options.server_name = "elsewhere.example";
  const auto opened = run(connect(options));
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().what.find("another host name"), std::string::npos);
}

}  // namespace
}  // namespace ward::net
