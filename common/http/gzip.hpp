#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace ward::http {

/// Smaller answers are sent as they are: the head of gzip and the time cost more than they save.
inline constexpr std::size_t kLeastGzip = 1'024;

/// zlib counts in 32 bits.
inline constexpr std::size_t kMostGzip = std::size_t{1} << 31;

/// Whether an Accept-Encoding header takes gzip (RFC 9110, section 12.5.3): named, or covered by `*`, and not with q=0.
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding);
/// At the fastest level. Takes about 10 ms a MiB: not on the io thread.
[[nodiscard]] std::string gzip(std::string_view text);

}  // namespace ward::http
