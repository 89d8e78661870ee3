#pragma once
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace ward::net {

/// PEM files of one party. `certificate` may hold intermediates after the leaf; `ca` may hold two roots during a rotation.
struct TlsFiles {
  std::string ca;
  std::string certificate;
  std::string key;
  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

/// The protocol both ends must agree on by ALPN.
inline constexpr char kAlpn[] = "ward/1";

/// For a collector's port: TLS 1.3 only, no tickets, no early data, ALPN ward/1, and an agent's certificate (clientAuth,
/// URI SAN identity) signed by `ca` is required. Each unusable file is one error that names it. A key file others can
/// read is refused; as with PostgreSQL, a key owned by root may be readable by its group (Kubernetes' fsGroup).
Result<TlsContext> make_server_context(const TlsFiles& files);
/// For an agent: the same, and the peer must show a collector's certificate (serverAuth, ward://_collector/<name>).
Result<TlsContext> make_client_context(const TlsFiles& files);
/// When the context's own certificate ends; for a self-metric and a warning before it does.
Time own_certificate_end(const TlsContext& context);

}  // namespace ward::net
