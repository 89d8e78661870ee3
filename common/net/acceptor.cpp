#include "common/net/acceptor.hpp"

#include "common/net/endpoint.hpp"

namespace ward::net {
namespace asio = boost::asio;
using asio::ip::tcp;

Result<tcp::endpoint> parse_listen_address(const std::string& address) {
  auto where = parse_endpoint(address);
  if (!where) return fail(std::move(where.error()));
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(where->host, error);
  if (error)
    return fail(Errc::invalid, "cannot listen on '" + address + "': '" + where->host + "' is not an IP address",
                "Use an address of this machine, or 0.0.0.0 or [::] for all.");
  return tcp::endpoint(ip, where->port);
}

Status listen_on(tcp::acceptor& acceptor, const tcp::endpoint& endpoint, const std::string& address) {
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) return {};
  boost::system::error_code ignored;
  acceptor.close(ignored);
  const bool taken = error == asio::error::address_in_use;
  return fail(
      Errc::unavailable,
      "cannot listen on " + address + ": " + (taken ? "another program uses this address" : error.message()),
      taken ? "Stop the other program, or set another port." : "Use an address of this machine and an allowed port.");
}

}  // namespace ward::net
