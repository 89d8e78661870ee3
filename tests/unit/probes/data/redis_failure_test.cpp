#include "probes/data/redis_failure.hpp"

#include <boost/asio/error.hpp>
#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>

namespace ward::probes::data {
namespace {

RedisOptions options() {
  RedisOptions o;
  o.host = "redis";
  return o;
}

TEST(RedisRefusal, IsReadFromTheFirstWordOfTheReply) {
  struct Case {
    std::string_view reply;
    FailureReason reason;
    bool down;
  };
  for (const auto& [reply, reason, down] : {
           Case{"NOAUTH Authentication required.", FailureReason::auth, false},
           Case{"WRONGPASS invalid username-password pair or user is disabled.", FailureReason::auth, false},
           Case{"ERR invalid password", FailureReason::auth, false},
           Case{"ERR AUTH <password> called without any password configured", FailureReason::auth, false},
           Case{"NOPERM this user has no permissions to run the 'info' command", FailureReason::permission, false},
           Case{"LOADING Redis is loading the dataset in memory", FailureReason::loading, true},
           Case{"ERR max number of clients reached", FailureReason::probe_refused, false},
           Case{"DENIED Redis is running in protected mode", FailureReason::permission, false},
           Case{"ERR unknown command 'LATENCY'", FailureReason::unsupported, false},
           Case{"", FailureReason::unsupported, false},
       }) {
    const auto failure = redis_refusal(reply, "INFO", options());
    EXPECT_EQ(failure.reason, reason) << reply;
    EXPECT_EQ(failure.down, down) << reply;
    EXPECT_FALSE(failure.error.fix.empty()) << reply;
  }
}

TEST(RedisRefusal, NeverRepeatsTheReply) {
  const auto failure = redis_refusal("ERR Quillfeather", "INFO", options());
  EXPECT_EQ(failure.error.what.find("Quillfeather"), std::string::npos);
}

TEST(RedisIoFailure, IsDown) {
  EXPECT_EQ(redis_io_failure(boost::asio::error::connection_refused, options()).reason, FailureReason::connect_refused);
  EXPECT_EQ(redis_io_failure(boost::asio::error::timed_out, options()).reason, FailureReason::connect_timeout);
  EXPECT_EQ(redis_io_failure(boost::asio::error::eof, options()).reason, FailureReason::connect_failed);
  EXPECT_TRUE(redis_io_failure(boost::asio::error::eof, options()).down);
}

TEST(RedisTlsFailure, TellsTheCertificatesFaultApart) {
  EXPECT_EQ(redis_tls_failure(X509_V_OK, options()).reason, FailureReason::tls_protocol);
  EXPECT_EQ(redis_tls_failure(X509_V_ERR_CERT_HAS_EXPIRED, options()).reason, FailureReason::tls_expired);
  EXPECT_EQ(redis_tls_failure(X509_V_ERR_HOSTNAME_MISMATCH, options()).reason, FailureReason::tls_name_mismatch);
  EXPECT_EQ(redis_tls_failure(X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, options()).reason, FailureReason::tls_untrusted);
  EXPECT_FALSE(redis_tls_failure(X509_V_ERR_CERT_HAS_EXPIRED, options()).down);
}

}  // namespace
}  // namespace ward::probes::data
