#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/model/ids.hpp"
#include "common/net/endpoint.hpp"
#include "common/net/tls.hpp"

namespace ward::net {

/// One open stream of bytes to a verified peer. At most one read and one write at a time. Thread: its executor's single
/// thread. Destroy it only when no read or write runs.
class Connection {
 public:
  virtual ~Connection() = default;
  /// Reads what is there, at least one byte; 0 = the peer closed. Throws boost::system::system_error
  /// (transport_error() in refusal.hpp makes a sentence of it).
  virtual async::Task<std::size_t> read(std::span<std::uint8_t> into) = 0;
  /// Writes all of it. Throws like read; `from` must stay until it ends.
  virtual async::Task<void> write(std::span<const std::uint8_t> from) = 0;
  /// Ends a running read (0 or an exception) and write; may be called twice.
  virtual void close() = 0;
  /// Who the peer's certificate names; null on a plain connection.
  [[nodiscard]] virtual const PeerIdentity* peer() const = 0;
  /// "10.0.0.7:51234".
  [[nodiscard]] virtual const std::string& remote() const = 0;
  /// Bytes on the socket since it opened, TLS handshake and overhead included.
  [[nodiscard]] virtual std::uint64_t bytes_in() const = 0;
  [[nodiscard]] virtual std::uint64_t bytes_out() const = 0;
};

struct ConnectOptions {
  Endpoint to;
  TlsContext tls;           ///< from make_client_context; null = plain TCP, allowed to loopback addresses only
  std::string server_name;  ///< the DNS or IP SAN the collector must show; "" = to.host
  std::chrono::milliseconds timeout{5'000};  ///< name lookup, TCP and TLS together
};

/// Resolves, connects and shakes hands. The error names the endpoint, the reason and what to do.
async::Task<Result<std::unique_ptr<Connection>>> connect(ConnectOptions options);

}  // namespace ward::net
