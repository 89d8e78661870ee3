#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/secret.hpp"

namespace ward::http {

/// One message to one mail server by SMTP (RFC 5321).
struct Mail {
  /// `starttls`: refused where the server does not offer it. `tls`: from the first byte (port 465).
  enum class Security : std::uint8_t { starttls, tls, none };
  std::string host;  ///< a name or an address, IPv6 without brackets
  std::uint16_t port = 587;
  Security security = Security::starttls;
  std::string ca_file;  ///< "" = the system's store
  std::string helo;     ///< our name in EHLO; "" = this host's
  std::string user;     ///< "" = without authentication
  Secret password;
  std::string from;             ///< envelope: "ward@clinic.example"
  std::vector<std::string> to;  ///< envelope; all must be taken
  std::string message;          ///< RFC 5322, lines end in CRLF; dots are stuffed on the way
  std::chrono::milliseconds timeout{10'000};
  std::chrono::milliseconds connect_timeout{5'000};
};

}  // namespace ward::http
