#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace ward::probes::data {

/// One reply of the Redis protocol (RESP2).
struct RedisReply {
  enum class Kind : std::uint8_t { nil, text, error, integer, list };
  Kind kind = Kind::nil;
  std::string text;  ///< of text and error
  std::int64_t integer = 0;
  std::vector<RedisReply> items;
  friend bool operator==(const RedisReply&, const RedisReply&) = default;
};

/// Bytes in, replies out. The only file behind it that knows hiredis. Not usable after an error.
class RedisReplyReader {
 public:
  RedisReplyReader();
  ~RedisReplyReader();
  RedisReplyReader(RedisReplyReader&&) noexcept;
  RedisReplyReader& operator=(RedisReplyReader&&) noexcept;

  /// Errc::full when more than 8 MiB wait for their end, Errc::corrupt for what is not RESP.
  Status feed(std::string_view bytes);
  /// nullopt when the reply is not complete yet.
  Result<std::optional<RedisReply>> next();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Commands as one pipelined request: arrays of bulk strings.
std::string redis_request(std::span<const std::vector<std::string>> commands);

}  // namespace ward::probes::data
