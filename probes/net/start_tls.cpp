#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "common/async/within.hpp"
#include "probes/net/tls.hpp"

namespace ward::probes::net {
namespace asio = boost::asio;
using asio::ip::tcp;
namespace {

using Verdict = std::optional<ProbeFailure>;

/// PostgreSQL protocol 3, "SSLRequest": length 8, code 80877103.
constexpr std::array<unsigned char, 8> kSslRequest{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};
constexpr std::size_t kMaxReply = 8 << 10;

ProbeFailure not_offered(const ward::net::Endpoint& at) {
  return {FailureReason::tls_protocol, Error{Errc::unavailable, ward::net::to_string(at) + " does not offer TLS",
                                             "Switch TLS on in the server's configuration."}};
}

async::Task<Verdict> ask_postgres(tcp::socket* socket, ward::net::Endpoint at) {
  boost::system::error_code error;
  co_await asio::async_write(*socket, asio::buffer(kSslRequest), asio::redirect_error(asio::use_awaitable, error));
  char answer = 0;
  if (!error) co_await asio::async_read(*socket, asio::buffer(&answer, 1), asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return broken(at, "closed the connection instead of answering SSLRequest");
  if (answer == 'S') co_return std::nullopt;
  if (answer == 'N') co_return not_offered(at);
  co_return broken(at, "does not answer SSLRequest as PostgreSQL does");
}

struct SmtpReply {
  std::string code;  ///< "250"; "" when the line broke
  std::string text;  ///< all lines
};

/// RFC 5321, 4.2.1: "250-..." lines go on, "250 ..." is the last.
async::Task<SmtpReply> read_reply(tcp::socket* socket) {
  SmtpReply reply;
  std::string buffer;
  while (true) {
    boost::system::error_code error;
    const auto size = co_await asio::async_read_until(*socket, asio::dynamic_buffer(buffer, kMaxReply), "\r\n",
                                                      asio::redirect_error(asio::use_awaitable, error));
    if (error || size < 5) co_return SmtpReply();
    const auto line = buffer.substr(0, size);
    buffer.erase(0, size);
    reply.text += line;
    if (reply.text.size() > kMaxReply) co_return SmtpReply();
    if (line[3] != '-') {
      reply.code = line.substr(0, 3);
      co_return reply;
    }
  }
}

async::Task<Verdict> ask_smtp(tcp::socket* socket, ward::net::Endpoint at) {
  boost::system::error_code error;
  const auto greeting = co_await read_reply(socket);
  if (greeting.code != "220") co_return broken(at, "does not greet as an SMTP server");
  const std::string hello = "EHLO ward.invalid\r\n";
  co_await asio::async_write(*socket, asio::buffer(hello), asio::redirect_error(asio::use_awaitable, error));
  const auto features = co_await read_reply(socket);
  if (features.code != "250") co_return broken(at, "refuses EHLO");
  if (features.text.find("STARTTLS") == std::string::npos) co_return not_offered(at);
  const std::string start = "STARTTLS\r\n";
  co_await asio::async_write(*socket, asio::buffer(start), asio::redirect_error(asio::use_awaitable, error));
  const auto ready = co_await read_reply(socket);
  if (ready.code != "220") co_return not_offered(at);
  co_return std::nullopt;
}

}  // namespace

async::Task<Verdict> start_tls(tcp::socket* socket, StartTls how, ward::net::Endpoint at, TimeLeft left) {
  if (how == StartTls::none) co_return std::nullopt;
  auto asking = how == StartTls::postgres ? ask_postgres(socket, at) : ask_smtp(socket, at);
  auto verdict = co_await async::within(left.get(), std::move(asking));
  if (!verdict) co_return timed_out(at, "answer the request for TLS");
  co_return std::move(*verdict);
}

}  // namespace ward::probes::net
