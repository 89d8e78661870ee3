#include "common/net/endpoint.hpp"

#include <boost/asio/ip/address.hpp>

#include "common/base/parse.hpp"

namespace ward::net {

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto bad = [&] {
    return fail(Errc::invalid, "'" + std::string(text.substr(0, 200)) + "' is not an address",
                "Write host:port, for example collector.example:7443 or [::1]:7443.");
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad();
  auto host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return bad();
  }
  const auto port = to_u64(text.substr(colon + 1));
  if (host.empty() || host.size() > 253 || host.find_first_of(" /[]@") != std::string_view::npos) return bad();
  if (!port || *port > 65535) return bad();
  return Endpoint{std::string(host), static_cast<std::uint16_t>(*port)};
}

std::string to_string(const Endpoint& endpoint) {
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return (v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

bool is_loopback(const Endpoint& endpoint) {
  if (endpoint.host == "localhost") return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(endpoint.host, error);
  return !error && address.is_loopback();
}

}  // namespace ward::net
