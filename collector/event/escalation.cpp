#include "collector/event/escalation.hpp"

namespace ward::collector {

std::string_view to_string(MuteKind m) {
  switch (m) {
    case MuteKind::none: return "none";
    case MuteKind::inhibited: return "inhibited";
    case MuteKind::silenced: return "silenced";
    case MuteKind::maintenance: return "in maintenance";
  }
  return "none";
}

}  // namespace ward::collector
