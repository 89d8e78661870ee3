#include <cerrno>
#include <cstring>
#include <openssl/x509_vfy.h>

#include "common/http/curl_transfer.hpp"

namespace ward::http {
namespace {

Failure make(FailureKind kind, Errc code, std::string what, std::string fix) {
  Failure failure;
  failure.kind = kind;
  failure.error = Error{code, std::move(what), std::move(fix)};
  return failure;
}

Failure connect_failure(CURL* easy, const std::string& at) {
  long os_error = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
  if (os_error == ECONNREFUSED)
    return make(FailureKind::connect_refused, Errc::unavailable, at + " refused the connection",
                "Start the server there, or correct host and port.");
  if (os_error == ETIMEDOUT)
    return make(FailureKind::connect_timeout, Errc::timed_out, at + " did not accept a connection",
                "Check the address, and that firewalls and network policies let this machine reach it.");
  const std::string why = os_error == 0 ? "" : std::string(": ") + std::strerror(static_cast<int>(os_error));
  return make(FailureKind::connect_failed, Errc::unavailable, "no connection to " + at + why,
              "Check the network and the address.");
}

Failure timed_out(CURL* easy, const Url& url) {
  curl_off_t connected = 0, secured = 0;
  curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected);
  curl_easy_getinfo(easy, CURLINFO_APPCONNECT_TIME_T, &secured);
  const auto at = url.host_port();
  if (connected == 0)
    return make(FailureKind::connect_timeout, Errc::timed_out, at + " did not accept a connection in time",
                "Check the address, and that firewalls and network policies let this machine reach it.");
  if (url.scheme == "https" && secured == 0)
    return make(FailureKind::timeout, Errc::timed_out, at + " did not finish the TLS handshake in time",
                "Check that the port speaks TLS and that the server is not overloaded.");
  return make(FailureKind::timeout, Errc::timed_out, at + " did not answer in time",
              "Check the load of the server, or raise the timeout.");
}

Failure certificate_failure(const Url& url, const TlsFacts& tls) {
  const auto at = "the certificate of " + url.host_port();
  switch (tls.chain.result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return make(FailureKind::tls_expired, Errc::denied, at + " has expired", "Renew it on the server.");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return make(FailureKind::tls_expired, Errc::denied, at + " is not valid yet", "Check the clocks of both machines.");
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
    case X509_V_OK:  // the chain is good, so it was libcurl's own check: the name
      return make(FailureKind::tls_name_mismatch, Errc::denied, at + " is for another host name",
                  "Use a name that is in the certificate, or issue one for this name.");
    default:
      return make(FailureKind::tls_untrusted, Errc::denied,
                  at + " is not trusted: " + X509_verify_cert_error_string(tls.chain.result),
                  "Set the CA that signed it, or serve the missing intermediate certificate.");
  }
}

}  // namespace

Failure failure_of(CURLcode code, CURL* easy, const Url& url, const TlsFacts& tls) {
  const auto at = url.host_port();
  switch (code) {
    case CURLE_URL_MALFORMAT:
      return make(FailureKind::bad_url, Errc::invalid, "the URL cannot be used", "Write it as https://host/path.");
    case CURLE_COULDNT_RESOLVE_HOST:
      return make(FailureKind::dns_failed, Errc::unavailable, "the name " + url.host + " was not resolved",
                  "Check the name servers of this machine.");
    case CURLE_COULDNT_RESOLVE_PROXY:
      return make(FailureKind::dns_failed, Errc::unavailable, "the name of the proxy was not resolved",
                  "Correct the proxy, or add its name to DNS.");
    case CURLE_COULDNT_CONNECT: return connect_failure(easy, at);
    case CURLE_OPERATION_TIMEDOUT: return timed_out(easy, url);
    case CURLE_PEER_FAILED_VERIFICATION: return certificate_failure(url, tls);
    case CURLE_SSL_CACERT_BADFILE:
      return make(FailureKind::tls_untrusted, Errc::invalid, "the CA file for " + at + " cannot be read",
                  "Set the path of a PEM file that this user may read.");
    case CURLE_SSL_CERTPROBLEM:
      return make(FailureKind::tls_protocol, Errc::invalid, "the client certificate or key for " + at + " cannot be used",
                  "Set PEM files that belong together, with an unencrypted key.");
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
      return make(FailureKind::tls_protocol, Errc::unavailable, "the TLS handshake with " + at + " failed",
                  "Check that the port speaks TLS 1.2 or newer.");
    default:
      return make(FailureKind::protocol, Errc::unavailable,
                  at + " broke off or answered wrongly: " + curl_easy_strerror(code),
                  "Check that the port speaks HTTP, and the log of the server.");
  }
}

Failure resolve_failure(net::ResolveFailure failure, const std::string& host) {
  switch (failure) {
    case net::ResolveFailure::no_such_name:
      return make(FailureKind::dns_nxdomain, Errc::not_found, "the name " + host + " does not exist",
                  "Correct the host name, or add it to DNS.");
    case net::ResolveFailure::no_answer: break;
    case net::ResolveFailure::failed:
      return make(FailureKind::dns_failed, Errc::unavailable, "the name " + host + " was not resolved",
                  "Check the name servers of this machine.");
  }
  return timeout_failure(FailureKind::dns_timeout, "the name servers gave no answer for " + host);
}

Failure timeout_failure(FailureKind kind, const std::string& what) {
  return make(kind, Errc::timed_out, what,
              kind == FailureKind::dns_timeout ? "Check the name servers of this machine."
                                               : "Raise the timeout, or look into the load of the server.");
}

}  // namespace ward::http
