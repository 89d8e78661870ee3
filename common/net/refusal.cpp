#include "common/net/refusal.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <string>

namespace ward::net {
namespace {

Refusal from_verification(long result) {
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return Refusal::expired;
    case X509_V_ERR_CERT_NOT_YET_VALID: return Refusal::not_yet_valid;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return Refusal::wrong_name;
    case X509_V_ERR_INVALID_PURPOSE: return Refusal::wrong_usage;
    case X509_V_ERR_APPLICATION_VERIFICATION: return Refusal::no_identity;
    default: return Refusal::untrusted;
  }
}

Verdict from_openssl_reason(int reason) {
  using enum RefusedBy;
  switch (reason) {
    // The alerts with which OpenSSL answers each verification result (RFC 8446, 6.2).
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED: return {Refusal::certificate_required, peer};
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED: return {Refusal::expired, peer};
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: return {Refusal::wrong_usage, peer};
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA: return {Refusal::untrusted, peer};
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE: return {Refusal::no_identity, peer};
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION: return {Refusal::version, peer};
    case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: return {Refusal::alpn, peer};
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return {Refusal::certificate_required, us};
    case SSL_R_NO_APPLICATION_PROTOCOL: return {Refusal::alpn, us};
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW: return {Refusal::version, us};
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_BAD_RECORD_TYPE:
    case SSL_R_RECORD_TOO_SMALL: return {Refusal::not_tls, us};
    default: return {Refusal::other, us};
  }
}

}  // namespace

std::string_view to_string(Refusal reason) {
  switch (reason) {
    case Refusal::timed_out: return "timed_out";
    case Refusal::closed: return "closed";
    case Refusal::not_tls: return "not_tls";
    case Refusal::version: return "version";
    case Refusal::alpn: return "alpn";
    case Refusal::certificate_required: return "certificate_required";
    case Refusal::untrusted: return "untrusted";
    case Refusal::expired: return "expired";
    case Refusal::not_yet_valid: return "not_yet_valid";
    case Refusal::wrong_name: return "wrong_name";
    case Refusal::wrong_usage: return "wrong_usage";
    case Refusal::no_identity: return "no_identity";
    case Refusal::too_many_connections: return "too_many_connections";
    case Refusal::too_many_from_address: return "too_many_from_address";
    case Refusal::other: return "other";
  }
  return "other";
}

Verdict judge(const boost::system::error_code& error, const SSL* ssl) {
  if (ssl != nullptr) {
    const long verified = SSL_get_verify_result(ssl);
    if (verified != X509_V_OK) return {from_verification(verified), RefusedBy::us};
  }
  namespace asio = boost::asio;
  if (error == asio::ssl::error::stream_truncated || error == asio::error::eof || error == asio::error::connection_reset ||
      error == asio::error::broken_pipe)
    return {Refusal::closed, RefusedBy::peer};
  if (error == asio::error::timed_out) return {Refusal::timed_out, RefusedBy::peer};
  if (error.category() != asio::error::get_ssl_category()) return {Refusal::other, RefusedBy::us};
  return from_openssl_reason(ERR_GET_REASON(static_cast<unsigned long>(static_cast<unsigned>(error.value()))));
}

Error refusal_error(const Verdict& verdict, std::string_view peer) {
  const std::string who(peer);
  const bool told = verdict.by == RefusedBy::peer;
  const std::string whose = told ? who + " refused our certificate: " : "the certificate of " + who + " was refused: ";
  const std::string renew = told ? "our certificate ('tls.certificate')" : "the certificate at " + who;
  switch (verdict.reason) {
    case Refusal::timed_out:
      return {Errc::timed_out, who + " did not answer in time", "Check that it runs and that the network lets it answer."};
    case Refusal::closed:
      return {Errc::unavailable, who + " closed the connection", "Look into the log of that side for the reason."};
    case Refusal::not_tls:
      return {Errc::unavailable, who + " does not speak TLS", "Check that the port is Ward's stream port."};
    case Refusal::version:
      return {Errc::denied, who + " does not speak TLS 1.3",
              "Check that the port is Ward's stream port and not behind an older proxy."};
    case Refusal::alpn:
      return {Errc::denied,
              who +
                  " does not speak the protocol "
                  "ward/1",
              "Check that the port is Ward's stream port; a TLS-ending proxy cannot stand between."};
    case Refusal::certificate_required:
      return {Errc::denied, told ? who + " requires a client certificate and got none" : who + " showed no certificate",
              "Set 'tls.certificate' and 'tls.key' to an agent certificate."};
    case Refusal::untrusted:
      return {Errc::denied, whose + "it is not signed by the expected CA",
              "Use certificates of one CA on both sides; check 'tls.ca'."};
    case Refusal::expired: return {Errc::denied, whose + "it has expired", "Renew " + renew + "."};
    case Refusal::not_yet_valid:
      return {Errc::denied, whose + "it is not valid yet", "Check the clocks of both machines, then " + renew + "."};
    case Refusal::wrong_name:
      return {Errc::denied, whose + "it is for another host name",
              "Set 'server_name' to a name in the certificate, or issue one for this host."};
    case Refusal::wrong_usage:
      return {Errc::denied, whose + "its extended key usage does not fit",
              "Issue agents' certificates with clientAuth and collectors' with serverAuth."};
    case Refusal::no_identity:
      return {Errc::denied, whose + "it names no Ward identity of the needed kind",
              "Issue it with the URI SAN ward://<tenant>/<agent> (agent) or ward://_collector/<name> (collector)."};
    case Refusal::too_many_connections:
      return {Errc::overloaded, who + " is one connection too many",
              "Raise 'max_connections' or look for a client that loops."};
    case Refusal::too_many_from_address:
      return {Errc::overloaded, who + " holds too many connections",
              "Raise 'max_connections_per_address' or look for a client that loops."};
    case Refusal::other: break;
  }
  return {Errc::unavailable, "the TLS handshake with " + who + " failed", "Look into the log of that side for the reason."};
}

Error transport_error(const boost::system::error_code& error, std::string_view peer) {
  const auto verdict = judge(error, nullptr);
  if (verdict.reason != Refusal::other) return refusal_error(verdict, peer);
  if (error == boost::asio::error::operation_aborted)
    return {Errc::cancelled, "the connection to " + std::string(peer) + " was given up",
            "Nothing to do: it is opened again when needed."};
  return {Errc::unavailable, "the connection to " + std::string(peer) + " broke: " + error.message(),
          "Check the network between the two machines."};
}

}  // namespace ward::net
