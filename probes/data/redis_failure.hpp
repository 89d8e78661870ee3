#pragma once
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>

#include "probes/data/redis_options.hpp"
#include "probes/probe.hpp"

namespace ward::probes::data {

struct RedisFailure {
  FailureReason reason = FailureReason::internal;
  /// What it says about the server: true = redis_up 0, false = nothing (no redis_up).
  bool down = false;
  bool connection_lost = false;
  Error error;
};
template <class T>
using RedisResult = tl::expected<T, RedisFailure>;

/// From an error reply ("NOAUTH Authentication required."): only its first word is looked at, and the known text of the
/// client limit; nothing of it is repeated.
RedisFailure redis_refusal(std::string_view error_reply, std::string_view command, const RedisOptions& options);
/// From a failed connect, read or write.
RedisFailure redis_io_failure(const boost::system::error_code& error, const RedisOptions& options);
RedisFailure redis_timed_out(const RedisOptions& options);
/// From X509_V_* of the handshake; 0 = the certificate was not the cause.
RedisFailure redis_tls_failure(long verify_result, const RedisOptions& options);

}  // namespace ward::probes::data
