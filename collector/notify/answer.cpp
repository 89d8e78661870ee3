#include "collector/notify/answer.hpp"

#include <algorithm>

#include "common/base/parse.hpp"

namespace ward::collector {
namespace {

using Kind = SendOutcome::Kind;

}  // namespace

SendOutcome judge_status(int status, std::string_view retry_after) {
  if (status >= 200 && status < 300) return {};
  const auto said = "the receiver answered HTTP " + std::to_string(status);
  if (status == 408 || status == 425 || status == 429 || status >= 500) {
    SendOutcome out{.kind = Kind::retry, .retry_after = milliseconds{0}, .error = said};
    // The date form of Retry-After would tie the wait to two wall clocks; our own waits serve as well.
    if (const auto seconds = to_u64(trim(retry_after)); seconds)
      out.retry_after = std::chrono::seconds{std::min<std::uint64_t>(*seconds, 86'400)};
    return out;
  }
  if (status >= 300 && status < 400) return {.kind = Kind::refused, .error = said + ", a redirect, which is not followed"};
  return {.kind = Kind::refused, .error = said};
}

SendOutcome judge_failure(const http::Failure& failure) {
  switch (failure.kind) {
    // Waiting mends none of these, somebody must: the fallback hears of it at once.
    case http::FailureKind::bad_url:
    case http::FailureKind::tls_untrusted:
    case http::FailureKind::tls_expired:
    case http::FailureKind::tls_name_mismatch:
    case http::FailureKind::too_many_redirects: return {.kind = Kind::refused, .error = failure.error.what};
    case http::FailureKind::dns_nxdomain:
    case http::FailureKind::dns_timeout:
    case http::FailureKind::dns_failed:
    case http::FailureKind::connect_refused:
    case http::FailureKind::connect_timeout:
    case http::FailureKind::connect_failed:
    case http::FailureKind::tls_protocol:
    case http::FailureKind::timeout:
    case http::FailureKind::protocol:
    case http::FailureKind::cancelled: break;
  }
  return {.kind = Kind::retry, .error = failure.error.what};
}

SendOutcome judge(const Reply& reply) {
  if (!reply) return judge_failure(reply.error());
  return judge_status(reply->status, reply->header("retry-after"));
}

SendOutcome stranger(int status, std::string_view service) {
  return {.kind = Kind::refused,
          .error = "what stands at the address answers HTTP " + std::to_string(status) + ", but not as " +
                   std::string(service) + " does"};
}

}  // namespace ward::collector
