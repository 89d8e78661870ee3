#include "common/base/time.hpp"
#include "tests/support/certificates.hpp"
#include "tests/unit/common/http/loop.hpp"

namespace ward::http {
namespace {
using namespace std::chrono_literals;

struct ClientFailure : Loop {
  std::unique_ptr<Client> client = make_curl_client(io.get_executor());
  Failure refused(Request request) {
    auto outcome = run(client->send(std::move(request)));
    EXPECT_FALSE(outcome) << "status " << outcome->status;
    return outcome ? Failure{} : outcome.error();
  }
  Failure refused(const std::string& url) {
    Request request;
    request.url = url;
    return refused(request);
  }
  /// A TLS server that answers 200 to everything.
  std::uint16_t tls_server(const net::TlsFiles& files, int max_version = 0) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    context->use_certificate_chain_file(files.certificate);
    context->use_private_key_file(files.key, asio::ssl::context::pem);
    if (max_version != 0) SSL_CTX_set_max_proto_version(context->native_handle(), max_version);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_VERSION);
    SSL_CTX_set_security_level(context->native_handle(), 0);
    auto acceptor = std::make_shared<tcp::acceptor>(io, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
    const auto port = acceptor->local_endpoint().port();
    servers.spawn("tls", serve_tls(acceptor, context));
    return port;
  }
  static async::Task<void> serve_tls(std::shared_ptr<tcp::acceptor> acceptor, std::shared_ptr<asio::ssl::context> context) {
    while (true) {
      tcp::socket socket = co_await acceptor->async_accept(asio::use_awaitable);
      asio::ssl::stream<tcp::socket> stream(std::move(socket), *context);
      boost::system::error_code error;
      co_await stream.async_handshake(asio::ssl::stream_base::server, asio::redirect_error(asio::use_awaitable, error));
      if (error) continue;
      std::string head;
      co_await asio::async_read_until(stream, asio::dynamic_buffer(head), "\r\n\r\n",
                                      asio::redirect_error(asio::use_awaitable, error));
      const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
      co_await asio::async_write(stream, asio::buffer(answer), asio::redirect_error(asio::use_awaitable, error));
    }
  }
};

TEST_F(ClientFailure, NamesWhatHappenedOnTheWire) {
  struct Case {
    std::string bytes;
    Then then;
    FailureKind kind;
  };
  const std::vector<Case> table{
      {"", Then::close, FailureKind::protocol},
      {"", Then::hold, FailureKind::timeout},
      {"garbage\r\n\r\n", Then::close, FailureKind::protocol},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", Then::close, FailureKind::protocol},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", Then::hold, FailureKind::timeout},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Then::close, FailureKind::protocol},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n", Then::close, FailureKind::protocol},
      {"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", Then::close,
       FailureKind::too_many_redirects},
      {"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n", Then::close, FailureKind::bad_url},
  };
  for (const auto& [bytes, then, kind] : table) {
    Request request;
    request.url = loopback_url(raw_server(bytes, then), "/?token=canary");
    request.timeout = 150ms;
    request.max_redirects = 3;
    const auto failure = refused(request);
    EXPECT_EQ(to_string(failure.kind), to_string(kind)) << bytes.substr(0, 60) << ": " << failure.error.what;
    EXPECT_EQ(describe(failure.error).find("canary"), std::string::npos) << describe(failure.error);
    EXPECT_FALSE(failure.error.fix.empty());
  }
}

TEST_F(ClientFailure, KeepsTheHopsThatAnswered) {
  Request request;
  const auto port = raw_server("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n");
  request.url = loopback_url(port, "/start");
  request.max_redirects = 3;
  const auto failure = refused(request);
  EXPECT_EQ(failure.kind, FailureKind::connect_refused);
  ASSERT_EQ(failure.hops.size(), 1U);
  EXPECT_EQ(failure.hops[0].url, loopback_url(port, "/start"));
}

TEST_F(ClientFailure, SaysWhoRefusedTheConnection) {
  tcp::acceptor taken(io, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
  const auto port = taken.local_endpoint().port();
  taken.close();
  const auto failure = refused(loopback_url(port));
  EXPECT_EQ(failure.kind, FailureKind::connect_refused);
  EXPECT_EQ(failure.error.what, "127.0.0.1:" + std::to_string(port) + " refused the connection");
}

TEST_F(ClientFailure, RefusesBadRequestsBeforeTheNetwork) {
  const auto port = raw_server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(refused("ftp://127.0.0.1/").kind, FailureKind::bad_url);
  EXPECT_EQ(refused("http://user:pass@127.0.0.1/").kind, FailureKind::bad_url);
  for (const auto& header :
       {std::pair<std::string, std::string>{"X", "a\r\nEvil: 1"}, {"X\r\nEvil", "1"}, {"", "1"}, {"A B", "1"}}) {
    Request request;
    request.url = loopback_url(port);
    request.headers = {header};
    EXPECT_EQ(refused(request).kind, FailureKind::bad_url) << header.first;
  }
  Request request;
  request.url = loopback_url(port);
  request.method = "GET / HTTP/1.1\r\nEvil:";
  EXPECT_EQ(refused(request).kind, FailureKind::bad_url);
  EXPECT_TRUE(heads.empty());
}

TEST_F(ClientFailure, TellsBadCertificatesApartAndStillReadsThem) {
  test::TestCa ca;
  struct Case {
    FailureKind kind;
    std::function<void(test::CertificateSpec&)> change;
  };
  using std::chrono::hours;
  const std::vector<Case> table{
      {FailureKind::tls_expired, [](auto& s) { s.starts_in = -hours{48}, s.ends_in = -hours{1}; }},
      {FailureKind::tls_expired, [](auto& s) { s.starts_in = hours{1}, s.ends_in = hours{2}; }},
      {FailureKind::tls_name_mismatch, [](auto& s) { s.sans = {"DNS:other.example"}; }},
      {FailureKind::tls_untrusted, [](auto& s) { s.extended_usage = "clientAuth"; }},
  };
  for (const auto& [kind, change] : table) {
    auto spec = test::collector_certificate();
    change(spec);
    Request request;
    request.url = "https://127.0.0.1:" + std::to_string(tls_server(ca.issue(spec))) + "/";
    request.tls.ca_file = ca.ca_file();
    const auto failure = refused(request);
    EXPECT_EQ(to_string(failure.kind), to_string(kind)) << failure.error.what;
    ASSERT_EQ(failure.tls.chain.served.size(), 1U) << to_string(kind);
    EXPECT_EQ(failure.tls.chain.served[0].subject, "CN=test");
    EXPECT_EQ(failure.tls.chain.served[0].fingerprint.size(), 64U);
    const auto left =
        failure.tls.chain.served[0].not_after - std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
    EXPECT_LT(std::chrono::abs(left - spec.ends_in), 5s);
  }
}

TEST_F(ClientFailure, AForeignCaIsUntrusted) {
  test::TestCa ca, other("other-ca");
  Request request;
  request.url = "https://127.0.0.1:" + std::to_string(tls_server(other.issue(test::collector_certificate()))) + "/";
  request.tls.ca_file = ca.ca_file();
  const auto failure = refused(request);
  EXPECT_EQ(failure.kind, FailureKind::tls_untrusted);
  EXPECT_EQ(failure.tls.chain.served.size(), 1U);
  EXPECT_FALSE(failure.tls.chain.chain_end);
  request.tls.ca_file = "/no/such/ca.pem";
  EXPECT_EQ(refused(request).kind, FailureKind::tls_untrusted);
}

TEST_F(ClientFailure, OldTlsAndNoTlsAreProtocolFailures) {
  test::TestCa ca;
  Request request;
  request.tls.ca_file = ca.ca_file();
  request.url =
      "https://127.0.0.1:" + std::to_string(tls_server(ca.issue(test::collector_certificate()), TLS1_1_VERSION)) + "/";
  EXPECT_EQ(to_string(refused(request).kind), "tls_protocol");
  request.url = "https://127.0.0.1:" + std::to_string(raw_server("HTTP/1.1 400 Bad Request\r\n\r\n")) + "/";
  request.timeout = 200ms;
  EXPECT_NE(to_string(refused(request).kind), "tls_untrusted");
}

TEST_F(ClientFailure, AGoodCertificateIsReadToo) {
  test::TestCa ca;
  auto spec = test::collector_certificate();
  spec.ends_in = std::chrono::hours{10};
  Request request;
  request.url = "https://127.0.0.1:" + std::to_string(tls_server(ca.issue(spec))) + "/";
  request.tls.ca_file = ca.ca_file();
  const auto response = run(client->send(request));
  ASSERT_TRUE(response) << response.error().error.what;
  EXPECT_EQ(response->tls.version, "TLSv1.3");
  EXPECT_TRUE(response->tls.cipher.starts_with("TLS_")) << response->tls.cipher;
  ASSERT_EQ(response->tls.chain.served.size(), 1U);
  EXPECT_EQ(response->tls.chain.served[0].names, "localhost,127.0.0.1");
  EXPECT_EQ(response->tls.chain.chain_end, response->tls.chain.served[0].not_after);
  EXPECT_GT(response->phases.tls.count(), 0);
}

}  // namespace
}  // namespace ward::http
