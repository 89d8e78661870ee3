#include "collector/event/incident.hpp"

namespace ward::collector {

std::string_view to_string(NoticeKind k) {
  switch (k) {
    case NoticeKind::fire: return "fire";
    case NoticeKind::escalate: return "escalate";
    case NoticeKind::update: return "update";
    case NoticeKind::resolve: return "resolve";
  }
  return "fire";
}

}  // namespace ward::collector
