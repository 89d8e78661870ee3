#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <optional>
#include <string>

#include "common/net/connection.hpp"
#include "common/net/identity.hpp"
#include "common/net/refusal.hpp"

namespace ward::net {

/// What connect() and the Listener share; users of the room see Connection only.

/// TCP_NODELAY, and TCP_USER_TIMEOUT so that a dead peer ends a write after 6 s instead of minutes.
void prepare_socket(boost::asio::ip::tcp::socket& socket);
std::string remote_of(const boost::asio::ip::tcp::socket& socket);

class PlainConnection final : public Connection {
 public:
  /// `held` is kept as long as the connection lives (the listener's count).
  PlainConnection(boost::asio::ip::tcp::socket socket, std::shared_ptr<void> held);
  async::Task<std::size_t> read(std::span<std::uint8_t> into) override;
  async::Task<void> write(std::span<const std::uint8_t> from) override;
  void close() override;
  [[nodiscard]] const PeerIdentity* peer() const override { return nullptr; }
  [[nodiscard]] const std::string& remote() const override { return remote_; }
  [[nodiscard]] std::uint64_t bytes_in() const override { return in_; }
  [[nodiscard]] std::uint64_t bytes_out() const override { return out_; }

 private:
  std::shared_ptr<void> held_;
  boost::asio::ip::tcp::socket socket_;
  std::string remote_;
  std::uint64_t in_ = 0, out_ = 0;
};

class TlsConnection final : public Connection {
 public:
  TlsConnection(boost::asio::ip::tcp::socket socket, TlsContext context, std::shared_ptr<void> held);
  /// `server_name` is for PeerRole::collector only. Errors end up in `verdict()`; false then.
  async::Task<bool> handshake(PeerRole peer, std::string server_name);
  [[nodiscard]] const Verdict& verdict() const { return verdict_; }

  async::Task<std::size_t> read(std::span<std::uint8_t> into) override;
  async::Task<void> write(std::span<const std::uint8_t> from) override;
  void close() override;
  [[nodiscard]] const PeerIdentity* peer() const override { return peer_ ? &*peer_ : nullptr; }
  [[nodiscard]] const std::string& remote() const override { return remote_; }
  [[nodiscard]] std::uint64_t bytes_in() const override;
  [[nodiscard]] std::uint64_t bytes_out() const override;

 private:
  bool expect_name(const std::string& server_name);
  bool agreed_and_known(PeerRole peer);

  std::shared_ptr<void> held_;
  TlsContext context_;
  // SSL_read and SSL_write share state: all of it on the executor's one thread.
  mutable boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream_;
  std::string remote_;
  std::optional<PeerIdentity> peer_;
  Verdict verdict_;
};

}  // namespace ward::net
