#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/async/task_group.hpp"
#include "common/base/result.hpp"
#include "common/net/connection.hpp"
#include "common/net/refusal.hpp"

namespace ward::net {

struct ListenerOptions {
  std::string address = "127.0.0.1:0";  ///< host:port of this machine; port 0 picks a free one
  TlsContext tls;                       ///< from make_server_context; null = plain TCP on a loopback address only
  std::chrono::milliseconds handshake_timeout{5'000};
  std::size_t max_connections = 4096;             ///< open and in handshake, together
  std::size_t max_connections_per_address = 512;  ///< agents behind one NAT share an address
};

/// Accepts connections and hands over those whose handshake is done and whose peer is known. Thread: the executor's
/// single thread. Await stop() before the destructor; handed-over connections may outlive the listener.
class Listener {
 public:
  using OnConnection = std::function<void(std::unique_ptr<Connection>)>;
  /// Hears of each connection that was not handed over, for a counter by reason and a line in the log. Must not throw.
  using OnRefused = std::function<void(const Verdict& verdict, const std::string& remote)>;

  Listener(async::asio::any_io_executor executor, ListenerOptions options, OnConnection on_connection, OnRefused on_refused);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  /// Errc::unavailable when the address is taken: names it and says what to change.
  Status start();
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// For connections from now on (renewed certificate, rotated CA).
  void use_context(TlsContext context) { options_.tls = std::move(context); }
  /// Stops accepting and ends running handshakes.
  async::Task<void> stop();

 private:
  class Counts;
  async::Task<void> accept_all();
  async::Task<void> greet(boost::asio::ip::tcp::socket socket, std::shared_ptr<void> place);
  void take(boost::asio::ip::tcp::socket socket);

  ListenerOptions options_;
  OnConnection on_connection_;
  OnRefused on_refused_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::shared_ptr<Counts> counts_;
  std::uint16_t port_ = 0;
  async::TaskGroup tasks_;
};

}  // namespace ward::net
