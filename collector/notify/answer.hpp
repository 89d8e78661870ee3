#pragma once
#include <string>
#include <string_view>

#include "collector/notify/outcome.hpp"
#include "common/http/client.hpp"

namespace ward::collector {

/// What came back for one request of a channel.
using Reply = tl::expected<http::Response, http::Failure>;

/// Judges an HTTP answer: 2xx delivered; 408, 425, 429 and 5xx retry, honouring Retry-After in seconds; everything else,
/// redirects too, is refused for good.
SendOutcome judge_status(int status, std::string_view retry_after);
/// Judges what never became an answer: what waiting cannot mend (the URL, the certificate) is refused, the rest retried.
SendOutcome judge_failure(const http::Failure& failure);
/// One of the two.
SendOutcome judge(const Reply& reply);
/// A 2xx that is not what the service answers: something else stands at the address. Refused, so that somebody looks.
SendOutcome stranger(int status, std::string_view service);

}  // namespace ward::collector
