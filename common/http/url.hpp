#pragma once
#include <cstdint>
#include <string>

#include "common/base/result.hpp"

namespace ward::http {

/// The parts of an http or https URL that a request needs.
struct Url {
  std::string scheme;  ///< "http" or "https"
  std::string host;    ///< name or address, IPv6 without brackets
  std::uint16_t port = 0;
  std::string without_query;  ///< for people and metrics
  [[nodiscard]] bool same_origin(const Url& other) const {
    return scheme == other.scheme && host == other.host && port == other.port;
  }
  [[nodiscard]] std::string host_port() const;
};

/// Errc::invalid for another scheme, a user name or password inside, or what is no URL; the text is never repeated.
Result<Url> parse_url(const std::string& text);
/// A Location header against the URL it came from.
Result<std::string> resolve_reference(const std::string& base, const std::string& reference);

}  // namespace ward::http
