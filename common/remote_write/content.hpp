#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace ward::remote_write {

/// The two messages a body may hold.
enum class Message : std::uint8_t {
  v1,  ///< prometheus.WriteRequest
  v2   ///< io.prometheus.write.v2.Request
};

/// Which message a request holds, by its Content-Type and Content-Encoding. Empty ones are those of the first senders: they
/// mean version 1.0 and snappy. Errc::invalid for what the receiver must answer with 415.
/// Source: https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/#content-type
Result<Message> message_of(std::string_view content_type, std::string_view content_encoding);

/// What a sender says of its message: Content-Type and X-Prometheus-Remote-Write-Version.
[[nodiscard]] std::string_view content_type(Message message);
[[nodiscard]] std::string_view version_header(Message message);

/// What a body in Snappy's block format says that it unpacks to; 0 when it is none.
[[nodiscard]] std::size_t claimed_size(std::string_view body);
/// Unpacks such a body. Nothing is allocated before the claimed size is within `limit`. Errors: overloaded (beyond the
/// limit), invalid (no such body).
Result<std::string> unpack(std::string_view body, std::size_t limit);

/// The same way back.
[[nodiscard]] std::string pack(std::string_view bytes);

}  // namespace ward::remote_write
