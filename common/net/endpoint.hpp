#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace ward::net {

/// A host name or address and a TCP port.
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// "collector.example:7443", "10.0.0.1:7443", "[::1]:7443". Errc::invalid names the text.
Result<Endpoint> parse_endpoint(std::string_view text);
/// As parse_endpoint reads it; IPv6 in brackets.
std::string to_string(const Endpoint& endpoint);
/// "localhost", or an address that is one of this machine's own; another name may lead anywhere.
bool is_loopback(const Endpoint& endpoint);

}  // namespace ward::net
