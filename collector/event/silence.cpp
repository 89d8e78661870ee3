#include "collector/event/silence.hpp"

namespace ward::collector {

std::string_view to_string(SilenceState s) {
  switch (s) {
    case SilenceState::pending: return "pending";
    case SilenceState::active: return "active";
    case SilenceState::expired: return "expired";
  }
  return "expired";
}

SilenceState state_of(const AlertSilence& silence, Time now) {
  if (silence.ended || now >= silence.ends_at) return SilenceState::expired;
  return now < silence.starts_at ? SilenceState::pending : SilenceState::active;
}

}  // namespace ward::collector
