#pragma once
#include <memory>
#include <string>

#include "common/http/client.hpp"
#include "common/net/endpoint.hpp"
#include "probes/net/dial.hpp"
#include "probes/net/report.hpp"
#include "probes/probe.hpp"

namespace ward::probes {

/// How a server is asked to start TLS.
enum class StartTls { none, postgres, smtp };

struct TlsOptions {
  ward::net::Endpoint address;
  std::string server_name;       ///< SNI and the name the certificate must show; "" = address.host
  std::string ca_file;           ///< "" = the system's store
  std::string certificate_file;  ///< PEM whose first certificate should be the served one; "" = not compared
  StartTls start = StartTls::none;
  std::chrono::milliseconds timeout{5'000};
};
std::unique_ptr<Probe> make_tls(TlsOptions options);

namespace net {

/// Speaks the clear-text part before TLS; nullopt when the server agreed.
async::Task<std::optional<ProbeFailure>> start_tls(boost::asio::ip::tcp::socket* socket, StartTls how,
                                                   ward::net::Endpoint at, TimeLeft left);

}  // namespace net
}  // namespace ward::probes
