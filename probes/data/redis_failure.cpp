#include "probes/data/redis_failure.hpp"

#include <boost/asio/error.hpp>
#include <openssl/x509_vfy.h>

#include "common/base/duration.hpp"
#include "common/base/parse.hpp"

namespace ward::probes::data {
namespace {

RedisFailure make(FailureReason reason, Errc code, std::string what, std::string fix) {
  RedisFailure f;
  f.reason = reason;
  f.error = {code, std::move(what), std::move(fix)};
  return f;
}

}  // namespace

RedisFailure redis_refusal(std::string_view error_reply, std::string_view command, const RedisOptions& options) {
  const auto at = "Redis at " + address_of(options);
  auto rest = error_reply;
  const auto word = next_word(rest);
  if (word == "NOAUTH" || word == "WRONGPASS" || error_reply.find("invalid password") != std::string_view::npos ||
      error_reply.find("AUTH") != std::string_view::npos)
    return make(FailureReason::auth, Errc::denied, at + " does not accept the user or password",
                "Check 'user' and 'password' of the target, and the server's ACL (ACL SETUSER).");
  if (word == "NOPERM")
    return make(FailureReason::permission, Errc::denied, at + " denies the command " + std::string(command),
                "Grant the ACL user +info +ping +slowlog|len +latency|latest.");
  if (word == "LOADING") {
    auto f = make(FailureReason::loading, Errc::unavailable, at + " is loading its data set", "Wait until it has loaded.");
    f.down = true;
    return f;
  }
  if (error_reply.find("max number of clients") != std::string_view::npos) {
    auto f = make(FailureReason::probe_refused, Errc::overloaded, at + " has reached maxclients",
                  "Find who holds the connections, or raise maxclients.");
    f.connection_lost = true;
    return f;
  }
  if (word == "DENIED") {
    auto f = make(FailureReason::permission, Errc::denied, at + " is in protected mode and accepts only local clients",
                  "Set a password and bind addresses at the server.");
    f.connection_lost = true;
    return f;
  }
  return make(FailureReason::unsupported, Errc::invalid, at + " does not carry out " + std::string(command),
              "Check the version of the server; the other parts go on.");
}

RedisFailure redis_io_failure(const boost::system::error_code& error, const RedisOptions& options) {
  namespace e = boost::asio::error;
  const auto at = "Redis at " + address_of(options);
  RedisFailure f;
  if (error == e::connection_refused)
    f = make(FailureReason::connect_refused, Errc::unavailable, at + " refuses connections: nothing listens there",
             "Start Redis there, or correct host and port of the target.");
  else if (error == e::timed_out)
    f = make(FailureReason::connect_timeout, Errc::timed_out, at + " did not accept the connection in time",
             "Check the firewall and the path to the server.");
  else if (error == e::host_unreachable || error == e::network_unreachable)
    f = make(FailureReason::connect_failed, Errc::unavailable, at + " is unreachable", "Check the network path to it.");
  else
    f = make(FailureReason::connect_failed, Errc::unavailable, at + " closed the connection",
             "Look into the server's log, and check whether the port expects TLS.");
  f.down = true;
  f.connection_lost = true;
  return f;
}

RedisFailure redis_timed_out(const RedisOptions& options) {
  auto f = make(FailureReason::timeout, Errc::timed_out,
                "Redis at " + address_of(options) + " did not answer within " + format_duration(options.timeout),
                "Look for a slow command or script, swapping, or a saturated CPU.");
  f.down = true;
  f.connection_lost = true;
  return f;
}

RedisFailure redis_tls_failure(long verify_result, const RedisOptions& options) {
  const auto at = "Redis at " + address_of(options);
  RedisFailure f;
  if (verify_result == X509_V_OK)
    f = make(FailureReason::tls_protocol, Errc::denied, at + " failed the TLS handshake",
             "Check that the port speaks TLS 1.2 or later, and whether it asks for a client certificate.");
  else if (verify_result == X509_V_ERR_CERT_HAS_EXPIRED)
    f = make(FailureReason::tls_expired, Errc::denied, at + " presents a certificate that has expired",
             "Renew the server's certificate.");
  else if (verify_result == X509_V_ERR_HOSTNAME_MISMATCH || verify_result == X509_V_ERR_IP_ADDRESS_MISMATCH)
    f = make(FailureReason::tls_name_mismatch, Errc::denied, at + " presents a certificate for another name",
             "Set 'tls.server_name' to a name in the certificate, or issue one with this name.");
  else
    f = make(FailureReason::tls_untrusted, Errc::denied, at + " presents a certificate that is not trusted",
             "Give the CA of the server in 'tls.ca'.");
  f.connection_lost = true;
  return f;
}

}  // namespace ward::probes::data
