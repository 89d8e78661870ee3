#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/time.hpp"
#include "common/http/client.hpp"
#include "common/remote_write/content.hpp"

namespace ward::collector {

/// What the answer to a request of remote write means.
struct ForwardVerdict {
  enum class Kind : std::uint8_t { taken, again, refused };
  Kind kind = Kind::again;
  std::uint64_t written = 0;  ///< samples it has, of taken and refused ones; 2.0 receivers tell it
  bool unwritten = false;     ///< it took fewer than it was sent, or speaks another version
  milliseconds wait{0};       ///< before the next attempt, at least
  bool unsure = false;        ///< it, or an earlier attempt, may have stored the request all the same
  bool conflict = false;      ///< refused for samples that it may have already
  std::string why;            ///< for the log; no body, no credential
};

/// Retry-After as seconds or as a date, at most an hour; nullopt when it is neither.
/// Source: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
[[nodiscard]] std::optional<milliseconds> retry_after(std::string_view header, Time now);

/// 2xx is taken; 429, 5xx, redirects and failures of the connection are tried again; what else there is will be refused
/// again. Source: https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/#retries--backoff
[[nodiscard]] ForwardVerdict judge(const tl::expected<http::Response, http::Failure>& answer, remote_write::Message message,
                                   std::uint64_t samples, Time now);

}  // namespace ward::collector
