#pragma once
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <openssl/types.h>
#include <string_view>

#include "common/base/result.hpp"

namespace ward::net {

/// Why a connection did not come about; a closed list, fit for a metric label.
enum class Refusal : std::uint8_t {
  timed_out,
  closed,
  not_tls,
  version,
  alpn,
  certificate_required,
  untrusted,
  expired,
  not_yet_valid,
  wrong_name,
  wrong_usage,
  no_identity,
  too_many_connections,
  too_many_from_address,
  other
};
std::string_view to_string(Refusal reason);

/// The side that refused.
enum class RefusedBy { us, peer };

struct Verdict {
  Refusal reason = Refusal::other;
  RefusedBy by = RefusedBy::us;
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

/// Reads a failed handshake or read. `ssl` may be null; with it the verification result tells more.
Verdict judge(const boost::system::error_code& error, const SSL* ssl);

/// A sentence with what to do, from an agent's or collector's point of view; `peer` names the other end.
Error refusal_error(const Verdict& verdict, std::string_view peer);

/// For an error that Connection::read or write threw. In TLS 1.3 a server's refusal of our certificate comes only here,
/// after a handshake that looked good.
Error transport_error(const boost::system::error_code& error, std::string_view peer);

}  // namespace ward::net
