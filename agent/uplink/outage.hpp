#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/time.hpp"
#include "common/wire/agent_session.hpp"

namespace ward::agent {

/// How long one collector has been away: from the end of the session it had welcomed, not from the last attempt, to its
/// next WELCOME. Starts away.
class Outage {
 public:
  /// Behind a longer silence than this, with more than this many records waiting, live data gets a stream of its own.
  static constexpr std::chrono::seconds kLong{10};
  static constexpr std::uint64_t kLongBacklog = 64;

  explicit Outage(MonoTime begun) : since_(begun) {}

  /// A session or an attempt to get one ended.
  void ended(MonoTime now) {
    if (!since_) since_ = now;
  }
  /// The collector welcomed us. True, once an outage, when live data must not wait behind what piled up meanwhile.
  [[nodiscard]] bool opened(MonoTime now, std::uint64_t live_backlog) {
    const bool was_long = since_ && now - *since_ >= kLong;
    since_.reset();
    return was_long && live_backlog >= kLongBacklog;
  }

 private:
  std::optional<MonoTime> since_;
};

/// A session names no more than wire::kMaxStreams: true when all old streams of `named`, its HELLO, are drained and
/// `waiting`, RecordSource::streams() now, has others that were left out, so that they need a HELLO of their own.
[[nodiscard]] inline bool turn_is_over(const std::vector<wire::HelloStream>& named,
                                       const std::vector<wire::HelloStream>& waiting) {
  const auto is_named = [&](const wire::HelloStream& stream) {
    return std::any_of(named.begin(), named.end(), [&](const wire::HelloStream& other) {
      return other.tenant == stream.tenant && other.incarnation == stream.incarnation;
    });
  };
  bool left_out = false;
  for (const auto& stream : waiting) {
    if (stream.live) continue;
    if (is_named(stream)) return false;
    left_out = true;
  }
  return left_out;
}

}  // namespace ward::agent
