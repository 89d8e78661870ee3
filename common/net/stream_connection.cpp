#include "common/net/stream_connection.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/x509v3.h>
#include <string_view>
#include <sys/socket.h>

namespace ward::net {
namespace asio = boost::asio;
using asio::ip::tcp;
namespace {

constexpr unsigned kUserTimeoutMs = 6'000;

bool is_close(const boost::system::error_code& error) {
  // A peer that leaves without TLS's goodbye: the frames above carry lengths, so a cut is seen there.
  return error == asio::error::eof || error == asio::ssl::error::stream_truncated;
}

}  // namespace

void prepare_socket(tcp::socket& socket) {
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMs, sizeof kUserTimeoutMs);
}

std::string remote_of(const tcp::socket& socket) {
  boost::system::error_code gone;
  const auto from = socket.remote_endpoint(gone);
  if (gone) return "unknown";
  return to_string(Endpoint{from.address().to_string(), from.port()});
}

PlainConnection::PlainConnection(tcp::socket socket, std::shared_ptr<void> held)
    : held_(std::move(held)), socket_(std::move(socket)), remote_(remote_of(socket_)) {}

async::Task<std::size_t> PlainConnection::read(std::span<std::uint8_t> into) {
  boost::system::error_code error;
  const auto got = co_await socket_.async_read_some(asio::buffer(into.data(), into.size()),
                                                    asio::redirect_error(asio::use_awaitable, error));
  in_ += got;
  if (error && !is_close(error)) throw boost::system::system_error(error);
  co_return got;
}

async::Task<void> PlainConnection::write(std::span<const std::uint8_t> from) {
  out_ += co_await asio::async_write(socket_, asio::buffer(from.data(), from.size()), asio::use_awaitable);
}

void PlainConnection::close() {
  boost::system::error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
}

TlsConnection::TlsConnection(tcp::socket socket, TlsContext context, std::shared_ptr<void> held)
    : held_(std::move(held)),
      context_(std::move(context)),
      stream_(std::move(socket), *context_),
      remote_(remote_of(stream_.next_layer())) {}

bool TlsConnection::expect_name(const std::string& server_name) {
  SSL* const ssl = stream_.native_handle();
  X509_VERIFY_PARAM* const expected = SSL_get0_param(ssl);
  // The subject's CN is no name of a host (RFC 6125), and "w*.example" matches too much.
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  boost::system::error_code not_an_address;
  asio::ip::make_address(server_name, not_an_address);
  if (!not_an_address) return X509_VERIFY_PARAM_set1_ip_asc(expected, server_name.c_str()) == 1;
  return SSL_set_tlsext_host_name(ssl, server_name.c_str()) == 1 &&
         X509_VERIFY_PARAM_set1_host(expected, server_name.data(), server_name.size()) == 1;
}

bool TlsConnection::agreed_and_known(PeerRole role) {
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(stream_.native_handle(), &protocol, &size);
  // A client that offers no ALPN at all never reaches the server's selection callback.
  if (protocol == nullptr || std::string_view(reinterpret_cast<const char*>(protocol), size) != kAlpn) {
    verdict_ = {Refusal::alpn, RefusedBy::us};
    return false;
  }
  const X509* const certificate = SSL_get0_peer_certificate(stream_.native_handle());
  auto identity = certificate != nullptr ? identity_of(role, *certificate) : Result<PeerIdentity>(fail(Error{}));
  if (!identity) {
    verdict_ = {Refusal::no_identity, RefusedBy::us};
    return false;
  }
  peer_ = std::move(*identity);
  return true;
}

async::Task<bool> TlsConnection::handshake(PeerRole role, std::string server_name) {
  using Stream = asio::ssl::stream_base;
  if (role == PeerRole::collector && !expect_name(server_name)) {
    verdict_ = {Refusal::wrong_name, RefusedBy::us};
    co_return false;
  }
  boost::system::error_code error;
  co_await stream_.async_handshake(role == PeerRole::collector ? Stream::client : Stream::server,
                                   asio::redirect_error(asio::use_awaitable, error));
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  if (error) {
    verdict_ = judge(error, stream_.native_handle());
    co_return false;
  }
  co_return agreed_and_known(role);
}

async::Task<std::size_t> TlsConnection::read(std::span<std::uint8_t> into) {
  boost::system::error_code error;
  const auto got = co_await stream_.async_read_some(asio::buffer(into.data(), into.size()),
                                                    asio::redirect_error(asio::use_awaitable, error));
  if (error && !is_close(error)) throw boost::system::system_error(error);
  co_return got;
}

async::Task<void> TlsConnection::write(std::span<const std::uint8_t> from) {
  co_await asio::async_write(stream_, asio::buffer(from.data(), from.size()), asio::use_awaitable);
}

void TlsConnection::close() {
  boost::system::error_code ignored;
  stream_.next_layer().shutdown(tcp::socket::shutdown_both, ignored);
  stream_.next_layer().close(ignored);
}

// Asio moves ciphertext through a BIO pair, whose own counters are exactly the bytes on the wire.
std::uint64_t TlsConnection::bytes_in() const { return BIO_number_read(SSL_get_rbio(stream_.native_handle())); }
std::uint64_t TlsConnection::bytes_out() const { return BIO_number_written(SSL_get_wbio(stream_.native_handle())); }

}  // namespace ward::net
