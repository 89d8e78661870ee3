#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "common/base/time.hpp"

namespace ward::collector {

/// What came of one attempt.
struct SendOutcome {
  enum class Kind : std::uint8_t { delivered, retry, refused };
  Kind kind = Kind::delivered;
  milliseconds retry_after{0};  ///< the receiver's own wish; 0 = none
  std::string error{};          ///< for people; no body, no credential. With `delivered`: what was not quite well
  /// What the channel keeps for the next message of this incident to this receiver; stored with the row, whatever the kind.
  std::optional<std::string> remembered{};
  friend bool operator==(const SendOutcome&, const SendOutcome&) = default;
};

}  // namespace ward::collector
