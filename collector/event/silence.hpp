#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.hpp"

namespace ward::collector {

/// One condition on a label, as Alertmanager's API spells it. A regular expression is anchored; an absent label reads as "".
struct SilenceMatcher {
  std::string name{};
  std::string value{};
  bool is_regex = false;
  bool is_equal = true;
  friend bool operator==(const SilenceMatcher&, const SilenceMatcher&) = default;
};

/// People do not want to hear of what matches, for a while and for a reason.
struct AlertSilence {
  std::string id{};
  std::vector<SilenceMatcher> matchers{};  ///< all must hold
  Time starts_at{};
  Time ends_at{};  ///< the first moment at which it no longer counts
  Time updated_at{};
  std::string created_by{};
  std::string comment{};
  bool ended = false;  ///< ended by somebody before its time: for good, whatever the clock does then
  friend bool operator==(const AlertSilence&, const AlertSilence&) = default;
};

enum class SilenceState : std::uint8_t { pending, active, expired };
std::string_view to_string(SilenceState s);
SilenceState state_of(const AlertSilence& silence, Time now);

}  // namespace ward::collector
