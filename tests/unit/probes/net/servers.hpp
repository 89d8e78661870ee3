#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "common/async/task_group.hpp"
#include "common/http/client.hpp"
#include "common/net/endpoint.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/fake_host.hpp"

namespace ward::test {
namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;

/// One step of a scripted server: what it says, after having read up to `wait_for` ("" = at once).
struct Say {
  std::string wait_for;
  std::string text;
};
using Script = std::vector<Say>;
enum class Ending { close, hold };

/// Local servers on free loopback ports beside a probe under test.
struct Servers : testing::Test {
  asio::io_context io;
  FakeHost host;
  std::unique_ptr<http::Client> client = http::make_curl_client(io.get_executor());
  async::TaskGroup tasks{io.get_executor()};
  std::vector<std::string> heard;  ///< what scripted servers read

  Servers() { host.use_http(*client); }
  ~Servers() override {
    tasks.cancel();
    io.restart();
    io.run();
  }
  probes::ProbeOutput run(probes::Probe& probe) { return collect(probe, host, io); }

  static std::shared_ptr<tcp::acceptor> listener(asio::io_context& io) {
    return std::make_shared<tcp::acceptor>(io, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
  }
  net::Endpoint scripted(Script script, Ending ending = Ending::close) {
    auto acceptor = listener(io);
    tasks.spawn("scripted", play(acceptor, std::move(script), ending, &heard, nullptr));
    return {"127.0.0.1", acceptor->local_endpoint().port()};
  }
  /// Plays the script in clear text, then shakes hands; answers the first request head with `answer`.
  net::Endpoint tls(const net::TlsFiles& files, Script before = {}, int max_version = TLS1_3_VERSION) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    context->use_certificate_chain_file(files.certificate);
    context->use_private_key_file(files.key, asio::ssl::context::pem);
    SSL_CTX_set_security_level(context->native_handle(), 0);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context->native_handle(), max_version);
    auto acceptor = listener(io);
    tasks.spawn("tls", play(acceptor, std::move(before), Ending::close, &heard, context));
    return {"127.0.0.1", acceptor->local_endpoint().port()};
  }
  static net::Endpoint nobody(asio::io_context& io) { return {"127.0.0.1", listener(io)->local_endpoint().port()}; }

 private:
  static async::Task<void> play(std::shared_ptr<tcp::acceptor> acceptor, Script script, Ending ending,
                                std::vector<std::string>* heard, std::shared_ptr<asio::ssl::context> context) {
    std::vector<tcp::socket> held;
    while (true) {
      tcp::socket socket = co_await acceptor->async_accept(asio::use_awaitable);
      boost::system::error_code error;
      for (const auto& say : script) {
        std::string read;
        if (!say.wait_for.empty()) {
          co_await asio::async_read_until(socket, asio::dynamic_buffer(read), say.wait_for,
                                          asio::redirect_error(asio::use_awaitable, error));
          heard->push_back(read);
        }
        co_await asio::async_write(socket, asio::buffer(say.text), asio::redirect_error(asio::use_awaitable, error));
      }
      if (context) {
        asio::ssl::stream<tcp::socket> stream(std::move(socket), *context);
        co_await stream.async_handshake(asio::ssl::stream_base::server, asio::redirect_error(asio::use_awaitable, error));
        std::string head;
        const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        if (!error)
          co_await asio::async_read_until(stream, asio::dynamic_buffer(head), "\r\n\r\n",
                                          asio::redirect_error(asio::use_awaitable, error));
        if (!error)
          co_await asio::async_write(stream, asio::buffer(answer), asio::redirect_error(asio::use_awaitable, error));
        continue;
      }
      if (ending == Ending::hold) held.push_back(std::move(socket));
    }
  }
};

/// The reason label of the only probe_failure_info; "" when the probe succeeded.
inline std::string reason(const probes::ProbeOutput& output) {
  std::string found;
  for (const auto& reading : output.readings)
    if (reading.metric == "probe_failure_info") found += reading.labels.get("reason");
  EXPECT_EQ(found, output.failure ? std::string(probes::to_string(output.failure->reason)) : "");
  EXPECT_EQ(value_of(output.readings, "probe_success"), output.failure ? 0 : 1);
  return found;
}

/// Every emitted metric must be in the probe's list.
inline void expect_described(const probes::ProbeOutput& output, std::string_view kind) {
  const auto* probe = probes::find_probe(kind);
  ASSERT_NE(probe, nullptr);
  for (const auto& reading : output.readings) {
    bool known = false;
    for (const auto& meta : probe->metrics) known = known || meta.name == reading.metric;
    EXPECT_TRUE(known) << reading.metric;
  }
}

}  // namespace ward::test
