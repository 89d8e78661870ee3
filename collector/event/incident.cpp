#include "collector/event/incident.hpp"

namespace ward::collector {

std::string_view to_string(NoticeKind k) {
  switch (k) {
    case NoticeKind::fire: return "fire";
    case NoticeKind::escalate: return "escalate";
    case NoticeKind::update: return "update";
    case NoticeKind::acknowledge: return "acknowledge";
    case NoticeKind::resolve: return "resolve";
  }
  return "fire";
}

Result<NoticeKind> parse_notice_kind(std::string_view text) {
  for (const auto k :
       {NoticeKind::fire, NoticeKind::escalate, NoticeKind::update, NoticeKind::acknowledge, NoticeKind::resolve})
    if (to_string(k) == text) return k;
  return fail(Errc::corrupt, "outbox row of the unknown kind '" + std::string(text) + "'",
              "Run the release of Ward that wrote this store, or restore the store from its backup.");
}

bool calls_for_action(NoticeKind k) { return k == NoticeKind::fire || k == NoticeKind::escalate; }

}  // namespace ward::collector
